"""The picture with fewer points is the same picture: no extreme is lost, and it does not grow."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_widgets.widgets.chart.decimate import keep

numbers = st.floats(-1e12, 1e12, allow_nan=False)


@st.composite
def series(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    """Ascending times with gaps and equal neighbours, and values some of which are missing."""
    steps = draw(st.lists(st.floats(0, 1e6), min_size=0, max_size=400))
    start = draw(st.floats(-1e9, 2e9))
    xs = [start]
    for step in steps:
        xs.append(xs[-1] + step)
    ys = draw(st.lists(numbers | st.just(math.nan), min_size=len(xs), max_size=len(xs)))
    return xs, ys


@given(series(), st.integers(8, 60))
def test_keeps_extremes_ends_and_order_within_the_bound(
    data: tuple[list[float], list[float]], limit: int
) -> None:
    xs, ys = data
    kept = keep(xs, ys, limit)
    assert len(kept) <= limit
    assert kept == sorted(set(kept))
    assert kept[0] == 0
    assert kept[-1] == len(xs) - 1
    known = [y for y in ys if not math.isnan(y)]
    if known:
        drawn = [ys[i] for i in kept if not math.isnan(ys[i])]
        assert min(drawn) == min(known)
        assert max(drawn) == max(known)


@given(st.integers(1, 300), st.integers(8, 400))
def test_few_points_are_all_kept(count: int, limit: int) -> None:
    if count <= limit:
        assert keep(range(count), range(count), limit) == list(range(count))


def test_a_moving_window_keeps_choosing_the_same_points() -> None:
    ys = [float((i * 7919) % 1000) for i in range(3000)]
    xs = [1.7e12 + 500.0 * i for i in range(3000)]
    first = {i + 0 for i in keep(xs[0:2000], ys[0:2000], 300)}
    later = {i + 3 for i in keep(xs[3:2003], ys[3:2003], 300)}
    # only at the two ends may the choice differ
    assert {i for i in first if 50 < i < 1950} == {i for i in later if 50 < i < 1950}


@pytest.mark.parametrize("limit", [-1, 0, 7])
def test_a_limit_that_is_too_small_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="at least 8"):
        keep([], [], limit)


def test_as_many_values_as_times() -> None:
    with pytest.raises(ValueError, match="2 times and 1 values"):
        keep([0, 1], [0], 8)
