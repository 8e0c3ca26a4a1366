"""The best single TTL in hindsight: what a rule that never changes its mind could have done."""

from __future__ import annotations

from lifecycle_widgets.advisor.replay.grid import grid
from lifecycle_widgets.advisor.replay.online import PolicyCost
from lifecycle_widgets.advisor.replay.profile import profile
from lifecycle_widgets.advisor.workload.workload import Workload

BEST = "best single TTL in hindsight"


def best_in_hindsight(workload: Workload, t_star_s: float) -> PolicyCost:
    """Of each stream the TTL of `grid` that would have been cheapest, all streams together.

    It is no policy: which TTL it is, only the whole workload tells. It stands beside the policies
    as a yardstick, with the same grid as those that learn.

    Parameters
    ----------
    workload:
        The streams.
    t_star_s:
        T* in seconds.

    Examples
    --------
    >>> import numpy as np
    >>> from lifecycle_widgets.advisor.workload.workload import Stream
    >>> stream = Stream("a", np.array([0.0, 60.0]), np.array([5.0, 70.0]), np.array([True]), 2)
    >>> best = best_in_hindsight(Workload((stream,), "an example"), 11.0)
    >>> best.cost, best.reloads
    (1.0, 1)
    """
    ttls_s = grid(t_star_s)
    cost = held_s = least = 0.0
    reloads = gaps = 0
    for stream in workload.streams:
        one = profile(stream.gaps_s, ttls_s)
        ttl_s, of_it = one.best(t_star_s)
        held = one.at(ttl_s)
        cost, held_s, reloads = cost + of_it, held_s + held.held_s, reloads + held.reloads
        least, gaps = least + one.least(t_star_s), gaps + one.gaps
    return PolicyCost(BEST, cost, least, held_s, reloads, gaps)
