"""What a monitor has seen, and a history does not have yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from lifecycle_widgets.history.file.rows import US, time_us
from lifecycle_widgets.history.writing.readings import WIDTHS_S, Bin, put_into
from lifecycle_widgets.monitor import Monitor, Request, Residency
from lifecycle_widgets.monitor.in_force import InForce
from lifecycle_widgets.monitor.traffic import OURS
from lifecycle_widgets.runs import Run

MOST = 50_000
"""How many requests, stays, runs and bins each wait at most where nothing can be written."""

_T = TypeVar("_T")
StayKey = tuple[str, datetime]


class Pending:
    """Collects from one monitor after another; ``lost`` counts what there was no room for."""

    def __init__(self) -> None:
        self.own: deque[Request] = deque()
        self.seen: deque[Request] = deque()
        self.stays: dict[StayKey, Residency] = {}
        self.bins: dict[int, Bin] = {}
        self.runs: deque[Run] = deque()  # put in by the runs' own threads
        self.in_force: InForce | None = None
        self.since_us: int | None = None  #: since when all that was seen is here
        self.lost = 0
        self._written: set[StayKey] = set()
        self._forget_place()

    def begin_with_another(self) -> None:
        """From now on another monitor is asked."""
        self._forget_place()

    def _forget_place(self) -> None:
        self._position, self._until_s = 0, float("-inf")
        self._given: deque[int] = deque(maxlen=1000)

    # --- taking ----------------------------------------------------------------------------------

    def take(self, monitor: Monitor, *, last: bool = False) -> None:
        """What is new there; the last time also what could have become more exact."""
        if last and _has_more(monitor):
            monitor.read()
        self._take_samples(monitor)
        found, self._position = monitor.requests_settled(self._position)
        self._given.extend(request.number for request in found)
        if last:
            given = set(self._given)
            ended = (r for r in monitor.requests() if r.ended_at is not None)
            found = (*found, *(r for r in ended if r.number not in given))
        for request in found:
            (self.own if request.whose == OURS else self.seen).append(request)
        self._take_stays(monitor)
        self._bound()

    def _take_samples(self, monitor: Monitor) -> None:
        new = [sample for sample in monitor.samples if sample.t_s > self._until_s]
        if new:
            self._until_s = new[-1].t_s
            self.since_us = time_us(new[0].at) if self.since_us is None else self.since_us
            self.in_force = new[-1].in_force or self.in_force
            put_into(self.bins, new)

    def _take_stays(self, monitor: Monitor) -> None:
        there = {(s.model, s.since): s for s in monitor.residencies() if not s.is_loading}
        self._written &= there.keys()
        gone = [key for key, s in self.stays.items() if s.until is None and key not in there]
        for key in gone:  # it is told by another name, or with another beginning, by now
            del self.stays[key]
        self.stays.update((key, s) for key, s in there.items() if key not in self._written)

    def _bound(self) -> None:
        for waiting in (self.own, self.seen, self.runs):
            while len(waiting) > MOST:
                waiting.popleft()
                self.lost += 1
        for kept in (self.stays, self.bins):
            while len(kept) > MOST:
                kept.pop(next(iter(kept)))  # type: ignore[call-overload]
                self.lost += 1

    # --- when it is written ----------------------------------------------------------------------

    def wrote_own(self, runs: int) -> None:
        self.own.clear()
        for _ in range(runs):
            self.runs.popleft()

    def wrote_seen(self, over: list[StayKey], seen_us: int) -> None:
        """What was seen is in the file; of stays those that are over are not written again."""
        self.since_us = seen_us
        self.seen.clear()
        self.bins.clear()
        for key in over:
            del self.stays[key]
        self._written.update(over)

    def drop_until(self, seen_us: int) -> None:
        """Another process has written what was seen until then."""
        if self.since_us is not None:
            self.since_us = max(self.since_us, seen_us)
        _keep(self.seen, lambda r: r.ended_at is not None and time_us(r.ended_at) > seen_us)
        for number in [n for n in self.bins if (n + 1) * WIDTHS_S[0] * US <= seen_us]:
            del self.bins[number]
        over = [k for k, s in self.stays.items() if s.until and time_us(s.until) <= seen_us]
        for key in over:
            del self.stays[key]
        self._written.update(over)


def _has_more(monitor: Monitor) -> bool:
    """Whether a request of this process has ended since the last sample."""
    latest = monitor.latest
    if latest is None or latest.error is not None or not monitor.is_running:
        return False
    ended_s = [one.ended_s or 0.0 for one in monitor.server.own_requests.all()]
    return max(ended_s, default=0.0) > latest.t_s


def _keep(waiting: deque[_T], wanted: Callable[[_T], bool]) -> None:
    kept = [one for one in waiting if wanted(one)]
    waiting.clear()
    waiting.extend(kept)
