"""Careful: a conversation memory that takes no error of a run, which it would send as an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lifecycle_widgets.agent.structures.seats import tasks_of


def memories_of(structure: Any) -> Iterator[tuple[Any, str]]:
    """Where a structure and its tasks have memories of their own: an object and its attribute."""
    places = [(structure, "conversation_memory")] if hasattr(structure, "tasks") else []
    for place, name in (*places, *((task, "_conversation_memory") for task in tasks_of(structure))):
        if hasattr(getattr(place, name, None), "add_run"):
            yield place, name


class Careful:
    """Stands in a structure for a person's memory, and is that memory in all else.

    griptape adds what a run came to, an error as well; taking it out again afterwards would be too
    late: it has been stored, summarized, and an older turn may have made room for it.
    """

    def __init__(self, memory: Any) -> None:
        object.__setattr__(self, "_memory", memory)

    def add_run(self, run: Any) -> Any:
        """As the memory's own, unless the answer is an error."""
        from griptape.artifacts import ErrorArtifact

        if not isinstance(run.output, ErrorArtifact):
            self._memory.add_run(run)
        return self

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # for isinstance, in a person's own code
        return type(self._memory)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._memory, name, value)
