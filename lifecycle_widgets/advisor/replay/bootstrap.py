"""saving, ratio_of_totals: how sure a figure is that was added up over days or sessions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.replay.one_ttl import one_ttl
from lifecycle_widgets.experiments.statistics import RESAMPLES, Interval, interval_of_draws

FEWEST = 2
"""Of fewer groups nobody knows how much they differ."""

_AT_ONCE = 1_000_000  # numbers that are drawn and in memory
_Numbers = npt.NDArray[np.float64]


def saving(
    groups: Sequence[npt.ArrayLike],
    now_ttl_s: float,
    new_ttl_s: float,
    t_star_s: float,
    *,
    seed: int = 0,
) -> Interval:
    """What a TTL would have saved against another over all these gaps, in reloads.

    The interval is the percentile bootstrap's (as `median_interval`), drawn from whole groups: the
    gaps of one day are alike, and drawn one by one they would seem surer than they are. It is about
    other days such as these, not about days on which one works otherwise.

    Parameters
    ----------
    groups:
        The gaps in seconds of each day, or of each session.
    now_ttl_s, new_ttl_s:
        What is in force, and what it is compared with, in seconds; inf: for ever.
    t_star_s:
        T* in seconds.
    seed:
        The same data and the same seed give the same interval.

    Returns
    -------
    Interval
        ``median`` is what was saved over the groups as they are; below 0 it cost more. ``n`` is the
        number of groups: of one neither end is known, and of none nothing is.

    Examples
    --------
    >>> print(saving([[10.0, 900.0], [20.0, 600.0], [900.0]], 300.0, 0.0, 60.0))
    13.5 (12.5 to 15, n=3)
    >>> print(saving([[10.0, 900.0]], 300.0, 0.0, 60.0))
    4.17 (n=1)
    """
    saved = [
        one_ttl(gaps, now_ttl_s).cost(t_star_s) - one_ttl(gaps, new_ttl_s).cost(t_star_s)
        for gaps in groups
    ]
    return _interval(totals(np.array(saved), seed=seed), len(saved))


def ratio_of_totals(above: Sequence[float], below: Sequence[float], *, seed: int = 0) -> Interval:
    """The ratio of two totals, as a cost over the least there is, with its interval as `saving`'s.

    Parameters
    ----------
    above, below:
        What each group adds to the one and to the other, in the same order.
    seed:
        As `saving`.

    Examples
    --------
    >>> print(ratio_of_totals([12.0, 9.0, 30.0], [10.0, 9.0, 20.0]))
    1.31 (1 to 1.5, n=3)
    """
    both = totals(np.array([above, below], dtype=np.float64).T, seed=seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _interval(both[:, 0] / both[:, 1], len(above))


def totals(per_group: _Numbers, *, seed: int = 0) -> _Numbers:
    """The sum over the groups, and below it sums of as many that were drawn from them.

    Parameters
    ----------
    per_group:
        A row for each group: a number, or several that belong together and are drawn together.

    Returns
    -------
    array
        1 + `RESAMPLES` rows, for `interval_of_draws`. Of fewer than `FEWEST` groups all that would
        be drawn is NaN: not known.

    Examples
    --------
    >>> totals(np.array([[1.0, 10.0], [2.0, 20.0]]))[0].tolist()
    [3.0, 30.0]
    """
    n, whole = len(per_group), per_group.sum(axis=0)
    if n < FEWEST:
        return np.concatenate([[whole], np.full((RESAMPLES, *whole.shape), math.nan)])
    rng, many = np.random.default_rng(seed), max(1, _AT_ONCE // n)
    sizes = (min(many, RESAMPLES - done) for done in range(0, RESAMPLES, many))
    drawn = [rng.multinomial(n, np.full(n, 1 / n), size) @ per_group for size in sizes]
    return np.concatenate([[whole], *drawn])


def _interval(draws: _Numbers, n: int) -> Interval:
    if not n:
        return Interval(-math.inf, math.nan, math.inf, 0)
    return interval_of_draws(draws, n)
