"""LeaderWithPrior: the smeared leader, started with some gaps of the host's other models."""

from __future__ import annotations

import numpy as np

from lifecycle_widgets.advisor.policies.learners.gap_cells import SMEARED, GapCells, costs_of
from lifecycle_widgets.advisor.policies.learners.host import Host
from lifecycle_widgets.advisor.policies.learners.leader import lean_to_t_star

PSEUDO_GAPS = 10.0
"""As many gaps as the prior counts for, however many there were."""


class LeaderWithPrior:
    """Follow the leader on own gaps, and on the others' as if they had been ten.

    Parameters
    ----------
    t_star_s:
        T* in seconds.
    host:
        The gaps of all streams until now; None: there are no others.

    Examples
    --------
    >>> host = Host(30.0)
    >>> one, other = LeaderWithPrior(30.0, host), LeaderWithPrior(30.0, host)
    >>> for _ in range(9):
    ...     one.learn(3600.0)
    >>> other.next_ttl_s()
    0.0
    """

    def __init__(self, t_star_s: float, host: Host | None = None) -> None:
        self._own = GapCells(t_star_s, SMEARED)
        self._host = host
        self._lean = lean_to_t_star(self._own.ttls_s, t_star_s)

    def next_ttl_s(self) -> float:
        own, share = self._own, 0.0
        counts, sums_s = own.counts, own.sums_s
        if self._host is not None:
            others = self._host.cells.counts - own.counts
            gaps = others.sum()
            share = min(gaps, PSEUDO_GAPS) / max(gaps, 1.0)
            counts = counts + share * others
            sums_s = sums_s + share * (self._host.cells.sums_s - own.sums_s)
        return float(own.ttls_s[np.argmin(costs_of(counts, sums_s, own) + self._lean)])

    def began(self) -> None:
        pass

    def learn(self, gap_s: float) -> None:
        self._own.add(gap_s)
        if self._host is not None:
            self._host.cells.add(gap_s)
