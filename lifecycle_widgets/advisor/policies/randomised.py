"""RandomisedSkiRental: a keep_alive drawn anew for each gap, so that nobody can aim at it."""

from __future__ import annotations

import math
import random

RATIO = math.e / (math.e - 1)
"""What it costs over the clairvoyant optimum, in expectation, on every gap: 1.582."""


class RandomisedSkiRental:
    """T with density e^(t/T*) / (T* (e - 1)) on [0, T*].

    In expectation it costs 1.582 times the optimum on *every* gap: no adversary gets more, and no
    workload less. It is shown, not recommended.

    Parameters
    ----------
    t_star_s:
        T* in seconds.
    seed:
        Of the draws.

    Examples
    --------
    >>> 0 <= RandomisedSkiRental(120).next_ttl_s() <= 120
    True
    """

    name = "randomised ski rental"
    guarantee = "e/(e-1) = 1.582 times the clairvoyant optimum in expectation, never less"
    source = "Karlin et al., Algorithmica 11 1994; Albers, CACM 53(5) 2010 (ALG-R)"

    def __init__(self, t_star_s: float, *, seed: int = 0) -> None:
        self._t_star_s = t_star_s
        self._draws = random.Random(seed)

    def next_ttl_s(self) -> float:
        # the inverse of (e^(t/T*) - 1) / (e - 1)
        return self._t_star_s * math.log1p(self._draws.random() * (math.e - 1))

    def learn(self, gap_s: float) -> None:
        pass
