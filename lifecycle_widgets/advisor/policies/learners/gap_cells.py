"""GapCells: what past gaps come to for every TTL of the grid, in counts and sums."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.replay.grid import grid
from lifecycle_widgets.advisor.workload.workload import Seconds

PLAIN = (1.0,)
SMEARED = (0.5, 0.5**0.5, 1.0, 2.0**0.5, 2.0)
"""Each past gap stands for gaps from half to twice as long: few are seen, and all near some TTL."""


class GapCells:
    """Past gaps by cell: how many there were and how long they were together.

    No TTL of the grid lies within a cell, so the cost of each is exact, however many gaps there
    were, and whatever T* is.

    Parameters
    ----------
    t_star_s:
        T* in seconds, which is among the grid.
    factors:
        What each gap is multiplied with; each of these has the same share of it.

    Examples
    --------
    >>> cells = GapCells(30.0)
    >>> cells.add(10.0)
    >>> cells.costs()[[0, -1]].tolist()  # of 0 and of 7 days
    [1.0, 0.3333333333333333]
    """

    def __init__(self, t_star_s: float, factors: tuple[float, ...] = PLAIN) -> None:
        self.ttls_s: Seconds = grid(t_star_s)
        self.t_star_s = float(t_star_s)
        self.factors = factors
        self.edges_s, self.reach = edges(t_star_s, factors)
        self.counts = np.zeros(len(self.edges_s) + 1)
        self.sums_s = np.zeros(len(self.edges_s) + 1)

    def add(self, gap_s: float, weight: float = 1.0) -> None:
        """A gap has ended, that was so long."""
        cell = int(np.searchsorted(self.edges_s, gap_s))
        self.counts[cell] += weight
        self.sums_s[cell] += weight * gap_s

    def costs(self) -> npt.NDArray[np.float64]:
        """What all of them cost with each TTL of the grid, in reloads."""
        return costs_of(self.counts, self.sums_s, self)


@lru_cache(maxsize=64)
def edges(t_star_s: float, factors: tuple[float, ...]) -> tuple[Seconds, npt.NDArray[np.intp]]:
    """The ends of the cells, in seconds; and per factor and TTL the last cell that it holds."""
    ends = np.array([grid(t_star_s) / factor for factor in factors])
    edges_s = np.unique(ends)
    return edges_s, np.searchsorted(edges_s, ends)


def costs_of(
    counts: npt.NDArray[np.float64], sums_s: Seconds, cells: GapCells
) -> npt.NDArray[np.float64]:
    """The same for other counts and sums in the same cells."""
    held = np.cumsum(sums_s)[cells.reach]
    ended = np.cumsum(counts)
    longer = ended[-1] - ended[cells.reach]
    costs = np.zeros(len(cells.ttls_s))
    for factor, held_s, reloads in zip(cells.factors, held, longer, strict=True):
        costs += (factor * held_s + reloads * cells.ttls_s) / cells.t_star_s + reloads
    return costs / len(cells.factors)
