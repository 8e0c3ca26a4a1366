"""Borrowed: a person's structure while a run has it, and how they get it back.

For the time of a run drivers of ours sit in its seats, and a prompt that griptape would run as a
Jinja template goes in by one of ours. Whatever happens, what was there is put back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from lifecycle_widgets.agent.structures.memories import Careful, memories_of
from lifecycle_widgets.agent.structures.seats import Seat, tasks_of
from lifecycle_widgets.agent.structures.templates import kept_template

_SETTLES_S = 2.0  # how long a run waits for one on the same structure that was stopped
_taken: dict[int, Borrowed] = {}  # which run has what at this moment, by id
_given_back = threading.Condition()


class Busy(RuntimeError):
    """The structure, or something that it is made of, is in another run."""


class Borrowed:
    """A structure for one run.

    Parameters
    ----------
    structure:
        griptape's.
    seats:
        Its seats, whose holders are to be had as well.
    is_stopped:
        Whether the run was stopped; the next one then waits a moment for it.

    Raises
    ------
    Busy
        When another run has it, also one of griptape's own: its structures run one at a time.
    """

    def __init__(
        self, structure: Any, seats: Iterable[Seat], is_stopped: Callable[[], bool]
    ) -> None:
        self._structure, self._is_stopped = structure, is_stopped
        self._put: list[tuple[Seat, Any]] = []
        ours = [structure, *tasks_of(structure), *(seat.holder for seat in seats)]
        self._ours = {id(thing): thing for thing in ours}
        with _given_back:
            _given_back.wait_for(self._cannot_wait, _SETTLES_S)
            if self._others() or any(task.is_running() for task in tasks_of(structure)):
                raise Busy(_busy(structure))
            _taken.update(dict.fromkeys(self._ours, self))

    def _others(self) -> list[Borrowed]:
        return [_taken[key] for key in self._ours.keys() & _taken.keys()]

    def _cannot_wait(self) -> bool:
        """Whether nobody has it, or somebody does who goes on."""
        others = self._others()
        return not others or not all(other._is_stopped() for other in others)

    def lend(
        self, seats: Iterable[Seat], driver_for: Callable[[Seat], Any], args: tuple[Any, ...]
    ) -> None:
        """Put our drivers in, and a template of ours where the first argument would be one."""
        for seat in seats:
            self._replace(seat, driver_for(seat))
        for place, name in memories_of(self._structure):
            memory = getattr(place, name)
            self._replace(Seat(place, name, memory, "memory"), Careful(memory))
        for task in tasks_of(self._structure):
            if (kept := kept_template(task)) is not None:
                name = "generate_system_template"
                self._replace(Seat(task, name, getattr(task, name), "template"), kept)
        if args and (template := as_template(args[0])) is not None:
            for task in tasks_of(self._structure):
                if takes_the_argument(task):
                    self._replace(Seat(task, "_input", task._input, "input"), template)

    def _replace(self, seat: Seat, ours: Any) -> None:
        self._put.append((seat, ours))  # first: what is put in half is put back, too
        seat.put(ours)

    def give_back(self) -> None:
        """Put back what was there, but for what somebody has changed meanwhile. Idempotent."""
        while self._put:
            seat, ours = self._put.pop()
            if seat.sits is ours:
                seat.put(seat.driver)

    def let_go(self) -> None:
        """Another run may have it. Idempotent."""
        with _given_back:
            for key in self._ours:
                if _taken.get(key) is self:
                    del _taken[key]
            _given_back.notify_all()


def as_template(value: Any, path: str = "args[0]") -> Any:
    """A template by which an argument of `run` goes in as it is; None: griptape runs none of it.

    Examples
    --------
    >>> as_template("2 {{ 1+1 }}"), as_template(["What is this?", 3])
    ('{{ args[0] }}', ['{{ args[0][0] }}', 3])
    """
    from griptape.artifacts import ListArtifact, TextArtifact

    if isinstance(value, str):
        return f"{{{{ {path} }}}}"
    if isinstance(value, (list, tuple)):
        parts = [as_template(one, f"{path}[{i}]") for i, one in enumerate(value)]
        return [one if part is None else part for part, one in zip(parts, value, strict=True)]
    if isinstance(value, ListArtifact):
        return as_template(value.value, f"{path}.value")
    if isinstance(value, TextArtifact):
        return TextArtifact(f"{{{{ {path}.value }}}}", meta=value.meta)
    return None


def takes_the_argument(task: Any) -> bool:
    """Whether a task's input is what `run` is given, by a function that griptape put there."""
    its = getattr(task, "_input", None)
    known = _defaults(type(task))  # type: ignore[arg-type]  # a class is hashable
    return callable(its) and any(its is default for default in known)


@lru_cache(maxsize=64)
def _defaults(kind: type) -> tuple[Any, ...]:
    """What such a task, or its agent, takes for its input where nobody gave one."""
    from griptape.structures import Agent

    fields = [*kind.__attrs_attrs__, *Agent.__attrs_attrs__]  # type: ignore[attr-defined]
    return tuple(one.default for one in fields if one.name in ("_input", "input"))


def _busy(structure: Any) -> str:
    return (
        f"This {type(structure).__name__}, or a tool of it, is in another run: griptape's "
        "structures run one at a time. Wait for the end of that run, or stop it. (Where a tool "
        "goes on after a stop, its run has not ended yet.)"
    )
