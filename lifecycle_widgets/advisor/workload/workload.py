"""Stream and Workload: what was asked, as busy times. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Seconds: TypeAlias = npt.NDArray[np.float64]
Counts: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stream:
    """What one model was asked (or one person's session, or one service): its busy times in order.

    Overlapping requests are one busy time already: a gap runs from the end of the last request in
    flight to the beginning of the next.

    Parameters
    ----------
    name:
        The model, or what the trace calls it.
    busy_from_s, busy_until_s:
        When each busy time began and ended: n seconds from any zero, the same for all streams of a
        workload.
    watched:
        Of each gap (n - 1) whether somebody watched all of it: where nobody did, there may have
        been a request in it, and it is no evidence.
    requests:
        How many requests it was; at least n.

    Examples
    --------
    >>> stream = Stream("a", np.array([0.0, 60.0]), np.array([5.0, 70.0]), np.array([True]), 3)
    >>> stream.gaps_s.tolist()
    [55.0]
    """

    name: str
    busy_from_s: Seconds
    busy_until_s: Seconds
    watched: npt.NDArray[np.bool_]
    requests: int

    @property
    def gaps_s(self) -> Seconds:
        """The gaps that were watched: how long each was, in seconds, in order."""
        return self.all_gaps_s[self.watched]

    @property
    def all_gaps_s(self) -> Seconds:
        """Every gap, also those that nobody watched."""
        return np.asarray(self.busy_from_s[1:] - self.busy_until_s[:-1])

    @property
    def gap_began_s(self) -> Seconds:
        """When each gap of `gaps_s` began."""
        return np.asarray(self.busy_until_s[:-1][self.watched])

    @property
    def span_s(self) -> float:
        """From the first request to the end of the last, in seconds; 0 without one."""
        if not len(self.busy_from_s):
            return 0.0
        return float(self.busy_until_s[-1] - self.busy_from_s[0])


@dataclass(frozen=True, eq=False)
class Workload:
    """The streams of one server, or of one trace.

    Parameters
    ----------
    streams:
        One per model or session, in the order in which they are first seen.
    source:
        Where it is from, for a sentence: "the history of the last 7 days", "trace.csv".
    witnesses:
        How the requests were seen: "ours", "deadlines", "CPU", "log", "trace" and so on.
    notes:
        What a reader has to know, in sentences: rows left out, gaps that nobody watched.
    origin_s:
        What second 0 of the streams is in seconds since 1970, so that days can be told apart; None:
        not known.
    """

    streams: tuple[Stream, ...]
    source: str
    witnesses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    origin_s: float | None = None

    @property
    def gaps(self) -> int:
        """How many gaps there are in all, of those that were watched."""
        return sum(len(stream.gaps_s) for stream in self.streams)

    @property
    def gaps_s(self) -> Seconds:
        """Those gaps, in seconds: of one stream after the other."""
        return np.concatenate([np.empty(0), *(stream.gaps_s for stream in self.streams)])

    def stream(self, name: str) -> Stream:
        """The stream of that name. Raises KeyError, which names those that there are."""
        for one in self.streams:
            if one.name == name:
                return one
        known: Any = ", ".join(one.name for one in self.streams) or "none"
        raise KeyError(f"There is no stream {name!r}; there are {known}.")
