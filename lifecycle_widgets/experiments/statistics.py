"""Medians with bootstrap intervals, and whether two sets of measurements can be told apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 2000
_SEED = 20200229


@dataclass(frozen=True)
class Interval:
    """A median with its interval, in the unit of the data, from ``n`` measurements.

    An end that is not known is infinite. One measurement knows neither of its ends, so nothing can
    be told from it.

    Examples
    --------
    >>> print(Interval(1.0, 1.25, 1.5, 7), "and", Interval(990, 1815, math.inf, 9))
    1.25 (1 to 1.5, n=7) and 1815 (990 or more, n=9)
    >>> print(median_interval([70.2]))
    70.2 (n=1)
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

    @property
    def has_ends(self) -> bool:
        """Whether both ends are known."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def beside(self, share: float) -> Interval:
        """What it would be alone, for a time that was measured beside other work.

        A time that was measured while others took that share of the machine was, alone, between
        1 - ``share`` of it and all of it: which, nobody knows. So the lower end goes down.

        Parameters
        ----------
        share:
            0 to 1.

        Examples
        --------
        >>> print(Interval(1.0, 1.2, 1.5, 7).beside(0.5))
        1.2 (0.5 to 1.5, n=7)
        """
        return replace(self, low=min(self.low, self.low * (1 - share)))

    def __str__(self) -> str:
        if math.isnan(self.median):
            return "not known"
        return f"{digits(self.median)} ({self._ends()}n={self.n})"

    def _ends(self) -> str:
        low, high = digits(self.low), digits(self.high)
        if self.has_ends:
            return f"{low} to {high}, "
        if math.isfinite(self.low):
            return f"{low} or more, "
        return f"up to {high}, " if math.isfinite(self.high) else ""


def digits(value: float, count: int = 3) -> str:
    """So many digits that count, and no exponent where a person would write none.

    Examples
    --------
    >>> digits(0.12345), digits(1815.3), digits(math.inf), digits(12.3, 2), digits(0.305, 2)
    ('0.123', '1815', 'inf', '12', '0.3')
    """
    has_more = math.isfinite(value) and round(abs(value)) >= 10**count
    return f"{value:.0f}" if has_more else f"{value:.{count}g}"


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The median of the values with its percentile bootstrap interval.

    The method is Efron's (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter
    13), by `scipy.stats.bootstrap`. Of a handful of values the interval is about their range, which
    is as much as they tell. Of a single value neither end is known.

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
    return _interval(np.median, (_clean(values),), confidence)


def ratio_interval(
    above: Sequence[float], below: Sequence[float], confidence: float = CONFIDENCE
) -> Interval:
    """The ratio of two medians, with its percentile bootstrap interval; the sets are independent.

    Where one of them has a single value, neither end is known.

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
    return _interval(_ratio, (one, other), confidence)


def difference_interval(
    more: Sequence[float], less: Sequence[float], confidence: float = CONFIDENCE
) -> Interval:
    """The difference of two medians, with its percentile bootstrap interval, as `ratio_interval`.

    Raises
    ------
    ValueError
        Without a value on both sides.

    Examples
    --------
    >>> difference_interval([1.5, 1.5, 1.5], [0.5, 0.5])
    Interval(low=1.0, median=1.0, high=1.0, n=2)
    """
    return _interval(_difference, (_clean(more), _clean(less)), confidence)


def median_and_draws(values: Sequence[float], rng: np.random.Generator) -> NDArray[Any]:
    """The median of the values, then the medians of `RESAMPLES` bootstrap resamples of them.

    Sums and differences of such rows have, in their first place, the same of the medians, and in
    the rest what their interval is made of (`interval_of_draws`). Of a single value nobody knows
    how far it may be off: its draws are NaN, and so are those of whatever it is a part of. Without
    values all are NaN.

    Examples
    --------
    >>> median_and_draws([1.0, 2.0, 3.0], generator())[0]
    np.float64(2.0)
    """
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return np.full(1 + RESAMPLES, math.nan)
    if len(known) == 1:
        return np.array([known[0], *[math.nan] * RESAMPLES])
    found = _bootstrap(np.median, (np.asarray(known),), CONFIDENCE, rng)
    return np.concatenate([[np.median(known)], found.bootstrap_distribution])


def interval_of_draws(row: NDArray[Any], n: int) -> Interval:
    """The interval of such a row, made from ``n`` measurements; NaN draws: its ends are unknown.

    Examples
    --------
    >>> interval_of_draws(np.array([2.0, 1.0, 2.0, 3.0]), n=3).median
    2.0
    """
    low, high = quantiles(row[1:])
    return Interval(
        min(float(low), float(row[0])), float(row[0]), max(float(high), float(row[0])), n
    )


def quantiles(drawn: NDArray[Any], confidence: float = CONFIDENCE) -> NDArray[Any]:
    """The two ends of the percentile interval of what was drawn, along the last axis.

    Where a draw is NaN they are not known, so infinite.

    Examples
    --------
    >>> [float(end) for end in quantiles(np.array([1.0, math.nan]))]
    [-inf, inf]
    """
    unknown = np.isnan(drawn).any(axis=-1)
    known = np.where(np.expand_dims(unknown, -1), 0.0, drawn)
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2], axis=-1)
    return np.stack([np.where(unknown, -math.inf, low), np.where(unknown, math.inf, high)])


def generator() -> np.random.Generator:
    """One that always draws the same: the same data give the same interval."""
    return np.random.default_rng(_SEED)


def _ratio(one: NDArray[Any], other: NDArray[Any], axis: int = -1) -> Any:
    return np.median(one, axis=axis) / np.median(other, axis=axis)


def _difference(one: NDArray[Any], other: NDArray[Any], axis: int = -1) -> Any:
    return np.median(one, axis=axis) - np.median(other, axis=axis)


def _interval(
    statistic: Callable[..., Any], samples: tuple[NDArray[Any], ...], confidence: float
) -> Interval:
    n, median = min(len(sample) for sample in samples), float(statistic(*samples))
    if n == 1:
        return Interval(-math.inf, median, math.inf, n)
    found = _bootstrap(statistic, samples, confidence, generator()).confidence_interval
    return Interval(float(found.low), median, float(found.high), n)


def _bootstrap(
    statistic: Callable[..., Any],
    samples: tuple[NDArray[Any], ...],
    confidence: float,
    rng: np.random.Generator,
) -> Any:
    from scipy import stats  # half a second, which whoever only plans need not wait

    return stats.bootstrap(
        samples,
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=confidence,
        method="percentile",
        vectorized=True,
        paired=False,
        rng=rng,
    )


def _clean(values: Sequence[float]) -> NDArray[Any]:
    data: NDArray[Any] = np.asarray([v for v in values if not math.isnan(v)], dtype=float)
    if not len(data):
        raise ValueError("There is nothing to take a median of: no value was measured.")
    return data
