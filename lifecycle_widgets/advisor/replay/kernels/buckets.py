"""buckets: many gaps, counted and summed by the TTLs between which they lie, in one pass."""

from __future__ import annotations

import numpy as np

from lifecycle_widgets.advisor.replay.kernels.threads import over_threads
from lifecycle_widgets.advisor.workload.workload import Counts, Seconds

_MANTISSA_BITS = 8
_SHIFT = 52 - _MANTISSA_BITS  # of a double's bits: what is left are its exponent and those


def buckets(gaps_s: Seconds, ttls_s: Seconds) -> tuple[Counts, Seconds]:
    """How many gaps lie in each bucket, and their sum in seconds, as `profile_of_buckets` says.

    Parameters
    ----------
    gaps_s:
        In seconds, not below 0.
    ttls_s:
        In seconds, ascending and distinct.

    Examples
    --------
    >>> counts, sums_s = buckets(np.array([10.0, 60.0, 300.0]), np.array([0.0, 30.0, 60.0]))
    >>> counts.tolist(), sums_s.tolist()
    ([0, 1, 1, 1], [0.0, 10.0, 60.0, 300.0])
    """
    from lifecycle_widgets.advisor.replay.kernels.gap_kernels import count_and_sum  # imports numba

    bounds = np.append(ttls_s, np.inf)
    shift, lowest, table = first_lines(bounds)

    def of_piece(gaps: Seconds) -> tuple[Counts, Seconds]:
        bits = gaps.view(np.int64)
        counted: tuple[Counts, Seconds] = count_and_sum(gaps, bits, shift, table, lowest, bounds)
        return counted

    counts, sums_s = zip(*over_threads(of_piece, gaps_s), strict=True)
    return sum(counts[1:], counts[0]), sum(sums_s[1:], sums_s[0])


def first_lines(bounds: Seconds) -> tuple[int, int, Counts]:
    """Where to begin to look for a gap's bound, by the first bits of the gap.

    How many bits are dropped, the first bits of the table's first line, and the table.

    The lines go from the least bound above 0 to the last that is finite. What is shorter has the
    first line, which begins at 0; what is longer the last.
    """
    above = bounds[(bounds > 0) & np.isfinite(bounds)]
    if not len(above):
        return _SHIFT, 0, np.zeros(1, np.int64)
    lowest, highest = (above[[0, -1]].view(np.int64) >> _SHIFT).tolist()
    lines = np.arange(lowest, highest + 2, dtype=np.int64)
    table = np.searchsorted(bounds, (lines << _SHIFT).view(np.float64))
    table[0] = 0
    return _SHIFT, lowest, table
