"""Work: how much each model's runner has worked from sample to sample, by CPU or by the card."""

from __future__ import annotations

import os

from lifecycle_widgets.monitor.sample import Runner, Sample
from lifecycle_widgets.server import Resident

_CORES = os.cpu_count() or 1
_LEAST_USE = 0.1  # of a card: less is a desktop's


class Work:
    """Keeps each runner's CPU time of the sample before.

    Where runners cannot be seen, the card tells instead, if there is one, and one model in memory.
    """

    def __init__(self) -> None:
        self._cpu_s: dict[int, float] = {}
        self._t_s: float | None = None
        self._done: dict[int, float] = {}
        self._by_card_s: float | None = None

    def see(self, sample: Sample) -> None:
        """One more sample."""
        runners = sample.runners or ()
        cpu_s = {one.pid: one.cpu_s for one in runners if one.cpu_s is not None}
        self._done = {
            pid: seconds - self._cpu_s[pid]
            for pid, seconds in cpu_s.items()
            if seconds >= self._cpu_s.get(pid, float("inf"))
        }
        self._cpu_s = cpu_s
        self._by_card_s = self._card_s(sample) if sample.runners is None else None
        self._t_s = sample.t_s

    def is_idle(self, sample: Sample) -> bool:
        """Whether the same runners as before have done nothing since; then it takes it in."""
        if sample.runners is None or self._t_s is None or len(sample.runners) != len(self._cpu_s):
            return False
        for one in sample.runners:
            if self._cpu_s.get(one.pid) != one.cpu_s:
                return False
        self._t_s = sample.t_s
        return True

    def of(self, runner: Runner | None) -> float | None:
        """Seconds at work since the sample before; None where that is not told."""
        return self._by_card_s if runner is None else self._done.get(runner.pid)

    def _card_s(self, sample: Sample) -> float | None:
        if self._t_s is None or len(sample.cards) != 1 or len(sample.residents or ()) != 1:
            return None
        used = sample.cards[0].utilization
        if used is None:
            return None
        return (used if used >= _LEAST_USE else 0.0) * (sample.t_s - self._t_s)


def likely_rate(runner: Runner | None, resident: Resident) -> float:
    """How many seconds of CPU a runner takes in a second at work, while that is not seen yet.

    Its threads; on a card one that waits for it. Without runners the card itself counts.
    """
    if runner is None or resident.size_vram_bytes:
        return 1.0
    told = runner.settings.threads if runner.settings is not None else None
    return float(min(told or _CORES, _CORES))
