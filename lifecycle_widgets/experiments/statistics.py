"""Medians with bootstrap intervals, and whether two sets of measurements can be told apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
_RESAMPLES = 2000
_SEED = 20200229  # the same data give the same interval


@dataclass(frozen=True)
class Interval:
    """A median with its interval, in the unit of the data, from ``n`` measurements.

    Examples
    --------
    >>> print(Interval(1.0, 1.25, 1.5, 7))
    1.25 (1 to 1.5, n=7)
    >>> Interval(1.0, 1.2, 1.5, 7).overlaps(Interval(1.4, 2.0, 2.2, 7))
    True
    """

    low: float
    median: float
    high: float
    n: int

    def overlaps(self, other: Interval) -> bool:
        """True when the intervals share a value: the two are not distinguishable here."""
        return self.low <= other.high and other.low <= self.high

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g}, n={self.n})"


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The median with its percentile bootstrap interval (Efron and Tibshirani 1993, chapter 13).

    Of a handful of values the interval is about their range, which is as much as they tell. A
    single value has no interval to speak of: its own value at both ends.

    Parameters
    ----------
    values:
        The measurements, in any one unit. NaN is left out.
    confidence:
        Between 0 and 1.

    Raises
    ------
    ValueError
        Without a value.

    Examples
    --------
    >>> median_interval([3.0, 1.0, 2.0])
    Interval(low=1.0, median=2.0, high=3.0, n=3)
    """
    data = _clean(values)
    if len(data) == 1 or np.ptp(data) == 0:
        return Interval(float(data.min()), float(np.median(data)), float(data.max()), len(data))
    drawn = stats.bootstrap(
        (data,),
        np.median,
        n_resamples=_RESAMPLES,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Interval(float(drawn.low), float(np.median(data)), float(drawn.high), len(data))


def ratio_interval(
    above: Sequence[float], below: Sequence[float], confidence: float = CONFIDENCE
) -> Interval:
    """The ratio of two medians, with its percentile bootstrap interval; the sets are independent.

    Raises
    ------
    ValueError
        Without a value on both sides, or when a value below is 0 or less.

    Examples
    --------
    >>> ratio_interval([10.0, 10.0], [2.0, 2.0]).median
    5.0
    """
    one, other = _clean(above), _clean(below)
    if other.min() <= 0:
        raise ValueError("A ratio needs values above 0 to divide by.")
    ratio = float(np.median(one) / np.median(other))
    n = min(len(one), len(other))
    if n == 1:
        return Interval(ratio, ratio, ratio, n)
    rng = np.random.default_rng(_SEED)
    drawn = np.median(rng.choice(one, (_RESAMPLES, len(one))), axis=1) / np.median(
        rng.choice(other, (_RESAMPLES, len(other))), axis=1
    )
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(float(low), ratio, float(high), n)


def _clean(values: Sequence[float]) -> np.ndarray:
    data: np.ndarray = np.asarray([v for v in values if not math.isnan(v)], dtype=float)
    if not len(data):
        raise ValueError("There is nothing to take a median of: no value was measured.")
    return data
