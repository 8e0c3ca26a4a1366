"""Fewer points for the same picture: the extremes of every stretch of time are kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def keep(xs: Sequence[float], ys: Sequence[float], limit: int) -> list[int]:
    """Which points to draw so that no peak and no trough is lost.

    Time is cut into stretches of equal width, and the lowest and the highest point of each are
    kept, with the first and the last of all. The stretches start at multiples of their width, and
    the width is a power of two: a window that moves a little keeps choosing the same points, so
    that the line does not flicker.

    Parameters
    ----------
    xs:
        Ascending (equal neighbours are allowed), finite.
    ys:
        As many; a NaN (nothing was measured) is never kept in place of a number.
    limit:
        The most points that may be kept, at least 8.

    Returns
    -------
    list of int
        Ascending indices, at most ``limit`` of them; all of them when there are no more than that.

    Raises
    ------
    ValueError
        For a limit below 8, or when ``xs`` and ``ys`` differ in length.

    Examples
    --------
    >>> keep([0, 1, 2, 3], [5, 1, 9, 2], limit=8)
    [0, 1, 2, 3]
    >>> ys = [0.0] * 1000
    >>> ys[123] = 7.0
    >>> 123 in keep(range(1000), ys, limit=10)
    True
    """
    if limit < 8:
        raise ValueError(f"limit is {limit}; at least 8 points are needed.")
    if len(xs) != len(ys):
        raise ValueError(f"{len(xs)} times and {len(ys)} values: as many are needed.")
    if len(xs) <= limit:
        return list(range(len(xs)))
    at, values = np.asarray(xs, dtype=float), np.asarray(ys, dtype=float)
    # n stretches that begin anywhere touch n + 1; one more for the rounding of floats
    width = _width((at[-1] - at[0]) / (limit // 2 - 3))
    numbers = np.flatnonzero(~np.isnan(values))
    stretch = at[numbers] // width
    order = np.lexsort((values[numbers], stretch))  # by stretch, in each from the lowest up
    is_new = np.flatnonzero(np.diff(stretch[order])) + 1
    lowest, highest = np.append(0, is_new), np.append(is_new, len(order)) - 1
    picked = numbers[order[np.concatenate([lowest, highest])]] if len(order) else numbers
    return sorted({0, len(xs) - 1, *picked.tolist()})


def _width(at_least: float) -> float:
    """The next power of two; infinite when all points lie at one time."""
    return math.ldexp(1.0, math.frexp(at_least)[1]) if at_least > 0 else math.inf
