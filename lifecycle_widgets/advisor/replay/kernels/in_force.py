"""in_force: what each policy keeps a model for in each gap, knowing only what had been."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.policies.fixed import FIXED_S
from lifecycle_widgets.advisor.policies.in_time import in_time
from lifecycle_widgets.advisor.policies.learners.foresight import SMEARS, unknown
from lifecycle_widgets.advisor.policies.learners.gap_cells import PLAIN, SMEARED, GapCells
from lifecycle_widgets.advisor.policies.learners.leader import lean_to_t_star
from lifecycle_widgets.advisor.policies.learners.prior import PSEUDO_GAPS
from lifecycle_widgets.advisor.policies.slack_bank import K_RELOADS
from lifecycle_widgets.advisor.replay.grid import grid
from lifecycle_widgets.advisor.replay.kernels.buckets import first_lines
from lifecycle_widgets.advisor.workload.workload import Seconds, Stream


def in_force(
    name: str, streams: Sequence[Stream], t_star_s: float
) -> tuple[Seconds, Seconds, Seconds]:
    """Of each gap its length, and from when to when the model is in memory, in seconds.

    All from the gap's beginning, one stream's gaps after the other's. Only the hybrid histogram has
    another beginning than 0, and the randomised ski rental is not here: it has expected costs.

    Parameters
    ----------
    name:
        Of `POLICIES`.
    streams:
        By one clock.
    t_star_s:
        T* in seconds.

    Examples
    --------
    >>> import numpy as np
    >>> from lifecycle_widgets.advisor.workload.workload import Stream
    >>> stream = Stream("a", np.array([0.0, 60.0]), np.array([5.0, 70.0]), np.array([True]), 2)
    >>> [of_one.tolist() for of_one in in_force("5m", [stream], 30.0)]
    [[55.0], [0.0], [300.0]]
    """
    gaps_s = np.concatenate([np.zeros(0), *(one.gaps_s for one in streams)])
    from_s = np.zeros(len(gaps_s))
    if name == "advice":
        return gaps_s, from_s, _advice(streams, t_star_s)
    if name == "slack bank with prior":
        return gaps_s, from_s, _with_prior(streams, t_star_s)
    if name in ("follow the leader", "slack bank"):
        return gaps_s, from_s, _leaders(name, streams, t_star_s)
    if name == "hybrid histogram":
        from lifecycle_widgets.advisor.replay.kernels.histogram_kernel import windows  # numba

        sizes = np.array([len(one.gaps_s) for one in streams], dtype=np.int64)
        return (gaps_s, *windows(gaps_s, sizes))
    return gaps_s, from_s, np.full(len(gaps_s), FIXED_S.get(name, t_star_s))


def _advice(streams: Sequence[Stream], t_star_s: float) -> Seconds:
    from lifecycle_widgets.advisor.replay.kernels.mixture_kernel import mixture_ttls  # numba

    # whoever is idle may be asked again or not: nobody knows, so the last gaps go on as well
    moments = in_time(streams, tails=True)
    at, gaps = moments.at_s / t_star_s, moments.gap_s / t_star_s
    nothing = unknown(t_star_s)
    ttls, _, _ = mixture_ttls(
        at, moments.begins, moments.which, gaps, len(streams), nothing, SMEARS, K_RELOADS
    )
    has_ended = ~np.isnan(gaps[moments.begins])
    return by_stream(ttls[has_ended] * t_star_s, moments.which[moments.begins][has_ended])


def _with_prior(streams: Sequence[Stream], t_star_s: float) -> Seconds:
    from lifecycle_widgets.advisor.replay.kernels.leader_kernel import follow_with_prior  # numba

    moments, cells = in_time(streams), GapCells(t_star_s, SMEARED)
    ttls_s = follow_with_prior(
        moments.begins,
        moments.which,
        moments.gap_s,
        len(streams),
        cells.edges_s,
        cells.reach,
        np.array(cells.factors),
        cells.ttls_s,
        t_star_s,
        lean_to_t_star(cells.ttls_s, t_star_s),
        K_RELOADS,
        PSEUDO_GAPS,
    )
    return by_stream(ttls_s, moments.which[moments.begins])


def by_stream(values: Seconds, which: npt.NDArray[np.int64]) -> Seconds:
    """What is in the order of time, one stream after the other.

    Examples
    --------
    >>> by_stream(np.array([1.0, 2.0, 3.0]), np.array([1, 0, 1])).tolist()
    [2.0, 1.0, 3.0]
    """
    return values[np.argsort(which, kind="stable")]


def _leaders(name: str, streams: Sequence[Stream], t_star_s: float) -> Seconds:
    factors, slack = (SMEARED, K_RELOADS) if name == "slack bank" else (PLAIN, np.inf)
    followed = [follow_leader(one.gaps_s, GapCells(t_star_s, factors), slack)[0] for one in streams]
    return np.concatenate([np.zeros(0), *followed])


def follow_leader(gaps_s: Seconds, cells: GapCells, slack: float) -> tuple[Seconds, float]:
    """Follow the leader through the gaps of one stream: the TTLs in force, and the slack at last.

    Parameters
    ----------
    gaps_s:
        How long each was, in seconds, in order.
    cells:
        What came before; these gaps are added. So a long stream can be followed in pieces.
    slack:
        What the bank holds, in reloads; inf: there is none, and the leader is followed.

    Examples
    --------
    >>> cells = GapCells(30.0)
    >>> follow_leader(np.full(4, 3600.0), cells, np.inf)[0].round(1).tolist()
    [30.0, 3.1, 1.6, 1.0]
    """
    from lifecycle_widgets.advisor.replay.kernels.leader_kernel import follow  # imports numba

    ttls_s, slack_at_last = follow(
        np.array(gaps_s, dtype=np.float64),  # read-only would be another type, compiled anew
        cells.counts,
        cells.sums_s,
        cells.edges_s,
        first_lines(np.append(cells.edges_s, np.inf)),
        cells.reach,
        np.array(cells.factors),
        _gains(cells.t_star_s, cells.factors),
        cells.ttls_s,
        cells.t_star_s,
        lean_to_t_star(cells.ttls_s, cells.t_star_s),
        slack,
    )
    return ttls_s, float(slack_at_last)


@lru_cache(maxsize=64)
def _gains(t_star_s: float, factors: tuple[float, ...]) -> Seconds:
    """Of each TTL and each longer one, how much of a smeared gap can lie between the two."""
    ttls_s, of_all = grid(t_star_s), np.array(factors)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(ttls_s[:, None] > 0, ttls_s[None] / ttls_s[:, None], np.inf)
    of_first = [
        sum((of_all[b] >= first) & (of_all[b] < first * ratio) for b in range(len(factors)))
        for first in factors
    ]
    return np.asarray(np.max(of_first, axis=0) / len(factors))
