"""Traffic: everyone's requests to one server, as its samples come."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence, Set

from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.traffic.bursts import bursts
from lifecycle_widgets.monitor.traffic.busy import Busy
from lifecycle_widgets.monitor.traffic.join import (
    Own,
    Theirs,
    give_lines_to_busy,
    give_lines_to_own,
    note_witnesses,
    of_line_alone,
    of_lines,
    of_work,
)
from lifecycle_widgets.monitor.traffic.lanes import Lanes
from lifecycle_widgets.monitor.traffic.records import Records
from lifecycle_widgets.monitor.traffic.request import Request
from lifecycle_widgets.monitor.traffic.whereabouts import Whereabouts
from lifecycle_widgets.monitor.traffic.witnesses.log import Line, ServerLog
from lifecycle_widgets.server import Resident, Server, full_name

SETTLE_S = 6.0  # after its end; what is told of a request later than that is not waited for
_ALL_KNOWN_S = 1.5  # after the end of one of ours whose line in the log is there
_MOST = 20_000  # requests that are kept
_ASK_S = 1.0  # the server, whose weights are whose


class Traffic:
    """Takes in each sample once, in the sampler's thread; asked from any thread.

    What is not settled (it goes on, or has ended a moment ago) is joined anew with each sample;
    what is settled stays as it is.

    Parameters
    ----------
    server:
        Whose traffic; what was asked through it is known.
    history_s:
        How many seconds are kept.
    log:
        The server's log; None: it is looked for.
    """

    def __init__(self, server: Server, history_s: float, *, log: ServerLog | None = None) -> None:
        self._own_requests, self._history_s = server.own_requests, history_s
        self._given = server
        self._server = server.with_timeout(_ASK_S)
        self._lanes, self._log = Lanes(), log or ServerLog(server)
        self._lock = threading.Lock()
        self._settled: deque[Request] = deque(maxlen=_MOST)
        self._count = 0  # that have settled in all
        self._open: tuple[Request, ...] = ()
        # what is joined
        self._busy: list[Busy] = []
        self._lines: list[Line] = []
        self._own: dict[int, Own] = {}
        self._records, self._whereabouts = Records(), Whereabouts()
        self._done: set[object] = set()  # that have settled, of what is still here
        self._changes = -1
        self._pid: int | None = None
        self._since_s: float | None = None
        self._sample: Sample | None = None

    def see(self, sample: Sample) -> None:
        """One more sample."""
        if self._since_s is None:
            self._since_s = sample.t_s
        self._sample = sample
        if sample.in_force is not None:
            self._pid = sample.in_force.pid
        self._lines += self._log.read(self._pid)
        self._busy += self._lanes.see(sample, self._given.clock_offset_s)
        self._whereabouts.see(sample)
        self._take_own(sample.residents or ())
        going_on = self._lanes.going_on
        if going_on or self._busy or self._lines or self._own or self._open:
            self._join(sample, going_on)
        self._forget(sample.t_s - self._history_s)

    @property
    def requests(self) -> tuple[Request, ...]:
        """Those of the last ``history_s`` seconds, in order of their ends; then what goes on."""
        with self._lock:
            return (*self._settled, *self._open)

    def settled(self, position: int = 0) -> tuple[tuple[Request, ...], int]:
        """Those that have become final since a position, and the position to ask from next."""
        with self._lock:
            new = min(self._count - position, len(self._settled))
            found = tuple(self._settled)[len(self._settled) - new :] if new > 0 else ()
            return found, self._count

    @property
    def told(self) -> tuple[str, ...]:
        """Which witnesses there are, and why another is not, each in a sentence."""
        sample = self._sample
        if sample is None:
            return ()
        why_no_deadlines = sample.error or sample.not_told
        card = "The card tells when it is at work, while one model is in memory."
        return (
            why_no_deadlines or "Deadlines in /api/ps tell when requests have ended.",
            sample.unseen or "The runners' CPU time tells when they are at work.",
            *([card] if sample.unseen and len(sample.gpus) == 1 else []),
            self._log.told,
        )

    def close(self) -> None:
        """Let go of the server's log; what has ended is final."""
        self._log.close()
        if self._sample is not None:
            self._settle(self._found(self._lanes.going_on), float("inf"))

    # --- ours ------------------------------------------------------------------------------------

    def _take_own(self, residents: Sequence[Resident]) -> None:
        if self._own_requests.changes == self._changes:
            return
        self._changes = self._own_requests.changes
        since_s = self._since_s or 0.0
        kept = {one.number: one for one in self._own_requests.all()}
        self._done = {key for key in self._done if not isinstance(key, int) or key in kept}
        for number in [n for n in self._own if n not in kept]:
            del self._own[number]  # no model had to do with it
        for number, one in kept.items():
            if number in self._own or number in self._done:
                continue
            if one.ended_s is None or one.ended_s >= since_s:
                self._own[number] = Own(one, self._listed_name(one.model, residents))

    def _listed_name(self, model: str, residents: Sequence[Resident]) -> str:
        """The name that the model is in memory by: two names may have the same weights."""
        found = self._server.match(model, residents) if model else None
        return full_name(model) if found is None else found.name

    # --- joining ---------------------------------------------------------------------------------

    def _join(self, sample: Sample, going_on: list[Busy]) -> None:
        found = self._found(going_on)
        self._settle(found, sample.t_s - SETTLE_S)
        told = {one.line for one in found if isinstance(one, Theirs) and one.line is not None}
        self._prune(going_on, told, sample.t_s)

    def _found(self, going_on: Sequence[Busy]) -> list[Own | Theirs]:
        own = list(self._own.values())
        busy = [one for one in (*self._busy, *going_on) if one not in self._done]
        self._lines = bursts(give_lines_to_own(self._lines, own), self._now_s)
        by_busy, alone = give_lines_to_busy(self._lines, busy)
        note_witnesses(own, busy)
        found: list[Own | Theirs] = list(own)
        for one in busy:
            if one in by_busy:
                found += of_lines(one, by_busy[one])
            else:
                found += of_work(one, own, is_log_heard=self._log.is_heard)
        lone = (of_line_alone(line, self._whereabouts.model_of(line)) for line in alone)
        found += [one for one in lone if one is not None]
        return found

    @property
    def _now_s(self) -> float:
        return self._sample.t_s if self._sample is not None else 0.0

    def _settle(self, found: Sequence[Own | Theirs], before_s: float) -> None:
        assert self._sample is not None
        is_final = {id(one): _ended_by(one, before_s) for one in found}
        new, left = [], []
        for one in found:
            key = _key(one)
            if key in self._done:
                continue
            request = self._records.of(key, one, self._sample)
            if is_final[id(one)]:
                new.append(request)
                self._settled_by(one, key)
            else:
                left.append(request)
        new.sort(key=lambda one: one.ended_s or 0.0)
        left.sort(key=lambda one: (one.ended_s is None, one.ended_s or one.began_s or 0.0))
        with self._lock:
            self._settled += new
            self._count += len(new)
            self._open = tuple(left)

    def _settled_by(self, one: Own | Theirs, key: object) -> None:
        self._done.add(key)
        self._records.forget(key)
        if isinstance(one, Theirs) and one.line is not None:
            self._lines.remove(one.line)
            if one.busy is not None:
                one.busy.is_told = True

    def _prune(self, going_on: Sequence[Busy], told: Set[Line], now_s: float) -> None:
        """Let go of what is final and has nothing to do with what is not.

        ``told``: lines of requests. One that is here still may be old: it is final only with those
        that it overlapped.
        """
        old_s = now_s - SETTLE_S - 1.0
        self._lines = [one for one in self._lines if one.high_s > old_s or one in told]
        self._busy = [one for one in self._busy if (one.ended_s or now_s) > old_s]
        kept = [one.began_s for one in (*self._busy, *going_on) if one.began_s is not None]
        since_s = min([*kept, now_s - SETTLE_S]) - 1.0
        for number, own in list(self._own.items()):
            if own.end_s < since_s:
                del self._own[number]
        here = {*self._busy, *going_on, *self._lines}
        self._done = {key for key in self._done if isinstance(key, int) or key in here}

    def _forget(self, before_s: float) -> None:
        while self._settled and (self._settled[0].ended_s or 0.0) < before_s:
            with self._lock:
                self._settled.popleft()


def _key(one: Own | Theirs) -> object:
    return one.request.number if isinstance(one, Own) else one.key


def _ended_by(one: Own | Theirs, before_s: float) -> bool:
    if isinstance(one, Own):
        early_s = 0.0 if one.line is None else SETTLE_S - _ALL_KNOWN_S
        return one.end_s < before_s + early_s
    ended_s = one.ended_s if one.all_ended_s is None else one.all_ended_s
    return ended_s is not None and ended_s < before_s
