"""What has changed from one picture to the next: as little as possible goes to the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SPLICED, CHANGED, GONE = "=", "#", "-"  # no key of a picture's is called so
_LEAST_SPLICED = 8  # a shorter list is sent whole
_FEW = 4  # new ones at the beginning: the first point of a line is kept, whichever it is


def difference(old: Any, new: Any) -> Any:
    """What `patched` needs to make the new value of the old one.

    Of mappings only what differs (`GONE` names what is no more); of long lists which stretch is
    kept, and what is new before and after it (`SPLICED`: the first that is kept, how many, before,
    after); of lists of mappings as long as before, those that differ, by place (`CHANGED`).

    Examples
    --------
    >>> difference({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 4}})
    {'b': {'c': 4, '-': ['d']}}
    >>> difference(list(range(10)), list(range(2, 12)))
    {'=': [2, 8, [], [10, 11]]}
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return _of_mappings(old, new)
    if isinstance(old, list) and isinstance(new, list) and old:
        if len(old) == len(new) and all(isinstance(one, Mapping) for one in (*old, *new)):
            pairs = enumerate(zip(old, new, strict=True))
            return {CHANGED: {str(i): _of_mappings(a, b) for i, (a, b) in pairs if a != b}}
        if len(old) >= _LEAST_SPLICED:
            return _of_lists(old, new)
    return new


def patched(old: Any, change: Any) -> Any:
    """The new value (the page does the same).

    Examples
    --------
    >>> patched([1, 2, 3], {"=": [1, 2, [], [4]]})
    [2, 3, 4]
    """
    if not isinstance(change, Mapping):
        return change
    if SPLICED in change:
        first, count, before, after = change[SPLICED]
        return [*before, *old[first : first + count], *after]
    if CHANGED in change:
        return [
            patched(one, change[CHANGED][str(i)]) if str(i) in change[CHANGED] else one
            for i, one in enumerate(old)
        ]
    if not isinstance(old, Mapping):
        return change
    gone = set(change.get(GONE, ()))
    kept = {key: value for key, value in old.items() if key not in gone}
    new = {key: patched(old.get(key), value) for key, value in change.items() if key != GONE}
    return kept | new


def _of_mappings(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    changed = {
        key: difference(old[key], value) if key in old else value
        for key, value in new.items()
        if key not in old or old[key] != value
    }
    gone = [key for key in old if key not in new]
    return changed | ({GONE: gone} if gone else {})


def _of_lists(old: list[Any], new: list[Any]) -> Any:
    """A window that moves: something is gone at one end, and new at the other."""
    begins = [(_index(old, value), ahead) for ahead, value in enumerate(new[:_FEW])]
    begins.append((0, _index(new, old[0]) or 0))  # more is seen at its beginning
    for start, ahead in begins:
        count = 0 if start is None else _run(old[start:], new[ahead:])
        if start is not None and count > len(new) // 2:
            return {SPLICED: [start, count, new[:ahead], new[ahead + count :]]}
    return new


def _run(old: list[Any], new: list[Any]) -> int:
    """How many are the same from the first on."""
    pairs = enumerate(zip(old, new, strict=False))
    different = next((i for i, (one, other) in pairs if one != other), None)
    return min(len(old), len(new)) if different is None else different


def _index(values: list[Any], value: Any) -> int | None:
    try:
        return values.index(value)
    except ValueError:
        return None
