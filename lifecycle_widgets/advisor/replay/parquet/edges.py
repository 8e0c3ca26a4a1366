"""Edges: where each stream of a long trace stands between two pieces of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.workload.workload import Counts, Seconds


@dataclass(frozen=True)
class Rows:
    """Some rows of a trace, one for each request.

    Parameters
    ----------
    names:
        The streams that are in it.
    codes:
        Of each row which of them; below 0: none.
    start_s, service_s:
        When the request came, and how long it took, in seconds.
    """

    names: list[str]
    codes: npt.NDArray[np.int32]
    start_s: Seconds
    service_s: Seconds


class Edges:
    """Of each stream when its last request came, and until when it was busy, in seconds.

    Pieces of a trace are read one after the other, each from the edges that the one before has
    left; or side by side: first each from none (`after` them), then, as all edges are known, again.
    It takes about a hundred bytes per stream.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        """The streams, as they were first seen."""
        self._places: dict[str, int] = {}
        self.last_start_s: Seconds = np.empty(0)
        self.until_s: Seconds = np.empty(0)

    def places(self, names: Iterable[str]) -> Counts:
        """Where those streams are; new ones begin here."""
        places = np.array([self._place(name) for name in names], np.int64)
        missing = len(self.names) - len(self.until_s)
        if missing > 0:
            room = np.full(max(missing, len(self.until_s)), -np.inf)  # doubled: few copies
            self.last_start_s = np.append(self.last_start_s, room)
            self.until_s = np.append(self.until_s, room)
        return places

    def _place(self, name: str) -> int:
        place = self._places.setdefault(name, len(self.names))
        if place == len(self.names):
            self.names.append(name)
        return place

    def of(self, names: Iterable[str]) -> Edges:
        """A copy of what is known of those streams."""
        some = Edges()
        here, there = self.places(names := list(names)), some.places(names)
        some.last_start_s[there] = self.last_start_s[here]
        some.until_s[there] = self.until_s[here]
        return some

    def go_on_with(self, later: Edges) -> None:
        """What a later piece, read from no edges, has left."""
        here = self.places(later.names)
        there = later.places(later.names)
        self.last_start_s[here] = later.last_start_s[there]
        self.until_s[here] = np.maximum(self.until_s[here], later.until_s[there])

    def gaps(self, rows: Rows) -> tuple[Seconds, Counts]:
        """The gaps that end in these rows, in seconds, and of each the place of its stream.

        Raises
        ------
        BadRow
            At the first row that is not one: no stream, NaN, a service below 0, or a start before
            that of the row before it of the same stream.
        """
        from lifecycle_widgets.advisor.replay.kernels.gap_kernels import (
            gaps_between,  # imports numba
        )

        places = self.places(rows.names)
        gaps_s, whose, bad = gaps_between(
            rows.codes, places, rows.start_s, rows.service_s, self.last_start_s, self.until_s
        )
        if bad >= 0:
            raise BadRow(bad, self._why(rows, places, bad))
        return gaps_s, whose

    def _why(self, rows: Rows, places: Counts, bad: int) -> str:
        code, start_s, service_s = rows.codes[bad], rows.start_s[bad], rows.service_s[bad]
        if code < 0:
            return "it has no stream"
        if not np.isfinite(start_s):
            return f"its start_s is {start_s}"
        if not (np.isfinite(service_s) and service_s >= 0):
            return f"its service_s is {service_s:g}"
        last_s = self.last_start_s[places[code]]
        return (
            f"it begins at {start_s:.15g} s, and the one before it of {rows.names[code]!r} at "
            f"{last_s:.15g} s; sort the requests of each stream by start_s"
        )


class BadRow(ValueError):
    """The row, counted from 0 within the rows that were read, and what is wrong with it."""

    def __init__(self, row: int, why: str) -> None:
        super().__init__(why)
        self.row = row
