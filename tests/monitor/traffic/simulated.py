"""A model in an Ollama that is computed: its truth is known, and so are the samples of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lifecycle_widgets.monitor import Runner, Sample
from lifecycle_widgets.monitor.traffic.request import Request
from lifecycle_widgets.monitor.traffic.traffic import Traffic
from lifecycle_widgets.monitor.traffic.witnesses.log import Line, ServerLog
from lifecycle_widgets.server import Server
from tests.monitor.stay_samples import sample

PID, MODEL = 7, "a:latest"
NOWHERE = Server("192.0.2.1")
INTERVAL_S = 0.5
_LEAD_S = 0.03
_TICK_S = 0.01


@dataclass(frozen=True)
class Use:
    """A time in which the model has requests in flight; ``keep_alive_s`` None: as it is."""

    began_s: float
    ended_s: float
    keep_alive_s: float | None = None


@dataclass(frozen=True)
class World:
    """One model, which is loaded by its first use, and used as told; with its runner.

    Parameters
    ----------
    uses:
        In order of time, none of which overlaps another.
    load_s:
        How long the first of them loads it; 0: it is in memory from the beginning.
    rate:
        Seconds of CPU that its runner takes in a second at work.
    late_s:
        How much later than a sample begins /api/ps is answered.
    """

    uses: Sequence[Use]
    load_s: float = 0.0
    keep_alive_s: float = 300.0
    rate: float = 2.0
    late_s: float = 0.004

    def sample(self, t_s: float) -> Sample:
        """What is seen at a time."""
        begun = [use for use in self.uses if use.began_s <= t_s]
        loaded_s = self.uses[0].began_s + self.load_s if self.load_s else 0.0
        left_s = self._left_s()
        is_alive = (not self.load_s or bool(begun)) and t_s < left_s
        cpu_s = self.rate * sum(min(t_s, u.ended_s) - u.began_s for u in begun)
        started_s = self.uses[0].began_s + _LEAD_S if self.load_s else -100.0
        runner = Runner(PID, 1000, MODEL, "weights", None)
        runner = replace(runner, cpu_s=cpu_s // _TICK_S * _TICK_S, started_s=started_s)
        listed = {MODEL: self._due_s(t_s)} if is_alive and t_s >= loaded_s else {}
        return replace(sample(t_s, listed), runners=(runner,) if is_alive else ())

    def _due_s(self, t_s: float) -> float:
        keep_alive_s, due_s = self.keep_alive_s, None if self.load_s else self.keep_alive_s
        for use in self.uses:
            if use.began_s > t_s:
                break
            keep_alive_s = keep_alive_s if use.keep_alive_s is None else use.keep_alive_s
            if use.ended_s <= t_s:
                due_s = use.ended_s + keep_alive_s
        return t_s + self.late_s + keep_alive_s if due_s is None else due_s

    def _left_s(self) -> float:
        zero = [use.ended_s for use in self.uses if use.keep_alive_s == 0.0]
        return zero[0] if zero else float("inf")

    def samples(self, shift_s: float = 0.0) -> list[Sample]:
        """Twice a second, until some time after the last use."""
        count = int((self.uses[-1].ended_s + 8.0) / INTERVAL_S)
        return [self.sample(shift_s + number * INTERVAL_S) for number in range(count)]


class WrittenLog(ServerLog):
    """A log whose lines are known; each is read with the first sample after its request's end.

    As from a file, a line tells the second in which it was written, and how long it took.

    Parameters
    ----------
    requests:
        Those that stand in it.
    """

    def __init__(self, requests: Sequence[Use]) -> None:
        super().__init__(NOWHERE)
        self._waiting = sorted(requests, key=lambda one: one.ended_s)
        self._last_s, self.t_s = 0.0, 0.0

    @property
    def is_heard(self) -> bool:
        return True

    def read(self, pid: int | None) -> list[Line]:
        found = []
        while self._waiting and self._waiting[0].ended_s <= self.t_s:
            one = self._waiting.pop(0)
            second_s = math.floor(one.ended_s)
            low_s, high_s = max(self._last_s, second_s), min(self.t_s, second_s + 1.0)
            found.append(Line(low_s, high_s, one.ended_s - one.began_s, 200, "chat"))
        self._last_s = self.t_s
        return found


def seen(samples: Sequence[Sample], log: WrittenLog | None = None) -> tuple[Request, ...]:
    """What is found in samples, of a server that is nowhere; of nothing that is ours."""
    traffic = Traffic(NOWHERE, 1e6, log=log)
    for one in samples:
        if log is not None:
            log.t_s = one.t_s
        traffic.see(one)
    return traffic.requests
