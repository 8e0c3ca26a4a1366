"""GRID, grid: the TTLs that a learner chooses from."""

from __future__ import annotations

import numpy as np

from lifecycle_widgets.advisor.workload.workload import Seconds

SHORTEST_S = 1.0
LONGEST_S = 7 * 24 * 3600.0
STEPS = 120


def _grid() -> Seconds:
    steps = np.concatenate([[0.0], np.geomspace(SHORTEST_S, LONGEST_S, STEPS)])
    steps.flags.writeable = False  # one for all who ask
    return steps


GRID: Seconds = _grid()
"""0, then 1 s to 7 days in 120 steps of 11.8 % each, in seconds."""


def grid(t_star_s: float | None = None) -> Seconds:
    """`GRID`, with T* among it, in ascending order.

    Parameters
    ----------
    t_star_s:
        T* in seconds, above 0; None: `GRID` alone.

    Returns
    -------
    Seconds
        122 TTLs in seconds; 121 without a T*, or where `GRID` has it already.

    Examples
    --------
    >>> len(grid()), len(grid(30.0)), grid(30.0)[0], grid(30.0)[-1]
    (121, 122, np.float64(0.0), np.float64(604800.0))
    """
    return GRID if t_star_s is None else np.union1d(GRID, [t_star_s])
