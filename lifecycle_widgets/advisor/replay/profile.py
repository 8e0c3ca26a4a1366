"""Profile: what each TTL would have held and reloaded over the same gaps; knows no T*."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.replay.kernels.buckets import buckets
from lifecycle_widgets.advisor.replay.kernels.sorting import lines
from lifecycle_widgets.advisor.workload.workload import Counts, Seconds

COMPILED_FROM = 200_000
"""From so many gaps on what is compiled wins back the time that importing numba takes."""


class Held(NamedTuple):
    """What one TTL comes to over some gaps.

    Examples
    --------
    >>> Held(held_s=90.0, reloads=2).cost(30.0)
    5.0
    """

    held_s: float
    """For how long the model was in memory without work, in seconds: the sum of min(gap, TTL)."""
    reloads: int
    """After how many of the gaps it had to be loaded again: those longer than the TTL."""

    def cost(self, t_star_s: float) -> float:
        """Both together, in reloads, at that T* in seconds."""
        return self.held_s / t_star_s + self.reloads


@dataclass(frozen=True, eq=False)
class Profile:
    """What TTLs come to over the same gaps: all that is needed to price them at any T*.

    Two of the same TTLs add up to the profile of all their gaps; so do two of every TTL.

    Parameters
    ----------
    ttls_s:
        The TTLs in seconds, ascending and distinct; inf: for ever.
    held_s:
        Of each TTL the seconds that were held: the sum of min(gap, TTL).
    reloads:
        Of each TTL how many gaps were longer.
    gaps:
        How many gaps there are.
    total_s:
        How long they are together, in seconds: what is held for ever.
    is_of_every_ttl:
        Whether `ttls_s` are 0 and each gap's length. What lies between two of them is then a
        straight line, so that `at` knows any TTL, and the best of them is the best of all.

    Examples
    --------
    >>> one = profile([10.0, 60.0, 300.0])
    >>> one.ttls_s.tolist(), one.held_s.tolist(), one.reloads.tolist()
    ([0.0, 10.0, 60.0, 300.0], [0.0, 30.0, 130.0, 370.0], [3, 2, 1, 0])
    >>> one.cost(30.0).tolist()[:2], one.best(30.0), one.least(30.0)
    ([3.0, 3.0], (0.0, 3.0), 2.3333333333333335)
    """

    ttls_s: Seconds
    held_s: Seconds
    reloads: Counts
    gaps: int
    total_s: float
    is_of_every_ttl: bool = False

    def cost(self, t_star_s: float) -> Seconds:
        """What each TTL costs at that T* (seconds), in reloads: `gap_cost` of all gaps."""
        return np.asarray(self.held_s / t_star_s + self.reloads)

    def best(self, t_star_s: float) -> tuple[float, float]:
        """The cheapest of the TTLs in seconds, the shortest of several, and what it costs.

        It is known in hindsight only: no rule that decides beforehand is bound to find it.
        """
        cost = self.cost(t_star_s)
        cheapest = int(np.argmin(cost))
        return float(self.ttls_s[cheapest]), float(cost[cheapest])

    def at(self, ttl_s: float) -> Held:
        """What that TTL comes to; inf: for ever.

        Raises
        ------
        ValueError
            When it is none of `ttls_s` and these are not every TTL.

        Examples
        --------
        >>> profile([10.0, 60.0, 300.0]).at(100.0)
        Held(held_s=170.0, reloads=1)
        """
        if ttl_s == np.inf:
            return Held(self.total_s, 0)
        below = int(np.searchsorted(self.ttls_s, ttl_s, "right")) - 1
        over_s = ttl_s - float(self.ttls_s[below]) if below >= 0 else np.nan
        if not (over_s == 0 or (over_s > 0 and self.is_of_every_ttl)):
            raise ValueError(
                f"A TTL of {ttl_s:g} s is none of the {len(self.ttls_s)} of this profile."
            )
        reloads = int(self.reloads[below])
        return Held(float(self.held_s[below]) + over_s * reloads, reloads)

    def least(self, t_star_s: float) -> float:
        """What the gaps cost whoever knows how long each will be, in reloads: the lower bound.

        It is what T* holds: up to T* a gap costs its length, beyond it one reload.

        Raises
        ------
        ValueError
            As `at`, where T* is none of the TTLs.
        """
        return self.at(t_star_s).held_s / t_star_s

    def __add__(self, other: Profile) -> Profile:
        """The profile of the gaps of both.

        Raises
        ------
        ValueError
            When they are of different TTLs, unless both are of every TTL.

        Examples
        --------
        >>> (profile([10.0]) + profile([60.0])).held_s.tolist()
        [0.0, 20.0, 70.0]
        """
        if self.is_of_every_ttl and other.is_of_every_ttl:
            ttls_s = np.union1d(self.ttls_s, other.ttls_s)
            (one_s, one), (two_s, two) = self._at_all(ttls_s), other._at_all(ttls_s)
            held_s, reloads = one_s + two_s, one + two
        elif np.array_equal(self.ttls_s, other.ttls_s):
            ttls_s = self.ttls_s
            held_s, reloads = self.held_s + other.held_s, self.reloads + other.reloads
        else:
            raise ValueError("Profiles of different TTLs do not add up.")
        return Profile(
            ttls_s,
            held_s,
            reloads,
            self.gaps + other.gaps,
            self.total_s + other.total_s,
            self.is_of_every_ttl and other.is_of_every_ttl,
        )

    def _at_all(self, ttls_s: Seconds) -> tuple[Seconds, Counts]:
        below = np.searchsorted(self.ttls_s, ttls_s, "right") - 1
        over_s = ttls_s - self.ttls_s[below]
        return self.held_s[below] + over_s * self.reloads[below], self.reloads[below]


def profile(gaps_s: npt.ArrayLike, ttls_s: npt.ArrayLike | None = None) -> Profile:
    """What TTLs would have held and reloaded over these gaps.

    Parameters
    ----------
    gaps_s:
        The gaps in seconds, finite and not below 0, in any order. Of whole streams, joined, it is
        their pooled profile.
    ttls_s:
        The TTLs in seconds, ascending and distinct (`grid`; inf: for ever); the gaps are then read
        once and need no sorting. None: every TTL, that is 0 and each gap's length.

    Raises
    ------
    ValueError
        When the TTLs are not ascending and distinct, or one is below 0.

    Examples
    --------
    >>> coarse = profile([10.0, 60.0, 300.0], [0.0, 30.0, 60.0])
    >>> coarse.held_s.tolist(), coarse.reloads.tolist()
    ([0.0, 70.0, 130.0], [3, 2, 1])
    """
    gaps = np.ascontiguousarray(gaps_s, dtype=np.float64)
    if ttls_s is None:
        return _of_every_ttl(gaps)
    ttls = ascending(ttls_s)
    return profile_of_buckets(ttls, *_buckets(gaps, ttls))


def least(gaps_s: npt.ArrayLike, t_star_s: float) -> float:
    """What the gaps cost whoever knows how long each will be, in reloads: `least_cost` of all.

    Examples
    --------
    >>> least([10.0, 60.0, 300.0], 30.0)
    2.3333333333333335
    """
    return float(np.minimum(gaps_s, t_star_s).sum()) / t_star_s


def ascending(ttls_s: npt.ArrayLike) -> Seconds:
    """The TTLs as an array of seconds. Raises ValueError as `profile` does."""
    ttls = np.ascontiguousarray(ttls_s, dtype=np.float64)
    if not (np.all(ttls[1:] > ttls[:-1]) and np.all(ttls >= 0)):
        raise ValueError("TTLs must ascend from 0 or more, and be distinct.")
    return ttls


def profile_of_buckets(ttls_s: Seconds, counts: Counts, sums_s: Seconds) -> Profile:
    """The profile of gaps that were sorted into buckets.

    Parameters
    ----------
    ttls_s:
        The TTLs.
    counts, sums_s:
        One more than there are TTLs: of each TTL how many gaps are as long as it or shorter, but
        longer than the one before, and their sum in seconds; in the last place the longer ones.
    """
    reloads = counts.sum() - np.cumsum(counts)[:-1]
    beyond_s = np.multiply(ttls_s, reloads, where=reloads > 0, out=np.zeros(len(ttls_s)))
    held_s = np.cumsum(sums_s)[:-1] + beyond_s  # for ever and no reload is 0, not NaN
    return Profile(ttls_s, held_s, reloads, int(counts.sum()), float(sums_s.sum()))


def _buckets(gaps: Seconds, ttls: Seconds) -> tuple[Counts, Seconds]:
    if len(gaps) >= COMPILED_FROM:
        return buckets(gaps, ttls)
    places, n = np.searchsorted(ttls, gaps), len(ttls) + 1
    counts = np.bincount(places, minlength=n).astype(np.int64)
    return counts, np.bincount(places, weights=gaps, minlength=n).astype(np.float64)


def _of_every_ttl(gaps: Seconds) -> Profile:
    """By sorting and prefix sums: up to a TTL gaps count with their length, beyond it with it."""
    if len(gaps) >= COMPILED_FROM:
        return Profile(*lines(gaps), is_of_every_ttl=True)
    ordered: Seconds = np.sort(np.append(0.0, gaps))  # 0 is a TTL, and no gap of it costs anything
    last = np.flatnonzero(np.diff(ordered, append=np.inf))  # of those that are as long
    ttls, reloads = ordered[last], len(gaps) - last
    below_s = np.cumsum(ordered)[last]
    held_s: Seconds = below_s + ttls * reloads
    return Profile(ttls, held_s, reloads, len(gaps), float(below_s[-1]), is_of_every_ttl=True)
