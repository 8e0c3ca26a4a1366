"""Whereabouts: which models were in memory lately, for lines of the log that name none."""

from __future__ import annotations

from collections import deque

from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.traffic.witnesses.log import Line

_SAMPLES = 40
_AROUND_S = 0.6  # a sampling interval, and some


class Whereabouts:
    """Keeps the last samples' models."""

    def __init__(self) -> None:
        self._listed: deque[tuple[float, frozenset[str]]] = deque(maxlen=_SAMPLES)

    def see(self, sample: Sample) -> None:
        """One more sample."""
        if sample.residents is not None:
            names = frozenset(resident.name for resident in sample.residents)
            self._listed.append((sample.t_s, names))

    def model_of(self, line: Line) -> str:
        """The model that a request of no other witness was for; empty where that is not clear.

        It is the one that has just left: its keep_alive was 0. Else it is the only one there.
        """
        near = [
            names
            for t_s, names in self._listed
            if line.low_s - _AROUND_S <= t_s <= line.high_s + _AROUND_S
        ]
        if not near:
            return ""
        left = near[0] - near[-1]
        there = frozenset().union(*near)
        for names in (left, there):
            if len(names) == 1:
                return next(iter(names))
        return ""
