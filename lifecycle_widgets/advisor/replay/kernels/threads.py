"""over_threads: one long array, worked on in pieces by as many threads as there are processors."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from lifecycle_widgets.advisor.workload.workload import Seconds

_T = TypeVar("_T")
_LEAST = 100_000  # what a thread is worth starting for


def over_threads(work: Callable[[Seconds], _T], values: Seconds) -> list[_T]:
    """What the work makes of each piece of the values, in their order.

    Threads of Python, not numba's: those of its simplest layer, the only one that is always there,
    end the process when two threads of a notebook start them at once.

    Parameters
    ----------
    work:
        Gets a piece that it may read only; it must let go of the interpreter (``nogil``).
    values:
        In one row in memory.

    Examples
    --------
    >>> sum(over_threads(np.sum, np.ones(1_000_000)))
    np.float64(1000000.0)
    """
    values = values.view()
    values.flags.writeable = False  # a kernel is compiled once, whatever it is given
    pieces = max(1, min(_processors(), len(values) // _LEAST))
    if pieces == 1:
        return [work(values)]
    with ThreadPoolExecutor(pieces) as pool:
        return list(pool.map(work, np.array_split(values, pieces)))


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
