"""Leader, FollowTheLeader: the TTL that would have been cheapest until now."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.policies.learners.gap_cells import PLAIN, SMEARED, GapCells
from lifecycle_widgets.advisor.workload.workload import Seconds

LEAN = 0.1
"""In reloads: how much dearer than T* a TTL seems that is e times as long, before any gap."""
NEAR_ZERO_S = 0.1
"""What a TTL of 0 counts as, where the distance from T* is asked for."""


def lean_to_t_star(ttls_s: Seconds, t_star_s: float) -> npt.NDArray[np.float64]:
    """A weak leaning to T*, in reloads: it decides while nothing is known, and little later."""
    return LEAN * np.abs(np.log(np.maximum(ttls_s, NEAR_ZERO_S) / t_star_s))


class FollowTheLeader:
    """The TTL of a grid of 122 that was cheapest on all gaps until now.

    Parameters
    ----------
    t_star_s:
        T* in seconds.
    factors:
        What each past gap is multiplied with: `PLAIN`, or `SMEARED`.

    Examples
    --------
    >>> leader = FollowTheLeader(30.0)
    >>> leader.next_ttl_s()
    30.0
    >>> for _ in range(9):
    ...     leader.learn(3600.0)
    >>> leader.next_ttl_s()
    0.0
    """

    name = "follow the leader"
    guarantee = "none: an adversary drives it to 2.86 times the clairvoyant optimum"
    source = "Hannan, 1957; Kalai, Vempala, J. Comput. Syst. Sci. 71 2005"

    def __init__(self, t_star_s: float, factors: tuple[float, ...] = PLAIN) -> None:
        self.cells = GapCells(t_star_s, factors)
        self._lean = lean_to_t_star(self.cells.ttls_s, t_star_s)

    def next_ttl_s(self) -> float:
        return float(self.cells.ttls_s[np.argmin(self.cells.costs() + self._lean)])

    def began(self) -> None:
        pass

    def learn(self, gap_s: float) -> None:
        self.cells.add(gap_s)


def smeared_leader(t_star_s: float) -> FollowTheLeader:
    """The learner within the slack bank: each past gap smeared from half to twice its length."""
    return FollowTheLeader(t_star_s, SMEARED)
