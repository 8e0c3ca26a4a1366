"""Host: what the streams of one host have shown together, for whoever learns from the others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lifecycle_widgets.advisor.policies.learners.foresight import (
    CELLS,
    CLASSES,
    GUESSES,
    RATIOS,
    SMEARS,
    WIDTHS,
    Floats,
)
from lifecycle_widgets.advisor.policies.learners.gap_cells import SMEARED, GapCells


class Host:
    """The gaps of all streams of a host until now.

    Each policy that is given it learns from the others through it, and adds what it learns itself:
    so that it is fair, gaps are learnt in the order in which they ended.

    Parameters
    ----------
    t_star_s:
        T* in seconds, the same for all.
    clock:
        Gives the time in seconds, by any zero. With it a gap that still goes on counts as one that
        is longer than it is by now; without it (None) only what has ended counts.

    Examples
    --------
    >>> host = Host(30.0)
    >>> host.ended("llama", 60.0, 0)
    >>> host.gaps
    1
    """

    def __init__(self, t_star_s: float, clock: Callable[[], float] | None = None) -> None:
        self.t_star_s = t_star_s
        self.gaps = 0
        self.cells = GapCells(t_star_s, SMEARED)
        self.all: Floats = np.zeros((len(WIDTHS), CELLS))
        self.like: Floats = np.zeros((CLASSES, len(WIDTHS), CELLS))
        self.like_gaps: Floats = np.zeros(CLASSES)
        self.weights: Floats = np.ones(GUESSES)
        self._clock = clock
        self._going_on: dict[object, tuple[float, int]] = {}  # since when, after which kind of gap

    def began(self, whose: object, kind: int) -> None:
        """A gap of that stream begins now; `kind` is that of the gap before."""
        if self._clock is not None:
            self._going_on[whose] = self._clock(), kind

    def ended(self, whose: object, gap_s: float, kind: int) -> None:
        """A gap of that stream has ended, that was so long."""
        self._going_on.pop(whose, None)
        self.gaps += 1
        self.cells.add(gap_s)
        smeared = SMEARS[:, np.searchsorted(RATIOS[1:], gap_s / self.t_star_s)]
        self.all += smeared
        self.like[kind] += smeared
        self.like_gaps[kind] += 1

    def going_on(self, but: object) -> Floats:
        """How many gaps of the other streams go on, per kind and per cell of their age."""
        ages = np.zeros((CLASSES, CELLS))
        if self._clock is not None:
            now_s = self._clock()
            for whose, (since_s, kind) in self._going_on.items():
                if whose is not but and now_s > since_s:
                    age = (now_s - since_s) / self.t_star_s
                    ages[kind, np.searchsorted(RATIOS[1:], age)] += 1
        return ages
