"""What follows the leader, for many gaps at once; compiled.

It is imported when a workload is replayed, as it imports numba.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def costs_now(counts, sums, ends, reach, factors, ttls, t_star):  # type: ignore[no-untyped-def]
    """What the gaps in the cells cost with each TTL (see `GapCells.costs`)."""
    held, longer = np.cumsum(sums), np.cumsum(counts)
    gaps = longer[-1]
    costs = np.zeros(len(ttls))
    for factor in range(len(factors)):
        for ttl in range(len(ttls)):
            reloads = gaps - longer[reach[factor, ttl]]
            of_held = factors[factor] * held[reach[factor, ttl]]
            costs[ttl] += (of_held + reloads * ttls[ttl]) / t_star + reloads
    return costs / len(factors)


@njit(cache=True, nogil=True)
def follow(  # type: ignore[no-untyped-def]
    gaps, counts, sums, ends, lines, reach, factors, gains, ttls, t_star, lean, slack
):
    """Of each gap of one stream the TTL that is in force, and the slack after the last.

    The counts and sums are those of the gaps before, and are written on. With an infinite slack
    whatever leads is affordable.

    A leader stays the leader until another can have come up. With a longer TTL it comes up by the
    share of a smeared gap that can lie between the two (`gains`), with a shorter one by what lies
    between them, held: so with the leads known, it is known how many gaps need no look at all.
    """
    shift, lowest, table = lines
    bits = gaps.view(np.int64)
    last = len(table) - 1
    in_force = np.empty(len(gaps))
    widest = factors.max()
    leader, longer, left_longer, left = 0, 0.0, -1.0, -1.0
    for i in range(len(gaps)):
        if left_longer < 0.0 or left <= 0.0:
            costs = costs_now(counts, sums, ends, reach, factors, ttls, t_star) + lean
            leader = int(np.argmin(costs))
            leads = costs - costs[leader]
            left_longer, left = np.inf, np.inf
            for ttl in range(leader):
                left = min(left, leads[ttl] * t_star / (ttls[leader] - ttls[ttl]))
            for ttl in range(leader + 1, len(ttls)):
                left_longer = min(left_longer, leads[ttl] / gains[leader, ttl])
            longer = ttls[leader] / widest
        ttl = ttls[leader]
        if abs(ttl / t_star - 1.0) > slack:
            ttl = t_star
        in_force[i] = ttl
        gap = gaps[i]
        reloads = 1.0 if gap > ttl else 0.0
        slack += 2.0 * min(gap / t_star, 1.0) - (min(gap, ttl) / t_star + reloads)
        cell = table[min(max((bits[i] >> shift) - lowest, 0), last)]
        while cell < len(ends) and gap > ends[cell]:
            cell += 1
        counts[cell] += 1.0
        sums[cell] += gap
        left -= 1.0
        if gap > longer:
            left_longer -= 1.0
    return in_force, slack


@njit(cache=True, nogil=True)
def follow_with_prior(  # type: ignore[no-untyped-def]
    begins, which, gaps, streams, ends, reach, factors, ttls, t_star, lean, slack, most
):
    """Of each gap the TTL in force, in the order in which they begin; the prior as in `prior`."""
    counts, sums = np.zeros((streams, len(ends) + 1)), np.zeros((streams, len(ends) + 1))
    all_counts, all_sums = np.zeros(len(ends) + 1), np.zeros(len(ends) + 1)
    slacks = np.full(streams, slack)
    now = np.zeros(streams)
    in_force = np.empty(int(begins.sum()))
    done = 0
    for i in range(len(begins)):
        one, gap = which[i], gaps[i]
        if begins[i]:
            others = all_counts - counts[one]
            number = others.sum()
            share = min(number, most) / max(number, 1.0)
            beside = counts[one] + share * others
            beside_sums = sums[one] + share * (all_sums - sums[one])
            costs = costs_now(beside, beside_sums, ends, reach, factors, ttls, t_star) + lean
            ttl = ttls[np.argmin(costs)]
            now[one] = ttl if abs(ttl / t_star - 1.0) <= slacks[one] else t_star
            in_force[done] = now[one]
            done += 1
            continue
        cost = min(gap, now[one]) / t_star + (1.0 if gap > now[one] else 0.0)
        slacks[one] += 2.0 * min(gap / t_star, 1.0) - cost
        cell = np.searchsorted(ends, gap)
        counts[one, cell] += 1.0
        sums[one, cell] += gap
        all_counts[cell] += 1.0
        all_sums[cell] += gap
    return in_force
