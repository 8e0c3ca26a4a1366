"""groups_of, days_of, hours_of_use: a stream by its days, or by its sessions."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.workload.workload import Seconds, Stream

LEAST_GROUPS = 5
"""Of fewer days (or sessions) nothing can be said about how much they differ."""

_DAY_S = 86_400.0
_HOUR_S = 3600.0
_SESSION_S = 1800.0  # nobody works on for so long without a request
_MOST_DAYS = 36_600


def groups_of(stream: Stream, origin_s: float | None = None) -> tuple[list[Seconds], str]:
    """The watched gaps by days; by sessions where these are too few, else by stretches of it.

    Gaps of one day are alike, so an interval that draws single gaps again is too narrow.

    Returns
    -------
    list of Seconds
        The gaps of each, in order of time.
    str
        "days", "sessions" (half an hour without a request ends one), or "stretches" of about as
        many gaps as there are stretches.

    Examples
    --------
    >>> at = 60.0 * np.arange(10)
    >>> stream = Stream("a", at, at + 5, np.full(9, True), 10)
    >>> parts, what = groups_of(stream)
    >>> [len(part) for part in parts], what
    ([3, 3, 3], 'stretches')
    """
    gaps_s, began_s = stream.gaps_s, stream.gap_began_s
    days = days_of(began_s, origin_s)
    if len(np.unique(days)) >= LEAST_GROUPS:
        return _split(gaps_s, days), "days"
    ends = np.append(0, stream.all_gaps_s > _SESSION_S)
    session = np.cumsum(ends)[:-1][stream.watched]  # the gap at its end is a session's own
    if len(np.unique(session)) >= LEAST_GROUPS:
        return _split(gaps_s, session), "sessions"
    count = max(1, math.isqrt(len(gaps_s)))
    return [part for part in np.array_split(gaps_s, count) if len(part)], "stretches"


def hours_of_use(stream: Stream) -> float:
    """The hours in which it was used: busy times, and of each watched gap an hour at most.

    Examples
    --------
    >>> stream = Stream("a", np.array([0.0, 86400.0]), np.array([1800.0, 88200.0]),
    ...     np.array([True]), 2)
    >>> hours_of_use(stream)
    2.0
    """
    busy_s = float((stream.busy_until_s - stream.busy_from_s).sum())
    return (busy_s + float(np.minimum(stream.gaps_s, _HOUR_S).sum())) / _HOUR_S


def _split(values: Seconds, groups: npt.NDArray[np.int64]) -> list[Seconds]:
    return np.split(values, np.flatnonzero(np.diff(groups)) + 1)


def days_of(at_s: Seconds, origin_s: float | None) -> npt.NDArray[np.int64]:
    """The number of the day of each moment: of this machine's calendar, where that is known."""
    if not len(at_s):
        return np.empty(0, dtype=np.int64)
    if origin_s is None:
        return np.asarray((at_s - at_s[0]) // _DAY_S, dtype=np.int64)
    midnights = _midnights(origin_s + float(at_s[0]), origin_s + float(at_s[-1]))
    return np.searchsorted(midnights, at_s + origin_s, side="right")


def _midnights(first_s: float, last_s: float) -> Seconds:
    """The midnights between, also where a clock change makes a day of 23 or 25 hours."""
    day = datetime.fromtimestamp(first_s).toordinal()
    last = min(datetime.fromtimestamp(last_s).toordinal(), day + _MOST_DAYS)
    days = (datetime.fromordinal(number) for number in range(day + 1, last + 1))
    return np.array([at.timestamp() for at in days], dtype=np.float64)
