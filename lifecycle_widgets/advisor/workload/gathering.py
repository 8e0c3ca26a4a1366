"""Gathering: requests as they are read, block by block, until they are a workload."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.workload.busy import busy_times
from lifecycle_widgets.advisor.workload.columns import Columns
from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.times import (
    LATEST_S,
    LONGEST_S,
    plain,
    shown,
    why_no_duration,
    why_no_time,
)
from lifecycle_widgets.advisor.workload.workload import Seconds, Stream, Workload
from lifecycle_widgets.runs.texts import counted, duration_text

ALL = "all requests"
"""The stream of a file that tells none apart."""

_US = 1_000_000
_EPOCH_S = 9e8  # 1998: seconds above it are a date
_LONG_S = 600.0
_WRITTEN = {None: "a number", True: "a time with its zone", False: "a time without a zone"}
_CLOCK_S = 3 * 3600.0  # no country sets its clock back by more


class Gathering:
    """Takes in blocks of requests, and says of the first that cannot be one where it stands.

    Parameters
    ----------
    source:
        What the file is called, for sentences.
    columns:
        What of it is read. Rows have to be in the order of their beginnings, each stream's by
        itself, but where they are kept in the order of their ends.
    place:
        How a reader finds a row, by its line; "row" counts from the one after a header.
    """

    def __init__(
        self, source: str, columns: Columns, place: str = "row {row} (line {line})"
    ) -> None:
        self.source, self.columns = source, columns
        self.notes: list[str] = []
        self._place = place
        self._has_zone: bool | None = None
        self._is_begun = False
        self._names: dict[str, int] = {}
        self._blocks: list[tuple[Any, Seconds, Seconds, Any]] = []

    def add(
        self, names: Sequence[str] | None, of: Any, start_s: Seconds, service_s: Seconds, lines: Any
    ) -> None:
        """One more block.

        Parameters
        ----------
        names, of:
            The streams of this block, and which of them each request is of; None: all are of one.
        start_s, service_s:
            When each began and how long it took, in seconds.
        lines:
            The line of each in the file, counted from 1.

        Raises
        ------
        WorkloadError
        """
        self._is_begun = self._is_begun or len(start_s) > 0
        self._check(start_s, LATEST_S, self.columns.time, why_no_time, lines)
        self._check(service_s, LONGEST_S, self.columns.duration, why_no_duration, lines)
        if names is None:
            names, of = (ALL,), np.zeros(len(start_s), dtype="int64")
        numbers = [self._names.setdefault(str(name), len(self._names)) for name in names]
        self._blocks.append((np.array(numbers, dtype="int32")[of], start_s, service_s, lines))

    def fault(self, why: str, line: int) -> WorkloadError:
        """What is wrong in a line of the file, with its place."""
        return WorkloadError(f"{self.source}, {self._place.format(row=line - 1, line=line)}: {why}")

    def zone(self, has_zone: bool | None, line: int) -> None:
        """How the time in a line is written, see `moment`: all have to be written alike.

        Raises
        ------
        WorkloadError
        """
        if not self._is_begun:
            self._is_begun, self._has_zone = True, has_zone
        elif has_zone is not self._has_zone:
            this, before = _WRITTEN[has_zone], _WRITTEN[self._has_zone]
            name = self.columns.time
            raise self.fault(f"{name} is {this}, and those before are {before}.", line)

    def _check(
        self,
        values: Seconds,
        most: float,
        name: str,
        why: Callable[[float, str], str],
        lines: Any,
    ) -> None:
        is_good = (values >= 0) & (values <= most)  # no number is neither
        if not is_good.all():
            at = int(np.argmin(is_good))
            raise self.fault(why(float(values[at]), name), int(lines[at]))

    def workload(self, witnesses: Sequence[str] = ("trace",)) -> Workload:
        """The requests as busy times of each stream.

        Raises
        ------
        WorkloadError
            For rows that are not in order, and where there is no gap.
        """
        if not any(len(block[0]) for block in self._blocks):
            raise WorkloadError(f"{self.source} has no requests: there is nothing to advise from.")
        of, start_s, service_s, lines = (
            np.concatenate([block[part] for block in self._blocks]) for part in range(4)
        )
        self._blocks.clear()
        order = np.argsort(of, kind="stable")
        of, start_s, service_s = of[order], start_s[order], service_s[order]
        edges = np.searchsorted(of, np.arange(len(self._names) + 1))
        if self.columns.is_in_order:
            self._check_order(of, start_s, order, lines)
        streams, origin_s = _streams(list(self._names), edges, start_s, service_s)
        if not sum(len(one.watched) for one in streams):
            raise WorkloadError(self._no_gap(streams))
        self._remark(streams, service_s)
        return Workload(streams, self.source, tuple(witnesses), tuple(self.notes), origin_s)

    def _check_order(self, of: Any, start_s: Seconds, order: Any, lines: Any) -> None:
        back = (start_s[1:] < start_s[:-1]) & (of[1:] == of[:-1])
        if not back.any():
            return
        at = np.flatnonzero(back)[np.argmin(order[1:][back])] + 1  # the first in the file
        row = int(order[at])
        before_s, now_s = float(start_s[at - 1]), float(start_s[at])
        stream = list(self._names)[int(of[at])]
        whose = "" if stream == ALL else f" of {shown(stream)}"
        why = (
            f"{self.columns.time}{whose} goes back from {self._written(before_s)} to "
            f"{self._written(now_s)}. "
        )
        if self._has_zone is False and before_s - now_s <= _CLOCK_S:
            why += (
                "If the clock was set back there, write the times with their zone "
                "(2026-01-31T12:00:00Z); else sort the rows."
            )
        else:
            why += "Sort the rows of each stream by their beginnings."
        raise self.fault(why, int(lines[row]))

    def _written(self, value_s: float) -> str:
        if self._has_zone is None:
            return f"{plain(value_s)} s"
        at = datetime.fromtimestamp(value_s, timezone.utc)
        return f"{at:%Y-%m-%d %H:%M:%S}{' UTC' if self._has_zone else ''}"

    def _no_gap(self, streams: Sequence[Stream]) -> str:
        requests = sum(one.requests for one in streams)
        is_one_each = requests == len(streams)
        how = "each the only one of its stream" if is_one_each else "with no idle gap between two"
        return (
            f"{self.source} has {counted(requests, 'request')}, {how}: there is nothing to "
            "advise from."
        )

    def _remark(self, streams: Sequence[Stream], service_s: Seconds) -> None:
        """What a reader has to know of it, as notes."""
        alone = sum(not len(one.watched) for one in streams)
        if alone:
            self.notes.append(f"{alone:,} of {counted(len(streams), 'stream')} without a gap.")
        if self._has_zone is False:
            self.notes.append(
                "The times have no zone and are taken as written: where the clock was changed, a "
                "gap is off by an hour."
            )
        middle_s = float(np.median(service_s))
        if middle_s > _LONG_S:
            self.notes.append(
                f"Half of the requests take longer than {duration_text(middle_s)}: is "
                f"{self.columns.duration} in seconds?"
            )
        elif self.columns.service is self.columns.end is None:
            self.notes.append(
                "How long requests take is not told: each counts as a moment, and gaps last from "
                "start to start."
            )


def _streams(
    names: Sequence[str], edges: npt.NDArray[np.int64], start_s: Seconds, service_s: Seconds
) -> tuple[tuple[Stream, ...], float | None]:
    """Each stream's busy times, in whole microseconds: so what touches has no gap between."""
    first_s = float(np.min(start_s))
    is_date = first_s >= _EPOCH_S
    origin_s = float(np.floor(first_s)) if is_date else 0.0
    start_us = np.rint((start_s - origin_s) * _US).astype("int64")
    service_us = np.rint(service_s * _US).astype("int64")
    streams = []
    for number, name in enumerate(names):
        rows = slice(edges[number], edges[number + 1])
        from_us, until_us = busy_times(start_us[rows], service_us[rows])
        watched = np.ones(len(from_us) - 1, dtype=bool)
        requests = int(rows.stop - rows.start)
        streams.append(Stream(name, from_us / _US, until_us / _US, watched, requests))
    return tuple(streams), origin_s if is_date else None
