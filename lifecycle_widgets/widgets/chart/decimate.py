"""Fewer points for the same picture: the extremes of every stretch of time are kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence


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
    kept = {0, len(xs) - 1}
    # n stretches that begin anywhere touch n + 1; one more for the rounding of floats
    width = _width((xs[-1] - xs[0]) / (limit // 2 - 3))
    for start, end in _stretches(xs, width):
        numbers = [i for i in range(start, end) if not math.isnan(ys[i])]
        if numbers:
            kept.add(min(numbers, key=ys.__getitem__))
            kept.add(max(numbers, key=ys.__getitem__))
    return sorted(kept)


def _width(at_least: float) -> float:
    """The next power of two; infinite when all points lie at one time."""
    return math.ldexp(1.0, math.frexp(at_least)[1]) if at_least > 0 else math.inf


def _stretches(xs: Sequence[float], width: float) -> Iterator[tuple[int, int]]:
    """The index ranges of the points that lie in one stretch."""
    start, number = 0, xs[0] // width
    for i, x in enumerate(xs):
        if x // width != number:
            yield start, i
            start, number = i, x // width
    yield start, len(xs)
