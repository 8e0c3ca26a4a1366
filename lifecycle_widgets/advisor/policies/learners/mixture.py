"""Mixture: the learner within the advice; what to expect of the next gap, by 36 guesses at once."""

from __future__ import annotations

import numpy as np

from lifecycle_widgets.advisor.policies.learners.foresight import (
    BEFORE,
    CELLS,
    CLASSES,
    GUESSES,
    MEMORIES,
    NOBODY,
    PSEUDO_GAPS,
    RATIOS,
    SMEARS,
    WIDTHS,
    Floats,
    cheapest,
    expect,
    fill_up,
    judge,
    unknown,
)
from lifecycle_widgets.advisor.policies.learners.host import Host


class Mixture:
    """The TTL that is cheapest by what the stream's own past and the other streams let expect.

    Parameters
    ----------
    t_star_s:
        T* in seconds.
    host:
        What the streams of the host have shown until now; None: there are no others.

    Examples
    --------
    >>> learner = Mixture(30.0)
    >>> learner.next_ttl_s()
    30.0
    >>> for _ in range(9):
    ...     learner.learn(3600.0)
    >>> learner.next_ttl_s()
    0.0
    """

    def __init__(self, t_star_s: float, host: Host | None = None) -> None:
        self._t_star_s = t_star_s
        self._host = Host(t_star_s) if host is None else host
        self._nothing = unknown(t_star_s)
        self._own: Floats = np.zeros((len(MEMORIES), len(WIDTHS), CELLS))
        self._own_gaps: Floats = np.zeros(len(MEMORIES))
        self._like: Floats = np.zeros((CLASSES, len(WIDTHS), CELLS))
        self._like_gaps: Floats = np.zeros(CLASSES)
        self._weights: Floats = np.ones(GUESSES)
        self._gaps = 0
        self._kind = 0  # of the gap before: none, short, middling, long

    def next_ttl_s(self) -> float:
        host, kind = self._host, self._kind
        all_, all_like = self._others()
        chances = expect(
            self._nothing,
            self._own,
            self._own_gaps,
            self._like[kind],
            self._like_gaps[kind],
            all_like,
            all_like[0].sum(),
            all_,
            all_[0].sum(),
            self._weights,
            host.weights,
        )
        return float(RATIOS[cheapest(chances, self._gaps, host.gaps)] * self._t_star_s)

    def began(self) -> None:
        """A gap begins now: the other streams may know that it goes on."""
        self._host.began(self, self._kind)

    def learn(self, gap_s: float) -> None:
        host, kind = self._host, self._kind
        ratio = gap_s / self._t_star_s
        cell = int(np.searchsorted(RATIOS[1:], ratio))
        judge(
            cell,
            self._nothing,
            self._own,
            self._own_gaps,
            self._like[kind],
            self._like_gaps[kind],
            host.like[kind],
            host.like_gaps[kind],
            host.all,
            host.gaps,
            self._weights,
            host.weights,
        )
        host.ended(self, gap_s, kind)
        for memory, keeps in enumerate(MEMORIES):
            self._own[memory] = keeps * self._own[memory] + SMEARS[:, cell]
            self._own_gaps[memory] = keeps * self._own_gaps[memory] + 1
        self._like[kind] += SMEARS[:, cell]
        self._like_gaps[kind] += 1
        self._gaps += 1
        self._kind = 1 + int(np.searchsorted(BEFORE, ratio))

    def _others(self) -> tuple[Floats, Floats]:
        """What all streams have shown, and after a gap like the last one, with what goes on."""
        host, kind = self._host, self._kind
        ages = host.going_on(self)
        nothing = np.repeat(self._nothing[None], len(WIDTHS), axis=0)
        all_, all_like = host.all, host.like[kind]
        if ages.any():
            all_ = fill_up(all_, ages.sum(axis=0), nothing, NOBODY)
        if ages[kind].any():
            wider = (host.all + NOBODY * nothing) / (host.gaps + NOBODY)
            all_like = fill_up(all_like, ages[kind], wider, PSEUDO_GAPS[1])
        return all_, all_like
