"""mixture_ttls: the advice's learner in its bank, for many streams and gaps at once; compiled.

It is imported when a workload is replayed, as it imports numba. What numba has compiled it keeps
until this file's date changes: whoever changes `foresight` touches this file, too (a test of the
policies is red until then).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lifecycle_widgets.advisor.policies.learners import foresight
from lifecycle_widgets.advisor.policies.learners.foresight import (
    BEFORE,
    CELLS,
    CLASSES,
    GUESSES,
    MEMORIES,
    NOBODY,
    PSEUDO_GAPS,
    RATIOS,
    WIDTHS,
)

fill_up = njit(cache=True, nogil=True)(foresight.fill_up)
expect = njit(cache=True, nogil=True)(foresight.expect)
cheapest = njit(cache=True, nogil=True)(foresight.cheapest)
judge = njit(cache=True, nogil=True)(foresight.judge)

ENDS = RATIOS[1:].copy()
KINDS = np.array(BEFORE)
LOOKED_AT = 250
"""Of more streams than that not every decision looks anew at who of the others is idle."""


@njit(cache=True, nogil=True)
def mixture_ttls(at, begins, which, gaps, streams, nothing, smears, bank):  # type: ignore[no-untyped-def]
    """Of each gap: the TTL in force, what was learned, and the slack as it began.

    Parameters
    ----------
    at, begins, which, gaps:
        The moments (see `in_time`), in the order of time; times and gaps over T*. A gap that only
        begins is the last of its stream.
    streams:
        How many there are.
    nothing:
        What is expected where nothing is known (`foresight.unknown`).
    smears:
        `foresight.SMEARS`: too large for a constant.
    bank:
        What each stream's bank starts with, in reloads.

    Returns
    -------
    tuple
        Three arrays with a value for each moment at which a gap begins, in that order; TTLs over
        T*.
    """
    own = np.zeros((streams, len(MEMORIES), len(WIDTHS), CELLS))
    like = np.zeros((streams, CLASSES, len(WIDTHS), CELLS))
    own_gaps, like_gaps = np.zeros((streams, len(MEMORIES))), np.zeros((streams, CLASSES))
    all_, all_like = np.zeros((len(WIDTHS), CELLS)), np.zeros((CLASSES, len(WIDTHS), CELLS))
    all_gaps, all_like_gaps, gaps_of = 0.0, np.zeros(CLASSES), np.zeros(streams)
    weights, all_weights = np.ones((streams, GUESSES)), np.ones(GUESSES)
    kinds = np.zeros(streams, np.int64)  # of the gap before: none, short, middling, long
    slack, in_force = np.full(streams, bank), np.ones(streams)
    since = np.full(streams, np.inf)  # of gaps that go on
    ages = np.zeros((CLASSES + 1, CELLS))  # the last: of all kinds
    ttls = np.empty(int(begins.sum()))
    learned, slacks = np.empty(len(ttls)), np.empty(len(ttls))
    done = 0
    for moment in range(len(at)):
        one = which[moment]
        kind = kinds[one]
        if begins[moment]:
            if streams > 1 and done % (1 + streams // LOOKED_AT) == 0:
                look(at[moment], one, since, kinds, ages)
            seen, seen_like = with_idle(all_, all_gaps, all_like[kind], ages, kind, nothing)
            chances = expect(
                nothing,
                own[one],
                own_gaps[one],
                like[one, kind],
                like_gaps[one, kind],
                seen_like,
                seen_like[0].sum(),
                seen,
                seen[0].sum(),
                weights[one],
                all_weights,
            )
            ratio = RATIOS[cheapest(chances, gaps_of[one], all_gaps)]
            in_force[one] = ratio if abs(ratio - 1.0) <= slack[one] else 1.0
            ttls[done], learned[done], slacks[done] = in_force[one], ratio, slack[one]
            since[one] = at[moment]
            done += 1
            continue
        gap = gaps[moment]
        cost = min(gap, in_force[one]) + (1.0 if gap > in_force[one] else 0.0)
        slack[one] += 2.0 * min(gap, 1.0) - cost
        since[one] = np.inf
        cell = np.searchsorted(ENDS, gap)
        judge(
            cell,
            nothing,
            own[one],
            own_gaps[one],
            like[one, kind],
            like_gaps[one, kind],
            all_like[kind],
            all_like_gaps[kind],
            all_,
            all_gaps,
            weights[one],
            all_weights,
        )
        add(smears[:, cell], all_, all_like[kind], like[one, kind], own[one])
        for memory in range(len(MEMORIES)):
            own_gaps[one, memory] = MEMORIES[memory] * own_gaps[one, memory] + 1.0
        all_gaps += 1.0
        all_like_gaps[kind] += 1.0
        like_gaps[one, kind] += 1.0
        gaps_of[one] += 1.0
        kinds[one] = 1 + np.searchsorted(KINDS, gap)
    return ttls, learned, slacks


@njit(cache=True, nogil=True)
def add(smeared, all_, all_like, like, own):  # type: ignore[no-untyped-def]
    """Count a gap, smeared, wherever it counts. Loops, as they are compiled soonest."""
    for width in range(len(smeared)):
        for cell in range(CELLS):
            part = smeared[width, cell]
            all_[width, cell] += part
            all_like[width, cell] += part
            like[width, cell] += part
            for memory in range(len(own)):
                own[memory, width, cell] = MEMORIES[memory] * own[memory, width, cell] + part


@njit(cache=True, nogil=True)
def look(now, one, since, kinds, ages):  # type: ignore[no-untyped-def]
    """How many gaps of the others go on, per kind of the gap before and cell of their age."""
    ages[:] = 0.0
    for other in range(len(since)):
        if since[other] < now and other != one:
            cell = np.searchsorted(ENDS, now - since[other])
            ages[kinds[other], cell] += 1.0
            ages[CLASSES, cell] += 1.0


@njit(cache=True, nogil=True)
def with_idle(all_, all_gaps, all_like, ages, kind, nothing):  # type: ignore[no-untyped-def]
    """What all streams have shown, and after a gap of that kind, with what goes on."""
    seen, seen_like = all_, all_like
    wide = np.empty(all_.shape)
    if ages[CLASSES].sum() > 0.0:
        for width in range(len(wide)):
            for cell in range(CELLS):
                wide[width, cell] = nothing[cell]
        seen = fill_up(all_, ages[CLASSES], wide, NOBODY)
    if ages[kind].sum() > 0.0:
        for width in range(len(wide)):
            for cell in range(CELLS):
                known = all_[width, cell] + NOBODY * nothing[cell]
                wide[width, cell] = known / (all_gaps + NOBODY)
        seen_like = fill_up(all_like, ages[kind], wide, PSEUDO_GAPS[1])
    return seen, seen_like
