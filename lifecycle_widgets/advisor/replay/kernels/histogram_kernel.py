"""windows: the hybrid histogram's, for many gaps at once; compiled.

It is imported when a workload is replayed, as it imports numba. What numba has compiled it keeps
until this file's date changes: whoever changes the constants touches this file, too.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lifecycle_widgets.advisor.policies.histogram import (
    BIN_S,
    BINS,
    FORECAST_MARGIN,
    HEAD,
    LEAST_CV,
    MARGIN,
    SMOOTHING,
    TAIL,
)


@njit(cache=True, nogil=True)
def windows(gaps, sizes):  # type: ignore[no-untyped-def]
    """Of each gap from when to when the model is in memory; see `HybridHistogram`.

    The gaps are those of several streams, one after the other, of so many each.
    """
    since, until = np.empty(len(gaps)), np.empty(len(gaps))
    i = 0
    for stream in range(len(sizes)):
        counts = np.zeros(BINS)
        within, beyond, squares, forecast = 0.0, 0.0, 0.0, np.nan
        for _ in range(sizes[stream]):
            mean = within / BINS
            if beyond > within:
                since[i] = forecast * (1 - FORECAST_MARGIN)
                until[i] = forecast * (1 + FORECAST_MARGIN)
            elif mean == 0.0 or np.sqrt(squares / BINS - mean * mean) < LEAST_CV * mean:
                since[i], until[i] = 0.0, BINS * BIN_S
            else:
                head, below = 0, counts[0]
                while below < HEAD * within:
                    head += 1
                    below += counts[head]
                tail = head
                while below < TAIL * within:
                    tail += 1
                    below += counts[tail]
                since[i] = head * BIN_S * (1 - MARGIN)
                until[i] = (tail + 1) * BIN_S * (1 + MARGIN)
            gap = gaps[i]
            old = gap if np.isnan(forecast) else forecast
            forecast = old + SMOOTHING * (gap - old)
            if gap < BINS * BIN_S:
                place = int(gap // BIN_S)
                squares += 2 * counts[place] + 1
                counts[place] += 1
                within += 1
            else:
                beyond += 1
            i += 1
    return since, until
