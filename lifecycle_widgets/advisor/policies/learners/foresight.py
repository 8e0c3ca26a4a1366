"""How long the next gap will be, as chances: what the advice's learner computes, on arrays alone.

Gaps are counted by cells of their length over T*, so nothing here has a unit. Each function stands
alone and takes arrays: the learner of one stream calls it as it is, a replay compiles it.

There are 36 guesses, every choice of four: how widely a past gap is smeared, whether old ones
fade, whether the gap before matters, and how many gaps the other streams count for. Each guess is
a backoff, as in models of language: what is known of the case at hand, filled up with what is known
of the next wider one. They are weighed by how well they have foretold (Bayes), of this stream and
of all.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.replay.grid import LONGEST_S, SHORTEST_S

Floats: TypeAlias = npt.NDArray[np.float64]

RATIOS: Floats = np.concatenate([[0.0], 2.0 ** (np.arange(-72, 48) / 6)])
"""The TTLs over T*: 0, then T*/4096 to 228 T* in steps of 12.2 %; T* is one of them."""
CELLS = len(RATIOS)
"""As many cells: each ends at the next TTL, the last does not end."""
MIDDLES: Floats = np.append(np.sqrt(RATIOS[1:] * np.maximum(RATIOS[:-1], RATIOS[1] / 4)), 256.0)
"""How long a gap of the cell is, over T*."""

WIDTHS = (0.1, 0.5)
"""By how much a past gap is smeared: the standard deviation of the logarithm of its length."""
MEMORIES = (1.0, 0.93)
"""What a gap still counts for when one more has come: for ever, or half after ten."""
BEFORE = (0.1, 1.0)
"""The gap before was short, middling or long: below these, over T*."""
CLASSES = len(BEFORE) + 2  # or there was none
PSEUDO_GAPS: Floats = np.array([2.0, 10.0, 50.0])
"""For how many gaps of its own the next wider case counts."""
GUESSES = 36
"""By width (2), memory (2), context (3) and pseudo-gaps (3). The context: the gap before does not
matter; it does, in this stream; it does, in all streams."""

NOBODY = 2.0
"""For how many gaps it counts that nothing is known."""
WILD = 0.2
"""How much of `unknown` is no more than "it may be anything"."""
LEAST_WEIGHT = 1e-6
"""Of a guess against the best: a guess that was wrong for long may still be right one day."""
LEAN = 0.2
"""In reloads: how much dearer than T* a TTL seems that is e times as long, before any gap."""
NEAR_ZERO = 1 / 32
"""TTLs below that, over T*, are as far from T* as 0 is."""
LEAN_FADES = 0.3
"""For how many of its own a gap of the other streams counts against that."""


def _smears() -> Floats:
    """Per width and cell, over which cells a gap in it is smeared: together 1 each."""
    smears = np.zeros((len(WIDTHS), CELLS, CELLS))
    for number, width in enumerate(WIDTHS):
        cells = width / (math.log(2) / 6)
        reach = np.arange(-math.ceil(2.5 * cells), math.ceil(2.5 * cells) + 1)
        bell = np.exp(-0.5 * (reach / cells) ** 2)
        for cell in range(CELLS):  # what would lie beyond the ends lies in the outermost cells
            where = np.clip(cell + reach, 0, CELLS - 1)
            smears[number, cell] = np.bincount(where, bell / bell.sum(), CELLS)
    return smears


def unknown(t_star_s: float) -> Floats:
    """What is expected where nothing is known, per cell: together 1.

    Mostly gaps as of a Poisson process with T* between requests: of these every TTL costs the same,
    so they speak for none. The rest is anything from a second to a week.

    Parameters
    ----------
    t_star_s:
        T* in seconds.
    """
    neutral: Floats = -np.diff(np.append(np.exp(-RATIOS), 0.0))
    middles_s = MIDDLES * t_star_s
    anything = (middles_s >= SHORTEST_S) & (middles_s <= LONGEST_S)
    if not anything.any():
        return neutral
    mixed: Floats = (1 - WILD) * neutral + WILD * anything / anything.sum()
    return mixed


SMEARS: Floats = _smears()
AWAY: Floats = LEAN * np.abs(np.log(np.maximum(RATIOS, NEAR_ZERO)))
"""How far each TTL is from T*, in reloads."""


def fill_up(pool: Floats, going_on: Floats, wider: Floats, pseudo_gaps: float) -> Floats:
    """Counts per cell, with the gaps that still go on among them.

    Whatever was asked rarely is seen late: of gaps that began together the short ones are known
    first, and whoever counts these alone expects the next one to be short. So each gap that goes on
    is spread over the cells beyond its age, as those that have ended lie there (the estimator of
    Kaplan and Meier).

    Parameters
    ----------
    pool:
        Gaps that have ended, per width and cell.
    going_on:
        Gaps that have not, per cell of their age.
    wider:
        What is expected without them, per width and cell: together 1.
    pseudo_gaps:
        For how many gaps that counts.
    """
    filled: Floats = pool.copy()
    for width in range(len(pool)):
        beyond = pool[width].sum() + pseudo_gaps
        least = 1e-6 * beyond
        spread = 0.0
        for cell in range(len(going_on)):
            guess = pool[width, cell] + pseudo_gaps * wider[width, cell]
            filled[width, cell] += spread * guess
            beyond -= guess
            if going_on[cell]:
                spread += going_on[cell] / max(beyond, least)
    return filled


def expect(
    nothing: Floats,
    own: Floats,
    own_gaps: Floats,
    like: Floats,
    like_gaps: float,
    all_like: Floats,
    all_like_gaps: float,
    all_: Floats,
    all_gaps: float,
    weights: Floats,
    all_weights: Floats,
) -> Floats:
    """How likely each cell is for the gap that begins now: all guesses by their weights.

    Each guess is a sum of the same few counts, so they are mixed before any cell is looked at.

    Parameters
    ----------
    nothing:
        What is expected where nothing is known, per cell.
    own, own_gaps:
        The stream's gaps, per memory, width and cell; and how many, per memory.
    like, like_gaps:
        Those of them that came after a gap like the last one, per width and cell; how many.
    all_like, all_like_gaps, all_, all_gaps:
        Those of all streams, after a gap like the last one, and all.
    weights, all_weights:
        Of the guesses, by this stream and by all.
    """
    total = 0.0
    for guess in range(GUESSES):
        total += weights[guess] * all_weights[guess]
    parts = np.zeros((5, len(all_)))  # of own (two memories), like, all_like, all_
    for guess in range(GUESSES):
        left = weights[guess] * all_weights[guess] / total
        width, memory = guess // 18, guess // 9 % 2
        context, pseudo = guess // 3 % 3, PSEUDO_GAPS[guess % 3]
        if context >= 1:
            parts[2, width] += left / (like_gaps + pseudo)
            left *= pseudo / (like_gaps + pseudo)
        parts[memory, width] += left / (own_gaps[memory] + pseudo)
        left *= pseudo / (own_gaps[memory] + pseudo)
        if context == 2:
            parts[3, width] += left / (all_like_gaps + pseudo)
            left *= pseudo / (all_like_gaps + pseudo)
        parts[4, width] += left / (all_gaps + NOBODY)
    chances = np.zeros(len(nothing))
    for width in range(len(all_)):
        chances += (
            parts[0, width] * own[0, width]
            + parts[1, width] * own[1, width]
            + parts[2, width] * like[width]
            + parts[3, width] * all_like[width]
            + parts[4, width] * (all_[width] + NOBODY * nothing)
        )
    return chances


def cheapest(chances: Floats, gaps: float, other_gaps: float) -> int:
    """Which of `RATIOS` costs least if the chances are right; while little is known, near T*."""
    known = 1.0 + gaps + LEAN_FADES * other_gaps
    held, longer = 0.0, 1.0
    best, least = 0, math.inf
    for cell in range(CELLS):
        cost = held + longer * (RATIOS[cell] + 1.0) + AWAY[cell] / known
        if cost < least:
            best, least = cell, cost
        held += chances[cell] * MIDDLES[cell]
        longer -= chances[cell]
    return best


def judge(
    cell: int,
    nothing: Floats,
    own: Floats,
    own_gaps: Floats,
    like: Floats,
    like_gaps: float,
    all_like: Floats,
    all_like_gaps: float,
    all_: Floats,
    all_gaps: float,
    weights: Floats,
    all_weights: Floats,
) -> None:
    """Weigh each guess anew, by how likely it held the gap that has ended in that cell.

    The rest is what `expect` was given.
    """
    best = all_best = 0.0
    for guess in range(GUESSES):
        width, memory = guess // 18, guess // 9 % 2
        context, pseudo = guess // 3 % 3, PSEUDO_GAPS[guess % 3]
        chance = (all_[width, cell] + NOBODY * nothing[cell]) / (all_gaps + NOBODY)
        if context == 2:
            chance = (all_like[width, cell] + pseudo * chance) / (all_like_gaps + pseudo)
        chance = (own[memory, width, cell] + pseudo * chance) / (own_gaps[memory] + pseudo)
        if context >= 1:
            chance = (like[width, cell] + pseudo * chance) / (like_gaps + pseudo)
        weights[guess] *= chance
        all_weights[guess] *= chance
        best = max(best, weights[guess])
        all_best = max(all_best, all_weights[guess])
    for guess in range(GUESSES):
        weights[guess] = max(weights[guess] / best, LEAST_WEIGHT)
        all_weights[guess] = max(all_weights[guess] / all_best, LEAST_WEIGHT)
