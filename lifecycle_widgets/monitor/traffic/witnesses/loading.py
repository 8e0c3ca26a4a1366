"""Loading: runners that hold a model which /api/ps does not list yet."""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle_widgets.monitor.sample import Runner, Sample
from lifecycle_widgets.monitor.traffic.busy import Busy

_LEAD_S = 0.03  # from a request to its runner's start, as measured; more where another must leave
_BEGIN_WITHIN_S = 0.15
_TRIES_S = 1.5  # a load that failed is tried once more by Ollama, for the same request


@dataclass(slots=True)
class _Load:
    busy: Busy
    runner: Runner
    samples: int = 1


class Loading:
    """Takes in one sample after another; of each load a request waits for it to end."""

    def __init__(self) -> None:
        self._loads: dict[int, _Load] = {}
        self._listed: set[int] = set()  # runners that held a listed model: their end is no load
        self._failed: list[tuple[Busy, Runner]] = []
        self._is_first = True
        #: busy times that ended before any model was listed
        self.over: list[Busy] = []

    @property
    def going_on(self) -> tuple[Busy, ...]:
        """Those of the loads that go on."""
        return tuple(load.busy for load in self._loads.values() if load.samples > 1)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is loaded."""
        return not self._loads and not self._failed

    def see(self, sample: Sample, before_s: float | None) -> None:
        """One more sample; ``before_s`` is when the one before was taken."""
        names = {resident.name for resident in sample.residents or ()}
        alive = {one.pid: one for one in sample.runners or ()}
        self._listed &= alive.keys()
        self._listed |= {pid for pid, one in alive.items() if one.model in names}
        for pid in [pid for pid in self._loads if pid not in alive]:
            self._vanished(self._loads.pop(pid), sample.t_s, before_s)
        self._give_up(sample.t_s)
        for pid, one in alive.items():
            if pid in self._loads:
                load = self._loads[pid]
                load.samples += 1
                load.busy.model = load.busy.model or one.model or ""
            elif pid not in self._listed:
                self._loads[pid] = _Load(self._begun(one, sample, before_s), one)
        self._is_first = False

    def taken(self, runner: Runner | None, t_s: float, before_s: float | None) -> Busy | None:
        """The busy time of a model that is listed now for the first time; None: none was seen."""
        if runner is None:
            return None
        self._listed.add(runner.pid)
        load = self._loads.pop(runner.pid, None)
        busy = load.busy if load is not None else self._whole(runner, before_s)
        if busy is not None and busy.began_s is not None:
            ready_s = t_s if before_s is None else (max(before_s, busy.began_s) + t_s) / 2
            busy.load_s = ready_s - busy.began_s
        return busy

    def _whole(self, runner: Runner, before_s: float | None) -> Busy | None:
        """A load that began and ended between two samples."""
        began_s = runner.started_s
        if began_s is None or before_s is None or began_s < before_s - _BEGIN_WITHIN_S:
            return None
        busy = Busy(runner.model or "", witnesses={"runner"}, has_load=True)
        busy.began_s, busy.begin_within_s = began_s - _LEAD_S, _BEGIN_WITHIN_S
        return busy

    def _begun(self, runner: Runner, sample: Sample, before_s: float | None) -> Busy:
        name = runner.model or ""
        for busy, failed in self._failed:
            if failed.weights == runner.weights and failed.model == runner.model:
                self._failed.remove((busy, failed))
                busy.ended_s = busy.end_within_s = None
                return busy
        busy = Busy(name, witnesses={"runner"}, has_load=True)
        if runner.started_s is not None:
            busy.began_s, busy.begin_within_s = runner.started_s - _LEAD_S, _BEGIN_WITHIN_S
        elif before_s is not None and not self._is_first:
            busy.began_s, busy.begin_within_s = (before_s + sample.t_s) / 2, sample.t_s - before_s
        return busy

    def _vanished(self, load: _Load, t_s: float, before_s: float | None) -> None:
        """The runner is gone, and its model was never listed: keep_alive 0, or a load that failed.

        One that was there when we first looked, and no more, had left before.
        """
        since_s = t_s if before_s is None else before_s
        is_left_over = load.busy.began_s is None and load.samples == 1
        if not is_left_over:
            load.busy.ended_s, load.busy.end_within_s = (since_s + t_s) / 2, (t_s - since_s) / 2
            self._failed.append((load.busy, load.runner))

    def _give_up(self, t_s: float) -> None:
        """What was not tried again is over."""
        over = [one for one in self._failed if t_s > (one[0].ended_s or 0.0) + _TRIES_S]
        self._failed = [one for one in self._failed if one not in over]
        self.over += [busy for busy, _ in over]

    def leave(self, t_s: float, before_s: float) -> None:
        """The server is gone, and its runners with it."""
        for load in self._loads.values():
            self._vanished(load, t_s, before_s)
        self._loads.clear()
        self._give_up(float("inf"))
