"""rounded: a keep_alive as a person would write it: the cheapest such value near the exact one."""

from __future__ import annotations

import math

import numpy as np

from lifecycle_widgets.advisor.replay.profile import profile
from lifecycle_widgets.advisor.workload.workload import Counts, Seconds
from lifecycle_widgets.keep_alive import KeepAlive

NICE: tuple[KeepAlive, ...] = tuple(
    KeepAlive(value)
    for value in (
        *(0, "1s", "2s", "3s", "5s", "10s", "15s", "20s", "30s", "45s"),
        *("1m", "90s", "2m", "3m", "5m", "10m", "15m", "20m", "30m", "45m"),
        *("1h", "90m", "2h", "3h", "4h", "6h", "8h", "12h", "24h", "forever"),
    )
)
"""What a person would write, the shortest first."""

NICE_S: Seconds = np.array([value.seconds for value in NICE], dtype=np.float64)
"""The same in seconds; the last one is endless."""

_NEAR = 1.5  # times as long, or as short
_DAY_S = 86_400.0
_DAYS_FROM_S, _MOST_S = 1.5 * _DAY_S, 366 * _DAY_S


def rounded(ttl_s: float, gaps_s: Seconds, t_star_s: float) -> KeepAlive:
    """The value near an exact one that costs least over the gaps.

    Near is what is at most 1.5 times as long or as short, and the neighbours on both sides. Of
    several that cost the same it is the nearest; without gaps that alone counts.

    Parameters
    ----------
    ttl_s:
        The exact value in seconds, 0 or more; inf: forever.
    gaps_s:
        The gaps that it is for, in seconds.
    t_star_s:
        T* in seconds.

    Examples
    --------
    >>> rounded(121.470325909, np.array([30.0, 100.0, 500.0]), 120.0)
    KeepAlive('2m')
    >>> rounded(37.0, np.array([40.0, 41.0]), 60.0)  # with 30s both would reload
    KeepAlive('45s')
    """
    if _DAYS_FROM_S < ttl_s < math.inf:
        return _whole_days(ttl_s)
    distance = np.array([_distance(value, ttl_s) for value in NICE_S.tolist()])
    near = distance <= math.log(_NEAR)
    above = int(np.searchsorted(NICE_S[:-1], ttl_s))
    near[max(0, above - 1) : above + 1] = True
    costs, _ = nice_costs(gaps_s, t_star_s)
    return NICE[min(np.flatnonzero(near), key=lambda at: (costs[at], distance[at]))]


def nearest(ttl_s: float) -> KeepAlive:
    """The nearest value, by ratio, whatever the gaps: for what must be close, such as T*.

    Examples
    --------
    >>> nearest(37.0), nearest(0.2), nearest(math.inf)
    (KeepAlive('45s'), KeepAlive('1s'), KeepAlive('forever'))
    >>> nearest(1e6)
    KeepAlive('288h')
    """
    if _DAYS_FROM_S < ttl_s < math.inf:
        return _whole_days(ttl_s)
    distance = [_distance(value, ttl_s) for value in NICE_S.tolist()]
    return NICE[int(np.argmin(distance))]


def nice_costs(gaps_s: Seconds, t_star_s: float) -> tuple[Seconds, Counts]:
    """What each of `NICE` costs over the gaps, in reloads; and how many of it are reloads."""
    of_each = profile(gaps_s, NICE_S[:-1])
    for_ever = of_each.at(math.inf)
    costs = np.append(of_each.cost(t_star_s), for_ever.cost(t_star_s))
    return costs, np.append(of_each.reloads, for_ever.reloads)


def _distance(value_s: float, ttl_s: float) -> float:
    """How far one is from the other, as a ratio; 0 and forever are far from everything else."""
    if value_s == ttl_s:
        return 0.0
    if not (value_s and ttl_s) or math.inf in (value_s, ttl_s):
        return math.inf
    return abs(math.log(value_s / ttl_s))


def _whole_days(ttl_s: float) -> KeepAlive:
    return KeepAlive(math.inf if ttl_s > _MOST_S else round(ttl_s / _DAY_S) * _DAY_S)
