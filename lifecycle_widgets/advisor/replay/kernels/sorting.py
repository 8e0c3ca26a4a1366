"""lines: many gaps, sorted, and what each of their lengths comes to as a TTL."""

from __future__ import annotations

import numpy as np

from lifecycle_widgets.advisor.workload.workload import Counts, Seconds


def lines(gaps_s: Seconds) -> tuple[Seconds, Seconds, Counts, int, float]:
    """What a `Profile` of every TTL is made of.

    Parameters
    ----------
    gaps_s:
        In seconds, finite and not below 0.

    Returns
    -------
    tuple
        The TTLs (0 and each length), what each holds in seconds, after how many gaps it reloads;
        then how many gaps there are, and how long they are together in seconds.

    Examples
    --------
    >>> ttls_s, held_s, reloads, gaps, total_s = lines(np.array([60.0, 10.0, 60.0]))
    >>> ttls_s.tolist(), held_s.tolist(), reloads.tolist(), gaps, total_s
    ([0.0, 10.0, 60.0], [0.0, 30.0, 130.0], [3, 2, 0], 3, 130.0)
    """
    from lifecycle_widgets.advisor.replay.kernels.gap_kernels import of_every_ttl  # imports numba

    gaps = len(gaps_s)
    bits = (gaps_s + 0.0).view(np.int64)  # a copy, and -0.0 is 0.0
    ttls_s, held_s, reloads = np.empty(gaps + 1), np.empty(gaps + 1), np.empty(gaps + 1, np.int64)
    found, total_s = of_every_ttl(bits, np.empty_like(bits), ttls_s, held_s, reloads)
    return ttls_s[:found], held_s[:found], reloads[:found], gaps, total_s
