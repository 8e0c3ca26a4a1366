"""choose: the value for one model: what was learned where that is sure, else T*."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lifecycle_widgets.advisor.recommend.choosing.rounding import NICE, nearest, nice_costs, rounded
from lifecycle_widgets.advisor.replay.bootstrap import saving
from lifecycle_widgets.advisor.replay.one_ttl import one_ttl
from lifecycle_widgets.advisor.workload.workload import Seconds
from lifecycle_widgets.keep_alive import KeepAlive

LEAST_GAPS = 10
"""Fewer gaps of a model's own are no evidence; the prior weighs as much as so many."""

_SAME = 0.05
"""Two values are as good as each other that differ by no more, as a part of what T* costs."""

_STAYS = 4.0
"""Today's value is not far from T* that costs at worst so many times the least."""


@dataclass(frozen=True)
class Choice:
    """A value, and how it was come by.

    Parameters
    ----------
    value:
        What is recommended.
    is_enough:
        Whether the gaps say so; else it is T*.
    too_few:
        Whether there are fewer gaps than `LEAST_GAPS`.
    without_limit:
        What it would be without a limit of reloads an hour; None: the same.
    """

    value: KeepAlive
    is_enough: bool
    too_few: bool
    without_limit: KeepAlive | None = None


def choose(
    learned_s: float, today: KeepAlive, groups: Sequence[Seconds], t_star_s: float
) -> Choice:
    """The learned value, rounded, where the gaps show that it is cheaper than T*; else T*.

    Today's value stays where nothing is shown to cost less and it is not far from T*, so that
    nobody changes a setting for nothing.

    Parameters
    ----------
    learned_s:
        What the policy would do next, in seconds.
    today:
        The value in force.
    groups:
        The gaps by days, sessions or stretches (`groups_of`), in seconds.
    t_star_s:
        T* in seconds.

    Examples
    --------
    >>> choose(0.0, KeepAlive("5m"), [np.full(4, 3600.0)] * 5, 120.0).value
    KeepAlive('0')
    >>> choose(0.0, KeepAlive("5m"), [np.full(4, 3600.0)], 120.0)  # of a single day
    Choice(value=KeepAlive('2m'), is_enough=False, too_few=True, without_limit=None)
    """
    gaps_s = np.concatenate([*groups, np.empty(0)])
    safe = nearest(t_star_s)
    if len(gaps_s) < LEAST_GAPS:
        return Choice(safe, is_enough=False, too_few=True)
    stays = worst_over_least(seconds(today), t_star_s) <= _STAYS
    learned = rounded(learned_s, gaps_s, t_star_s)
    for value in (learned, today) if stays else (learned,):
        if is_shown(value, safe, groups, t_star_s):
            return Choice(_calmer(value, today if stays else safe, gaps_s, t_star_s), True, False)
    return Choice(safe, is_enough=False, too_few=False)


def is_shown(value: KeepAlive, safe: KeepAlive, groups: Sequence[Seconds], t_star_s: float) -> bool:
    """Whether the gaps show that a value is no dearer than T*, or that it makes no difference.

    They do where, by the interval of what it saves (the groups drawn again), it may lose no more
    than it is expected to save.

    Parameters
    ----------
    value, safe:
        That value, and T* as a person would write it.
    groups, t_star_s:
        As `choose`.
    """
    gain = saving(groups, seconds(safe), seconds(value), t_star_s)
    cost = sum(one_ttl(gaps_s, seconds(safe)).cost(t_star_s) for gaps_s in groups)
    return gain.low >= -gain.median or max(-gain.low, gain.high) <= _SAME * cost


def _calmer(value: KeepAlive, first: KeepAlive, gaps_s: Seconds, t_star_s: float) -> KeepAlive:
    """Of what would not have cost more than a value: the first choice, else the nearest to T*."""

    def cost(value: KeepAlive) -> float:
        return one_ttl(gaps_s, seconds(value)).cost(t_star_s)

    most = cost(value) * (1 + 1e-9)
    if cost(first) <= most:
        return first
    others = [other for other in (value, *NICE) if cost(other) <= most]
    return min(others, key=lambda other: worst_over_least(seconds(other), t_star_s))


def seconds(keep_alive: KeepAlive) -> float:
    """How long that is, of one that is not the server's default.

    Examples
    --------
    >>> seconds(KeepAlive("2m")), seconds(KeepAlive("forever"))
    (120.0, inf)
    """
    assert keep_alive.seconds is not None
    return keep_alive.seconds


def limited(
    choice: Choice, gaps_s: Seconds, t_star_s: float, hours: float, most_per_hour: float
) -> Choice:
    """The same, or the cheapest value that reloads no more often than that in an hour of use.

    Examples
    --------
    >>> free = Choice(KeepAlive(0), True, False)
    >>> limited(free, np.array([90.0, 90.0, 3600.0]), 60.0, 1.0, 1.0).value
    KeepAlive('1m30s')
    """
    costs, reloads = nice_costs(gaps_s, t_star_s)
    if int((gaps_s > seconds(choice.value)).sum()) <= most_per_hour * hours:
        return choice
    allowed = np.flatnonzero(reloads <= most_per_hour * hours)
    value = NICE[min(allowed, key=lambda at: costs[at])]
    return replace(choice, value=value, without_limit=choice.value)


def worst_over_least(ttl_s: float, t_star_s: float) -> float:
    """What a fixed value costs at worst, over the clairvoyant optimum: of gaps just longer than it.

    Examples
    --------
    >>> [worst_over_least(ttl_s, 30.0) for ttl_s in (30.0, 60.0, 15.0, 0.0, math.inf)]
    [2.0, 3.0, 3.0, inf, inf]
    """
    return 1 + max(ttl_s / t_star_s, t_star_s / ttl_s) if ttl_s else math.inf
