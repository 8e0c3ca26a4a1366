"""Lanes: the busy times of all models of a server, from its samples."""

from __future__ import annotations

from datetime import datetime, timedelta

from lifecycle_widgets.monitor.sample import Runner, Sample
from lifecycle_widgets.monitor.traffic.busy import Busy
from lifecycle_widgets.monitor.traffic.lane import Lane
from lifecycle_widgets.monitor.traffic.witnesses.deadline import Deadline
from lifecycle_widgets.monitor.traffic.witnesses.loading import Loading
from lifecycle_widgets.monitor.traffic.witnesses.work import Work, likely_rate
from lifecycle_widgets.server import Resident

_HICCUP_S = 3.0  # a server that does not answer for less may just be busy
_ANEW_S = 10.0  # without a sample: what went on before is not known to go on


class Lanes:
    """Takes in one sample after another."""

    def __init__(self) -> None:
        self._work, self._loading = Work(), Loading()
        self._lanes: dict[str, Lane] = {}
        self._of: dict[str, tuple[int | None, datetime | None]] = {}  # runner, deadline
        self._rates: dict[str, float] = {}  # of models that have left
        self._t_s: float | None = None  # of the last sample that listed the models
        self._last: tuple[Sample, float] | None = None  # after which nothing went on

    def see(self, sample: Sample, ahead_s: float) -> list[Busy]:
        """One more sample; the busy times that have ended by it.

        Parameters
        ----------
        ahead_s:
            What was taken off the deadlines for the server's clock, in seconds.
        """
        if self._passes(sample, ahead_s):
            return []
        over = self._take(sample, ahead_s)
        is_quiet = all(lane.is_quiet for lane in self._lanes.values()) and self._loading.is_quiet
        self._last = (sample, ahead_s) if is_quiet and sample.residents is not None else None
        return over

    def _passes(self, sample: Sample, ahead_s: float) -> bool:
        """Whether nothing has happened where nothing went on; mostly it is so."""
        if self._last is None:
            return False
        last, was_ahead_s = self._last
        if sample.residents is not last.residents or ahead_s != was_ahead_s:
            return False
        if sample.t_s - last.t_s > _ANEW_S or not self._work.is_idle(sample):
            return False
        for lane in self._lanes.values():
            lane.passes(sample.t_s)
        self._t_s, self._last = sample.t_s, (sample, ahead_s)
        return True

    def _take(self, sample: Sample, ahead_s: float) -> list[Busy]:
        if self._t_s is not None and sample.t_s - self._t_s > _ANEW_S:
            self._lanes, self._of, self._loading, self._t_s = {}, {}, Loading(), None
        self._work.see(sample)
        over: list[Busy] = []
        if sample.residents is not None:
            self._loading.see(sample, self._t_s)
            self._see_listed(sample, sample.residents, ahead_s)
            over += self._leave(sample, {one.name for one in sample.residents})
            self._t_s = sample.t_s
        elif self._t_s is not None and sample.t_s - self._t_s > _HICCUP_S:
            over += self._leave(sample, set())
            self._loading.leave(sample.t_s, self._t_s)
        over += self._loading.over
        self._loading.over = []
        for lane in self._lanes.values():
            over += lane.over
            lane.over = []
        return over

    @property
    def going_on(self) -> list[Busy]:
        """The busy times that go on, as far as is known."""
        busy = [one.busy for one in self._lanes.values() if one.busy is not None]
        return [one for one in busy if not one.is_silent] + list(self._loading.going_on)

    def _see_listed(self, sample: Sample, residents: tuple[Resident, ...], ahead_s: float) -> None:
        runners = _by_model(sample.runners or ())
        for resident in residents:
            runner, name = runners.get(resident.name), resident.name
            pid = None if runner is None else runner.pid
            expires_at = _told(resident)
            due_s = None
            if expires_at is not None:
                due_s = sample.t_s + (expires_at - sample.at).total_seconds()
                expires_at += timedelta(seconds=ahead_s)  # as the server has it
            lane = self._lanes.get(name)
            old_pid, was_due = self._of.get(name, (None, None))
            if lane is not None and None not in (pid, old_pid) and pid != old_pid:
                self._lanes.pop(name).leaves(sample.t_s)  # another runner: it was loaded anew
                over, lane = lane.over, None
                self._loading.over += over
            self._of[name] = pid or old_pid, expires_at
            if lane is None:
                lane = self._lanes[name] = self._new(resident, runner, sample, ahead_s)
                if due_s is not None:
                    lane.deadline.see(sample.t_s, due_s)
            else:
                lane.see(sample.t_s, due_s, expires_at != was_due, self._work.of(runner))

    def _new(
        self, resident: Resident, runner: Runner | None, sample: Sample, ahead_s: float
    ) -> Lane:
        name, absent_s = resident.name, self._t_s
        busy = self._loading.taken(runner, sample.t_s, absent_s)
        if busy is None and absent_s is not None:  # its load was not seen, but there was one
            busy = Busy(name, witnesses={"deadline"})
        if busy is not None:
            busy.model = name
        rate = self._rates.get(name) or likely_rate(runner, resident)
        deadline = Deadline(absent_s, is_same_clock=not ahead_s)
        return Lane(name, sample.t_s, deadline, busy, rate)

    def _leave(self, sample: Sample, listed: set[str]) -> list[Busy]:
        over = []
        for name in self._lanes.keys() - listed:
            lane = self._lanes.pop(name)
            self._of.pop(name, None)
            lane.leaves(sample.t_s)
            over += lane.over
            if lane.is_rate_known:
                self._rates[name] = lane.rate
        return over


def _by_model(runners: tuple[Runner, ...]) -> dict[str, Runner]:
    """The runner of each model; of two the one that was started last."""
    in_order = sorted(runners, key=lambda one: one.started_s or 0.0)
    return {one.model: one for one in in_order if one.model}


def _told(resident: Resident) -> datetime | None:
    """Its deadline; None where none is told (or the year 1: none was set)."""
    expires_at = resident.expires_at
    return expires_at if expires_at is not None and expires_at.year > 1 else None
