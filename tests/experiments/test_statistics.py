"""Intervals: what they must be for known data, and how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lifecycle_widgets.experiments import Interval, median_interval, ratio_interval


def test_a_single_value_has_itself_as_its_interval() -> None:
    assert median_interval([2.5]) == Interval(2.5, 2.5, 2.5, 1)


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
