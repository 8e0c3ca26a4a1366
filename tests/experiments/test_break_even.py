"""The ski-rental arithmetic: T*, what a pause costs, and the rule that is never twice as bad."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifecycle_widgets.experiments.break_even import (
    break_even_interval,
    break_even_s,
    cost,
    reload_interval,
)
from lifecycle_widgets.experiments.statistics import Interval

SECONDS = st.floats(0.001, 1e6)


@given(reload_s=SECONDS, held_bytes=st.floats(1e6, 1e12), price=st.floats(1e-6, 1e3))
def test_at_t_star_holding_costs_what_a_load_costs(
    reload_s: float, held_bytes: float, price: float
) -> None:
    t_star_s = break_even_s(reload_s, held_bytes, price)
    assert t_star_s * held_bytes / 1e9 * price == pytest.approx(reload_s)


@given(gap_s=SECONDS, t_star_s=SECONDS)
@example(gap_s=30.0, t_star_s=30.0)
def test_let_go_after_t_star_it_never_costs_more_than_twice_the_best(
    gap_s: float, t_star_s: float
) -> None:
    best = min(cost(gap_s, 0, t_star_s), cost(gap_s, math.inf, t_star_s))
    assert cost(gap_s, t_star_s, t_star_s) <= 2 * best + 1e-9


def test_where_holding_is_free_one_never_lets_go() -> None:
    assert break_even_s(2.0, 1e9, 0) == math.inf
    assert break_even_interval(Interval(1, 2, 3, 5), 1e9, 0).median == math.inf


def test_where_a_load_is_free_one_never_holds() -> None:
    assert break_even_s(0.0, 1e9, 1) == 0
    assert cost(10, 10, 0) == math.inf
    assert cost(10, 0, 0) == 1


def test_a_load_that_is_lost_in_the_noise_gives_no_t_star_below_0() -> None:
    interval = break_even_interval(Interval(-0.1, 0.0, 0.2, 5), 1e9, 1.0)
    assert (interval.low, interval.median) == (0, 0)


@pytest.mark.parametrize("values", [(-1, 1, 1), (1, -1, 1), (1, 1, -1)])
def test_nothing_is_below_0(values: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="cannot be below 0"):
        break_even_s(*values)


def test_both_kinds_of_call_are_needed() -> None:
    with pytest.raises(ValueError, match="No call had to load the model"):
        reload_interval([], [0.1])
    with pytest.raises(ValueError, match="No call found the model in memory"):
        reload_interval([1.0], [])
