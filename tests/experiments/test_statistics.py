"""Intervals: what they must be for known data, and how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lifecycle_widgets.experiments import Interval, median_interval, ratio_interval
from lifecycle_widgets.experiments.statistics import (
    difference_interval,
    generator,
    interval_of_draws,
    median_and_draws,
    quantiles,
)


def test_of_a_single_value_neither_end_is_known() -> None:
    alone = median_interval([70.2])
    assert alone == Interval(-math.inf, 70.2, math.inf, 1)
    assert not alone.has_ends
    assert str(alone) == "70.2 (n=1)"
    assert alone.overlaps(Interval(1, 2, 3, 5))
    assert ratio_interval([10.0, 11.0, 12.0], [2.0]) == Interval(-math.inf, 5.5, math.inf, 1)
    assert difference_interval([3.0], [2.0, 2.0]) == Interval(-math.inf, 1.0, math.inf, 1)


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(1, 2, 3, 5), "2 (1 to 3, n=5)"),
        (Interval(-math.inf, 2, math.inf, 5), "2 (n=5)"),
        (Interval(1, 2, math.inf, 5), "2 (1 or more, n=5)"),
        (Interval(-math.inf, 2, 3, 5), "2 (up to 3, n=5)"),
        (Interval(-math.inf, math.nan, math.inf, 0), "not known"),
        (Interval(999.7, 1815, 2000, 5), "1815 (1000 to 2000, n=5)"),
    ],
)
def test_what_is_not_known_is_not_written(interval: Interval, text: str) -> None:
    assert str(interval) == text


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_what_has_a_part_that_nobody_knows_has_ends_that_nobody_knows() -> None:
    """Sums and differences, as the waiting of an arm is: one kind of call was made once."""
    rng = generator()
    known, alone = median_and_draws([1.0, 2.0, 3.0], rng), median_and_draws([5.0], rng)
    none = median_and_draws([], rng)
    assert interval_of_draws(known, 3).has_ends
    for row, median in ((2 * known + alone, 9.0), (alone - known, 3.0), (alone - alone, 0.0)):
        assert interval_of_draws(row, 4) == Interval(-math.inf, median, math.inf, 4)
    assert str(interval_of_draws(known + none, 3)) == "not known"
    low, high = quantiles(np.stack([known, alone]))
    assert np.isfinite([low[0], high[0]]).all()
    assert (low[1], high[1]) == (-math.inf, math.inf)


def test_beside_other_work_the_lower_end_goes_down() -> None:
    one = Interval(1.0, 1.2, 1.5, 7)
    assert one.beside(0.5) == Interval(0.5, 1.2, 1.5, 7)
    assert one.beside(0) == one
    less = Interval(-1.0, 1.2, 1.5, 7)
    assert less.beside(0.5) == less, "never narrower"
    assert median_interval([2.0]).beside(0.5) == median_interval([2.0])


def test_equal_values_have_no_width() -> None:
    assert median_interval([3.0] * 5) == Interval(3.0, 3.0, 3.0, 5)


def test_the_median_lies_within_and_the_interval_within_the_data() -> None:
    data = [5.0, 1.0, 9.0, 3.0, 7.0, 4.0]
    interval = median_interval(data)
    assert min(data) <= interval.low <= interval.median == 4.5 <= interval.high <= max(data)


def test_the_same_data_give_the_same_interval() -> None:
    data = list(np.random.default_rng(1).normal(size=30))
    assert median_interval(data) == median_interval(data)


def test_nan_is_left_out_and_nothing_is_an_error() -> None:
    assert median_interval([1.0, math.nan, 3.0]).n == 2
    with pytest.raises(ValueError, match="no value was measured"):
        median_interval([math.nan])
    with pytest.raises(ValueError, match="no value was measured"):
        ratio_interval([], [1.0])


def test_it_holds_the_true_median_about_as_often_as_it_says() -> None:
    """Of 200 samples of 25 from an exponential, 95 % intervals hold ln 2 in at least 88 %."""
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(200):
        interval = median_interval(list(rng.exponential(size=25)))
        held += interval.low <= math.log(2) <= interval.high
    assert held >= 176


def test_more_data_give_a_narrower_interval() -> None:
    rng = np.random.default_rng(3)
    few, many = (median_interval(list(rng.normal(10, 1, n))) for n in (8, 200))
    assert many.high - many.low < few.high - few.low


def test_a_ratio_and_whether_it_can_be_told_from_one() -> None:
    rng = np.random.default_rng(5)
    slow, fast = rng.normal(15, 0.5, 8), rng.normal(1, 0.05, 8)
    ratio = ratio_interval(list(slow), list(fast))
    assert ratio.low < 15 < ratio.high
    assert ratio.low > 10
    same = ratio_interval(list(rng.normal(1, 0.1, 8)), list(rng.normal(1, 0.1, 8)))
    assert same.low < 1 < same.high


def test_a_ratio_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        ratio_interval([1.0], [0.0])


def test_overlap() -> None:
    one = Interval(1, 2, 3, 5)
    assert one.overlaps(Interval(3, 4, 5, 5))
    assert Interval(3, 4, 5, 5).overlaps(one)
    assert not one.overlaps(Interval(3.1, 4, 5, 5))
