"""Medians and spread, in one line."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

Row = Callable[[str, str], None]
"""Prints a name and what was measured."""


def spread(seconds: Sequence[float], *, digits: int = 1) -> str:
    """Median and quartiles in milliseconds.

    Examples
    --------
    >>> spread([0.001, 0.002, 0.003, 0.004, 0.005])
    '3.0 ms (1.5 to 4.5; n = 5)'
    """
    ms = [1e3 * s for s in seconds]
    low, _, high = statistics.quantiles(ms, n=4)
    middle = statistics.median(ms)
    return f"{middle:.{digits}f} ms ({low:.{digits}f} to {high:.{digits}f}; n = {len(ms)})"


def median_and_worst(seconds: Sequence[float]) -> str:
    """Median and worst in milliseconds.

    Examples
    --------
    >>> median_and_worst([0.001, 0.002, 0.030])
    '2 ms, worst 30 ms (n = 3)'
    """
    ms = [1e3 * s for s in seconds]
    return f"{statistics.median(ms):.0f} ms, worst {max(ms):.0f} ms (n = {len(ms)})"
