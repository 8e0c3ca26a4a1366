"""Seats: the places of a griptape structure where a driver sits that asks Ollama.

A driver can sit in a task, and in whatever a task's tools are made of (engines, vector stores,
memories); all of these are attrs classes, so their fields tell. Only fields are read, no property:
griptape makes its clients in those.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from griptape.tasks import BaseTask

# what a run itself fills, what leads back, and what is much and has no drivers in it
_LEFT_OUT = {"structure", "output", "subtasks", "context", "meta_memory", "_event_queue"}
_LEFT_OUT |= {"runs", "entries"}  # of conversation memories, and of local vector stores
_PLAIN = (str, bytes, int, float, bool, type(None), type)
_DEEPEST = 12  # of what sits in what


@dataclass
class Seat:
    """A driver, where it sits, and the tasks that ask by it.

    Parameters
    ----------
    holder, key:
        An object and its attribute, a list and a number, or a dict and a key.
    driver:
        griptape's driver as the person has made it.
    kind:
        "chat" or "embed".
    tasks:
        The ids of the tasks that can ask by it; none: the structure itself (a memory's summary).
    """

    holder: Any
    key: Any
    driver: Any
    kind: str
    tasks: set[str] = field(default_factory=set)

    @property
    def is_a_tasks_own(self) -> bool:
        """Whether it sits in the task itself, so that its answers are the task's."""
        return getattr(self.holder, "id", None) in self.tasks and self.key == "prompt_driver"

    def put(self, value: Any) -> None:
        """Let another driver sit there."""
        if isinstance(self.holder, (list, dict)):
            self.holder[self.key] = value
        else:
            setattr(self.holder, self.key, value)

    @property
    def sits(self) -> Any:
        """What sits there now."""
        if isinstance(self.holder, (list, dict)):
            return self.holder[self.key]
        return getattr(self.holder, self.key)


def tasks_of(structure: Any) -> list[BaseTask]:
    """The tasks of a structure; of a task by itself, that one."""
    return list(structure.tasks) if hasattr(structure, "tasks") else [structure]


def seats_of(structure: Any) -> list[Seat]:
    """Every seat of an Ollama driver in a structure, or in a task by itself."""
    seats: dict[tuple[int, Any], Seat] = {}
    tasks = tasks_of(structure)
    for task in tasks:
        _look(task, seats, task.id, {id(structure), *(id(t) for t in tasks if t is not task)}, 0)
    if hasattr(structure, "tasks"):
        _look(structure, seats, None, {id(task) for task in tasks}, 0)
    return list(seats.values())


def other_drivers(structure: Any) -> list[str]:
    """The kinds of drivers by which tasks ask somebody else than Ollama, or run a structure that
    they make only then."""
    from griptape.drivers.prompt.ollama import OllamaPromptDriver

    tasks = tasks_of(structure)
    drivers = [getattr(task, "prompt_driver", None) for task in tasks]
    theirs = [d for d in drivers if d and not isinstance(d, OllamaPromptDriver)]
    holders = [*tasks, *(tool for task in tasks for tool in getattr(task, "tools", ()))]
    makes = [getattr(holder, "structure_run_driver", None) for holder in holders]
    return list(dict.fromkeys(type(d).__name__ for d in (*theirs, *makes) if d))


def _look(
    thing: Any, seats: dict[tuple[int, Any], Seat], task: str | None, seen: set[int], depth: int
) -> None:
    """Look through a thing and what it is made of; ``seen`` is not looked at again."""
    seen.add(id(thing))
    if depth > _DEEPEST:
        return
    for key, value in _parts(thing):
        if isinstance(value, _PLAIN) or callable(value) or id(value) in seen:
            continue
        if kind := _kind_of(value):
            if _is_for_later(thing, key):
                continue
            seat = seats.setdefault((id(thing), key), Seat(thing, key, value, kind))
            seat.tasks |= {task} if task is not None else set()
        elif _is_made_of_more(value):
            _look(value, seats, task, seen, depth + 1)


def _is_made_of_more(value: Any) -> bool:
    """Whether there may be drivers in it; in numbers, texts and artifacts there are none."""
    from griptape.artifacts import BaseArtifact

    if isinstance(value, (list, tuple)):
        return bool(value) and not isinstance(value[0], _PLAIN)
    is_made = isinstance(value, dict) or hasattr(type(value), "__attrs_attrs__")
    return is_made and not isinstance(value, BaseArtifact)


def _parts(thing: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(thing, dict):
        yield from list(thing.items())
    elif isinstance(thing, (list, tuple)):
        yield from enumerate(list(thing))
    else:
        for name in (
            *_fields(type(thing)),  # type: ignore[arg-type]
            *getattr(thing, "__dict__", ()),
        ):
            if name not in _LEFT_OUT and (value := getattr(thing, name, None)) is not None:
                yield name, value


@lru_cache(maxsize=256)
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(one.name for one in getattr(kind, "__attrs_attrs__", ()))


@lru_cache(maxsize=1)
def _kinds() -> dict[str, type]:
    from griptape.drivers.embedding.ollama import OllamaEmbeddingDriver
    from griptape.drivers.prompt.ollama import OllamaPromptDriver

    return {"chat": OllamaPromptDriver, "embed": OllamaEmbeddingDriver}


def _kind_of(value: Any) -> str:
    return next((kind for kind, a in _kinds().items() if isinstance(value, a)), "")


def _is_for_later(thing: Any, key: Any) -> bool:
    """An agent makes its task of it, and asks nothing by it itself."""
    return key == "prompt_driver" and hasattr(thing, "tasks")
