"""What a run comes to: the `Run`, and the exception for whoever waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lifecycle_widgets.agent.faults import (
    RunFailed,
    RunTimedOut,
    explained,
    in_task,
    on_the_way,
)
from lifecycle_widgets.agent.record.asked_for import Asked
from lifecycle_widgets.agent.record.record import Record
from lifecycle_widgets.agent.record.steps import Known
from lifecycle_widgets.agent.structures.asked import AskedModel
from lifecycle_widgets.agent.structures.saying import said_of
from lifecycle_widgets.agent.structures.staged import Staged
from lifecycle_widgets.runs import Run


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Parameters
    ----------
    at, total_s:
        When it began, and how long it took.
    stopped:
        Whether it was stopped.
    timeout_s:
        The time that it had, where that is why.
    fault:
        What went wrong.
    """

    at: datetime
    total_s: float
    stopped: bool
    timeout_s: float | None
    fault: BaseException | str | None


def outcome_of(
    asked: Asked,
    record: Record,
    staged: Staged | None,
    ending: Ending,
    said: tuple[str, ...],
) -> tuple[Run, BaseException | None]:
    """The run, and what its end raises.

    Parameters
    ----------
    said:
        What else there is to say of it, in sentences.
    """
    told = _told(asked, record, staged, ending)
    run = _as_run(asked, record, staged, ending, told, said)
    if isinstance(told, RunFailed):
        told.run = run
    return run, told


def _told(
    asked: Asked, record: Record, staged: Staged | None, ending: Ending
) -> BaseException | None:
    if ending.timeout_s is not None:
        return RunTimedOut(ending.timeout_s)
    if ending.fault is None or ending.stopped:
        return None
    if staged is None:
        return explained(ending.fault, server=asked.server, model=asked.model, has_begun=False)
    failed, task, has_begun = staged.failed(ending.fault)
    told = explained(ending.fault, server=failed.server, model=failed.model, has_begun=has_begun)
    if record.steps.total(ending.total_s).ttft_s is not None:
        told = on_the_way(told)
    return in_task(told, task) if task else told


def _as_run(
    asked: Asked,
    record: Record,
    staged: Staged | None,
    ending: Ending,
    fault: BaseException | None,
    said: tuple[str, ...],
) -> Run:
    is_whole = fault is None and not ending.stopped
    known = {m.model: _known(m, wait=is_whole) for m in staged.models} if staged else {}
    steps = record.steps.finished(lambda step: known.get(step.model, Known()))
    answers = staged.answers if staged is not None else None
    its = known.get(asked.model, Known())
    first = known.get(steps[0].model, Known()) if steps else its
    whole = staged.text_of_answer() if staged is not None and is_whole else None
    return Run(
        model=asked.model,
        keep_alive=asked.keep_alive,
        prompt=asked.prompt,
        answer=record.heard.answer if whole is None else whole,
        started_at=ending.at,
        timings=record.steps.total(ending.total_s),
        steps=steps,
        was_resident=first.was_resident,
        stopped=ending.stopped,
        error=str(fault) if fault is not None else None,
        server_url=asked.server.url,
        thinking=record.heard.thoughts,
        think=asked.think,
        remote_host=answers.remote_host if answers is not None else None,
        options=asked.options,
        history=asked.history,
        context_length=its.context,
        context_before=None if its.is_remote or answers is None else answers.memory.context_before,
        structure=asked.structure,
        keep_alives={m.model: str(m.chosen) for m in staged.models} if staged else {},
        held=staged.is_held if staged is not None else False,
        said=(*said, *(said_of(staged, is_whole) if staged is not None else ())),
    )


def _known(model: AskedModel, *, wait: bool) -> Known:
    is_remote = model.remote_host is not None
    context = model.memory.context_length(model.options, wait=wait)
    return Known(
        None if is_remote else model.memory.was_resident,
        None if is_remote else context,
        model.options,
        is_remote,
    )
