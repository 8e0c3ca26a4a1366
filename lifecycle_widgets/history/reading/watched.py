"""When somebody watched a server: of what happened between, nothing is known."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np

Stretch = tuple[int, int]
_JOINS_US = 1_500_000


def watches(
    connection: sqlite3.Connection, server: int, joins_us: int = _JOINS_US
) -> list[Stretch]:
    """The stretches of time, in microseconds, in order.

    Those that follow each other within ``joins_us`` are one. Where the clock was set back, the
    hours that it has shown twice are left out.
    """
    told = connection.execute(
        "SELECT from_us, to_us FROM watches WHERE server = ? ORDER BY id", (server,)
    ).fetchall()
    return _joined(_without_twice(told), joins_us)


def is_watched(stretches: Sequence[Stretch], begins_us: Any, ends_us: Any) -> Any:
    """Whether each of many stretches of time was watched from its begin to its end.

    Examples
    --------
    >>> is_watched([(0, 10)], np.array([1, 9]), np.array([5, 20])).tolist()
    [True, False]
    """
    if not stretches:
        return np.zeros(len(begins_us), dtype=bool)
    edges = np.array(stretches)
    at = np.searchsorted(edges[:, 0], np.asarray(begins_us), side="right") - 1
    return (at >= 0) & (np.asarray(ends_us) <= edges[np.maximum(at, 0), 1])


def _without_twice(told: Sequence[Stretch]) -> list[Stretch]:
    """
    >>> _without_twice([(0, 100), (60, 200)])
    [(0, 60), (100, 200)]
    """
    kept: list[Stretch] = []
    for start, end in told:
        if kept and start < kept[-1][1]:
            before, until = kept[-1]
            kept[-1] = (before, max(before, start))
            start = until
        if start < end:
            kept.append((start, end))
    return [one for one in kept if one[0] < one[1]]


def _joined(told: Sequence[Stretch], joins_us: int) -> list[Stretch]:
    joined: list[Stretch] = []
    for start, end in sorted(told):
        if joined and start - joined[-1][1] <= joins_us:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined
