"""StayLog: the stays in memory of one server, as its samples come."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy

from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.stays.derive import Found, found_in, in_a_row
from lifecycle_widgets.monitor.stays.ending import Known
from lifecycle_widgets.monitor.stays.events import Event, by_name
from lifecycle_widgets.monitor.stays.residency import Residency
from lifecycle_widgets.monitor.stays.stay import Stay
from lifecycle_widgets.monitor.stays.watch import Watch
from lifecycle_widgets.monitor.traffic.request import Request
from lifecycle_widgets.server import Server

_TIDY_EACH_S = 5.0
_EVENTS_S = 45.0  # by then it is known in which stay a request with keep_alive 0 has ended
# Why a model left is decided by what follows within moments where runners are seen, else within
# half a minute; an unknown reason may still be found when a load has ended that began meanwhile.
_DECIDED_S, _DECIDED_BLIND_S, _UNKNOWN_S = 10.0, 40.0, 130.0


class StayLog:
    """Takes in each sample once, in the sampler's thread; asked from any thread.

    It tells what `residencies` does of the same samples, and remembers when a model that is still
    there came, however long ago. What has been over for some time is not decided again.

    Parameters
    ----------
    server:
        Whose models; what was done through it is known.
    history_s:
        For how many seconds a stay that is over is kept.
    requests:
        Tells everyone's requests, as `Monitor.requests`.
    """

    def __init__(
        self, server: Server, history_s: float, requests: Callable[[], Sequence[Request]] = tuple
    ) -> None:
        self._unloads, self._zeroed = server.unloads, server.zeroed
        self._history_s, self._requests = history_s, requests
        self._lock = threading.Lock()
        self._watch = Watch()
        self._recent: deque[Sample] = deque()  # of the last `_EVENTS_S`, and one before
        self._decided: dict[Stay, Found] = {}
        self._moments: list[Found] = []  # decided stays of which nothing but a request is known
        self._events_from_s = -math.inf
        self._tidied_s = -math.inf
        self._names: tuple[object, Mapping[str, Sequence[float]]] = (None, {})
        self._last: tuple[object, tuple[Residency, ...]] = (None, ())

    def see(self, sample: Sample) -> None:
        """One more sample."""
        with self._lock:
            self._watch.see(sample)
            self._recent.append(sample)
            if sample.t_s - self._tidied_s >= _TIDY_EACH_S:
                self._tidied_s = sample.t_s
                self._tidy(sample)

    def residencies(self) -> tuple[Residency, ...]:
        """The stays, in order of their beginning."""
        with self._lock:
            if not self._recent:
                return ()
            requests = self._requests()
            told = (self._recent[-1], _state(self._unloads), _state(self._zeroed), requests)
            if told != self._last[0]:
                found, moments, _ = self._found(requests)
                known = {**self._decided, **found}
                rows = [known[stay] for stay in self._watch.stays if stay in known]
                since_s = self._recent[-1].t_s - self._history_s
                rows = [row for row in (*rows, *self._moments, *moments) if row.until_s >= since_s]
                self._last = told, in_a_row(rows)
            return self._last[1]

    # --- what is not decided yet -----------------------------------------------------------------

    def _found(
        self, requests: Sequence[Request]
    ) -> tuple[dict[Stay, Found], list[Found], dict[Stay, Stay]]:
        """What is not decided yet; with the copies of the stays that were named for it.

        The watched ones stay as they are: what follows may tell more of them.
        """
        latest, watch = self._recent[-1], self._watch
        copies = {stay: _copy(stay) for stay in watch.stays if stay not in self._decided}
        since_s = _since_s(copies, latest)
        newest = {stay.model: stay for stay in self._decided}  # tells which weights a name has
        near = {stay for stay in self._decided if stay.over_s >= since_s}.union(newest.values())
        # in the order in which they came
        stays = [copies.get(s, s) for s in watch.stays if s in copies or s in near]
        known = Known(latest, stays, watch.first_look, self._unloads_by_name())
        zeroed = [event for event in self._zeroed.copy() if event[1] >= self._events_from_s]
        found, moments = found_in(known, self._recent, zeroed, requests, self._decided)
        return {s: found[made] for s, made in copies.items() if made in found}, moments, copies

    def _unloads_by_name(self) -> Mapping[str, Sequence[float]]:
        state = _state(self._unloads)
        if state != self._names[0]:
            self._names = state, by_name(self._unloads.copy())
        return self._names[1]

    # --- what is decided, and what is forgotten --------------------------------------------------

    def _tidy(self, latest: Sample) -> None:
        """Decide what can be, and forget what is long over: nothing grows."""
        found, moments, copies = self._found(self._requests())
        self._events_from_s = latest.t_s - _EVENTS_S
        for stay, made in copies.items():
            one = found.get(stay)
            if one is not None and _is_decided(made, one, latest):
                stay.model, stay.zeroed_s = made.model, made.zeroed_s
                self._decided[stay] = one
            else:
                stay.zeroed_s = [t_s for t_s in made.zeroed_s if t_s < self._events_from_s]
        self._moments += [one for one in moments if one.since_s < self._events_from_s]
        while len(self._recent) > 1 and self._recent[1].t_s < self._events_from_s:
            self._recent.popleft()
        self._forget(latest.t_s - self._history_s, found, copies)

    def _forget(self, before_s: float, found: Mapping[Stay, Found], copies: Iterable[Stay]) -> None:
        over_s = {stay: stay.over_s for stay in copies}  # of one without a name
        over_s |= {stay: one.until_s for stay, one in {**self._decided, **found}.items()}
        gone = self._watch.forget({stay for stay, t_s in over_s.items() if t_s < before_s})
        for stay in gone:
            self._decided.pop(stay, None)
        self._moments = [one for one in self._moments if one.until_s >= before_s]


def _copy(stay: Stay) -> Stay:
    made = copy(stay)
    made.zeroed_s = list(stay.zeroed_s)
    return made


def _since_s(stays: Iterable[Stay], latest: Sample) -> float:
    """From when on what was there can still tell something of these."""
    since_s = latest.t_s - _EVENTS_S
    for stay in stays:
        if not stay.model:
            return -math.inf
        if stay.over_s < math.inf:
            since_s = min(since_s, stay.last.t_s, (stay.held or stay.last).t_s)
    return since_s - _DECIDED_S


def _is_decided(stay: Stay, one: Found, latest: Sample) -> bool:
    """Whether nothing that follows can change when and why it left."""
    if stay.left is not None:
        over_s, gap_s = max(stay.left.t_s, one.until_s), stay.left.t_s - stay.last.t_s
    else:
        if stay.resident is not None or stay.gone is None:
            return False
        over_s, gap_s = one.until_s, 0.0
    is_seen = stay.runner is not None and latest.runners is not None
    wait_s = _DECIDED_S if is_seen else _DECIDED_BLIND_S
    if one.residency.why == "unknown":
        wait_s = _UNKNOWN_S
    return bool(stay.model) and latest.t_s - over_s > wait_s + 2 * gap_s


def _state(events: deque[Event]) -> tuple[int, Event | None]:
    """Changes with each event."""
    return len(events), events[-1] if events else None
