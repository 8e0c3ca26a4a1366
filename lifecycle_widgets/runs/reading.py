"""Reading values back from JSON, each field by the type that it is declared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any, TypeVar

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs.step import Step, ToolCall
from lifecycle_widgets.runs.timings import Timings

V = TypeVar("V")


def filled(kind: type[V], value: Any) -> V:
    """A value of a dataclass, from an object of JSON.

    A field that is missing has its default; what this version does not know is left out.

    Raises
    ------
    ValueError
        When a field is missing that must be there, or is of another kind; by name.

    Examples
    --------
    >>> filled(ToolCall, {"name": "Clock_now", "later": 1})
    ToolCall(name='Clock_now', arguments={}, error=None)
    >>> filled(Timings, {"total_s": "soon"})
    Traceback (most recent call last):
    ValueError: its total_s cannot be 'soon'.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{str(value)[:40]!r} is no {kind.__name__}.")
    given: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name in value:
            given[field.name] = _read(field.name, str(field.type), value[field.name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"its {field.name} is missing.")
    return kind(**given)


def _read(name: str, declared: str, value: Any) -> Any:
    kind = declared.removesuffix(" | None")
    if value is None and (kind != declared or declared == "Think"):
        return None
    try:
        return _READERS[kind](value)
    except (TypeError, ValueError, OverflowError) as fault:
        if isinstance(value, (Mapping, list)):  # it is something in it
            raise ValueError(f"its {name}: {fault}") from None
        raise ValueError(f"its {name} cannot be {str(value)[:40]!r}.") from None


def _number(value: Any) -> float:
    return float(_but_bool(value, (int, float, str)))


def _whole(value: Any) -> int:
    return int(_but_bool(value, (int,)))


def _a(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise ValueError(f"{str(value)[:40]!r} is no {kind.__name__}.")
        return value

    return read


def _but_bool(value: Any, kinds: tuple[type, ...]) -> Any:
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise ValueError(f"{str(value)[:40]!r} is no number.")
    return value


def _think(value: Any) -> Any:
    if not (isinstance(value, bool) or value in ("low", "medium", "high")):
        raise ValueError(f"{str(value)[:40]!r} is no think.")
    return value


def _all(kind: type) -> Callable[[Any], Any]:
    return lambda value: tuple(filled(kind, one) for one in _a(list)(value))


def _turns(value: Any) -> tuple[tuple[str, str], ...]:
    turns, text = _a(list)(value), _a(str)
    if not all(
        isinstance(turn, list) and len(turn) == len(("asked", "answered")) for turn in turns
    ):
        raise ValueError("one of its turns is no pair.")
    return tuple((text(asked), text(answered)) for asked, answered in turns)


_READERS: dict[str, Callable[[Any], Any]] = {
    "str": _a(str),
    "bool": _a(bool),
    "int": _whole,
    "float": _number,
    "datetime": lambda value: datetime.fromisoformat(_a(str)(value)),
    "KeepAlive": lambda value: KeepAlive(_a(str)(value)),
    "Think": _think,
    "Timings": lambda value: filled(Timings, value),
    "Mapping[str, Any]": lambda value: dict(_a(dict)(value)),
    "Mapping[str, str]": lambda value: {n: _a(str)(one) for n, one in _a(dict)(value).items()},
    "tuple[str, ...]": lambda value: tuple(map(_a(str), _a(list)(value))),
    "tuple[ToolCall, ...]": _all(ToolCall),
    "tuple[Step, ...]": _all(Step),
    "tuple[tuple[str, str], ...]": _turns,
}
