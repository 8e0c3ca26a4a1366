"""What there is to say of a structure's run, beside its answer: in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from lifecycle_widgets.agent.structures.failed_tasks import failed_tasks, in_a_line
from lifecycle_widgets.agent.structures.staged import Staged


def said_of(staged: Staged, is_whole: bool) -> Iterator[str]:
    """What was not so though the run went on, what was not measured, what is left.

    Parameters
    ----------
    is_whole:
        Whether the run came to its end; else its error says what went wrong.
    """
    if is_whole:
        kind = type(staged.structure).__name__
        for task, (_, said) in failed_tasks(staged.tasks.values()).items():
            yield f"The task {task!r} failed ({said}); the {kind} went on."
        for seat, client in zip(staged.seats, staged.clients, strict=False):
            if not seat.tasks and client.fault is not None:  # griptape goes on without a summary
                yield f"What its conversation memory asked failed: {in_a_line(client.fault)}."
    for other in staged.others:
        yield f"What {other} asked is not measured: it is no driver of Ollama's."
    for thread in staged.listening.threads:
        yield f"A tool is still running: its thread is {thread.name}."
