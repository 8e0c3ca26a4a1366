"""Curve: what every fixed keep_alive would have cost over the gaps that were seen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lifecycle_widgets.advisor.replay.profile import Profile
from lifecycle_widgets.advisor.workload.workload import Seconds

SHORTEST_S, LONGEST_S = 1.0, 7 * 24 * 3600.0
_POINTS = 240


@dataclass(frozen=True)
class Point:
    """One keep_alive on the curve.

    Parameters
    ----------
    ttl_s:
        The keep_alive, in seconds; endless: forever.
    over:
        What it costs over what it costs whoever knows how long each gap will be; 1 is the least.
    reloads:
        After how many gaps the model would have had to be loaded again.
    held_s:
        For how long it would have been in memory without work, in seconds.
    """

    ttl_s: float
    over: float
    reloads: int
    held_s: float


@dataclass(frozen=True, eq=False)
class Curve:
    """The cost over the keep_alive, for one model at one T*.

    Parameters
    ----------
    known:
        The profile of its gaps, of every TTL.
    t_star_s:
        The break-even T*, in seconds.

    Examples
    --------
    >>> from lifecycle_widgets.advisor.replay.profile import profile
    >>> curve = Curve(profile([10.0, 60.0, 300.0]), t_star_s=30.0)
    >>> print(round(curve.at(0).over, 3), curve.at(math.inf))  # at the least 10/30 + 1 + 1
    1.286 Point(ttl_s=inf, over=5.285714285714286, reloads=0, held_s=370.0)
    """

    known: Profile
    t_star_s: float

    @property
    def least(self) -> float:
        """What the gaps cost whoever knows each beforehand, in reloads."""
        return self.known.least(self.t_star_s)

    @property
    def is_drawn(self) -> bool:
        """Whether there is something to draw: gaps, and not all of them of no length."""
        return self.least > 0

    def at(self, ttl_s: float) -> Point:
        """What one keep_alive comes to, exactly."""
        held = self.known.at(ttl_s)
        return Point(ttl_s, held.cost(self.t_star_s) / self.least, held.reloads, held.held_s)

    def points(self) -> Iterator[Point]:
        """Where it is drawn: 0, 1 s to 7 days in equal steps of their logarithm, and forever."""
        steps: Seconds = np.geomspace(SHORTEST_S, LONGEST_S, _POINTS)
        for ttl_s in (0.0, *steps.tolist(), math.inf):
            yield self.at(ttl_s)
