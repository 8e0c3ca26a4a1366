"""HybridHistogram: the keep-alive of a cloud's functions, from a histogram of idle gaps."""

from __future__ import annotations

import math

import numpy as np

BIN_S = 60.0
BINS = 240  # of 1 minute each: a range of 4 hours
HEAD, TAIL = 0.05, 0.99
MARGIN = 0.1
LEAST_CV = 2.0  # of the bins' counts: below it they show no pattern
FORECAST_MARGIN = 0.15
SMOOTHING = 0.3  # of the forecast, which stands for the paper's ARIMA


class HybridHistogram:
    """Keep until the tail of the idle gaps seen until now; T* is not asked for.

    As published: one-minute bins up to four hours; keep until the 99th percentile and a tenth more;
    unload at once and load again before the 5th percentile (a tenth less), where that is a minute
    or more; where the bins show no pattern, keep for four hours; where more than half of the idle
    times are longer than that, forecast the next one and stand ready 15 % before and after. The
    forecast is exponential smoothing here, an ARIMA(0,1,1).

    Ollama has nothing that loads a model ahead of its request, so `next_ttl_s` is what can be sent:
    until the end of the window, from the gap's beginning. `next_window_s` is the window as
    published; a table's figure is that of the window, which is the better for it.

    Parameters
    ----------
    t_star_s:
        Not used: the rule does not know what a reload is worth.

    Examples
    --------
    >>> HybridHistogram(30.0).next_window_s()
    (0.0, 14400.0)
    """

    name = "hybrid histogram"
    guarantee = "none; it does not ask what a reload is worth"
    source = "Shahrad et al., Serverless in the Wild, USENIX ATC 2020"

    def __init__(self, t_star_s: float = math.nan) -> None:
        self._counts = np.zeros(BINS)
        self._within = 0
        self._beyond = 0
        self._forecast_s = math.nan

    def next_ttl_s(self) -> float:
        return self.next_window_s()[1]

    def next_window_s(self) -> tuple[float, float]:
        """From when to when the model is in memory, in seconds from the gap's beginning."""
        if self._beyond > self._within:
            return (
                self._forecast_s * (1 - FORECAST_MARGIN),
                self._forecast_s * (1 + FORECAST_MARGIN),
            )
        mean = self._within / BINS
        if not mean or float(np.std(self._counts)) < LEAST_CV * mean:
            return 0.0, BINS * BIN_S
        below = np.cumsum(self._counts)
        head = int(np.searchsorted(below, HEAD * self._within))  # rounded down to a minute
        tail = int(np.searchsorted(below, TAIL * self._within)) + 1  # and up
        return head * BIN_S * (1 - MARGIN), tail * BIN_S * (1 + MARGIN)

    def learn(self, gap_s: float) -> None:
        old_s = gap_s if math.isnan(self._forecast_s) else self._forecast_s
        self._forecast_s = old_s + SMOOTHING * (gap_s - old_s)
        if gap_s < BINS * BIN_S:
            self._counts[int(gap_s // BIN_S)] += 1
            self._within += 1
        else:
            self._beyond += 1


def window_cost(gap_s: float, from_s: float, until_s: float, t_star_s: float) -> float:
    """What a gap costs in reloads, where the model is in memory from then to then.

    Whoever comes before or after waits for a load; in between nobody does.

    Examples
    --------
    >>> [window_cost(gap_s, 60, 120, 30) for gap_s in (30, 90, 180)]
    [1.0, 1.0, 3.0]
    """
    held_s = max(0.0, min(gap_s, until_s) - from_s)
    return held_s / t_star_s + (gap_s < from_s or gap_s > until_s)
