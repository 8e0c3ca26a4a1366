"""Which value: what a person would write, what the gaps show for sure, and what is allowed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_widgets.advisor.recommend.choosing.choice import (
    Choice,
    choose,
    limited,
    seconds,
    worst_over_least,
)
from lifecycle_widgets.advisor.recommend.choosing.rounding import (
    NICE,
    NICE_S,
    nearest,
    nice_costs,
    rounded,
)
from lifecycle_widgets.advisor.replay.one_ttl import one_ttl
from lifecycle_widgets.keep_alive import KeepAlive

FEWER = settings(max_examples=40)
GAPS = st.lists(st.floats(0.1, 1e5), max_size=40).map(np.array)
T_STARS = st.floats(1.0, 1e5)
DEFAULT = KeepAlive("5m")


def test_nice_values_are_short_to_write_and_in_order() -> None:
    assert list(NICE_S) == sorted(set(NICE_S))
    assert all(len(str(value)) <= len("forever") for value in NICE)


@FEWER
@given(st.one_of(st.floats(0, 1e7), st.just(math.inf)), GAPS, T_STARS)
def test_a_rounded_value_is_near_and_as_cheap_as_its_neighbours(
    ttl_s: float, gaps_s: np.ndarray, t_star_s: float
) -> None:
    value = rounded(ttl_s, gaps_s, t_star_s)
    if value not in NICE:
        assert seconds(value) % 86_400 == 0
        assert abs(seconds(value) - ttl_s) <= 43_200
        return
    costs, _ = nice_costs(gaps_s, t_star_s)
    above = min(int(np.searchsorted(NICE_S, ttl_s)), len(NICE) - 1)
    assert costs[NICE.index(value)] <= costs[[max(0, above - 1), above]].min() + 1e-9


@FEWER
@given(GAPS, T_STARS)
def test_what_each_nice_value_costs(gaps_s: np.ndarray, t_star_s: float) -> None:
    costs, reloads = nice_costs(gaps_s, t_star_s)
    for value, cost, count in zip(NICE, costs, reloads, strict=True):
        held = one_ttl(gaps_s, seconds(value))
        assert (cost, count) == (pytest.approx(held.cost(t_star_s)), held.reloads)


@given(st.floats(1.0, 86_400.0))
def test_t_star_rounded_promises_nearly_as_much(t_star_s: float) -> None:
    assert worst_over_least(seconds(nearest(t_star_s)), t_star_s) < 2.42


@given(st.floats(0.01, 100.0), st.floats(0.01, 1e4), T_STARS)
def test_no_gap_costs_more_than_the_worst(ratio: float, gap_s: float, t_star_s: float) -> None:
    ttl_s = ratio * t_star_s
    cost = one_ttl(np.array([gap_s]), ttl_s).cost(t_star_s)
    assert cost <= worst_over_least(ttl_s, t_star_s) * min(gap_s / t_star_s, 1.0) + 1e-9


# --- choose --------------------------------------------------------------------------------------


def test_of_few_gaps_it_is_t_star() -> None:
    choice = choose(0.0, DEFAULT, [np.full(3, 3600.0)] * 3, 100.0)
    assert choice == Choice(KeepAlive("90s"), is_enough=False, too_few=True)


def test_without_a_gap_it_is_t_star() -> None:
    assert choose(0.0, DEFAULT, [], 120.0).value == KeepAlive("2m")


def test_what_every_day_shows_is_taken() -> None:
    choice = choose(0.0, DEFAULT, [np.full(4, 3600.0)] * 5, 120.0)
    assert choice == Choice(KeepAlive(0), is_enough=True, too_few=False)


def test_what_only_some_days_show_is_not() -> None:
    """Two long days beside three of short gaps: another week may be of these alone."""
    groups = [np.full(12, 3600.0)] * 2 + [np.full(6, 20.0)] * 3
    choice = choose(0.0, KeepAlive("1h"), groups, 120.0)
    assert (choice.value, choice.is_enough, choice.too_few) == (KeepAlive("2m"), False, False)


def test_todays_value_stays_where_nothing_costs_less() -> None:
    """All gaps are short: whatever is longer costs the same."""
    groups = [np.full(4, 20.0)] * 5
    assert choose(30.0, KeepAlive("3m"), groups, 120.0).value == KeepAlive("3m")


def test_todays_value_goes_where_another_promises_much_more() -> None:
    groups = [np.full(4, 20.0)] * 5
    assert choose(30.0, KeepAlive("forever"), groups, 120.0).value == KeepAlive("2m")


def test_where_it_is_of_no_matter_there_is_enough() -> None:
    """T* and the learned value differ by a hundredth: more days would change nothing."""
    groups = [np.append(np.full(100, 10.0), 100.0 + day) for day in range(5)]
    assert choose(90.0, KeepAlive("1h"), groups, 120.0).is_enough


# --- limited -------------------------------------------------------------------------------------


@FEWER
@given(GAPS, T_STARS, st.floats(0.1, 100.0), st.floats(0.0, 10.0))
def test_a_limit_of_reloads_is_kept_at_the_least_cost(
    gaps_s: np.ndarray, t_star_s: float, hours: float, most: float
) -> None:
    free = Choice(KeepAlive(0), is_enough=True, too_few=False)
    choice = limited(free, gaps_s, t_star_s, hours, most)
    costs, reloads = nice_costs(gaps_s, t_star_s)
    place = NICE.index(choice.value)
    assert reloads[place] <= most * hours
    if choice.without_limit is None:
        assert choice == free
    else:
        assert choice.without_limit == KeepAlive(0)
        assert costs[place] <= costs[reloads <= most * hours].min() + 1e-9
