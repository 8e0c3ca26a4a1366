"""Which tasks of a structure went wrong: griptape does not raise it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def failed_tasks(tasks: Iterable[Any]) -> dict[str, tuple[Any, str]]:
    """What went wrong, and in words, by the id of the task."""
    from griptape.artifacts import ErrorArtifact

    wrong = {task.id: task.output for task in tasks if isinstance(task.output, ErrorArtifact)}
    return {
        task: (output.exception or output.value, in_a_line(output.value))
        for task, output in wrong.items()
    }


def in_a_line(said: object) -> str:
    """What was said, on one line, without its full stop."""
    return " ".join(str(said).split()).rstrip(".")
