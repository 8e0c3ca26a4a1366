"""Price: three ways to say it, each worth the same in the others; what is no price is refused."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_widgets.advisor.price import NotMeasured, Price

WAYS = ("t_star_s", "s_per_gb_min", "slowdown")
NO_NUMBERS = (0, -1, math.nan, math.inf, -math.inf, True, "5m", 10**400, [1])


@given(st.sampled_from(WAYS), st.floats(1.01, 1e3), st.floats(0.1, 300.0), st.floats(1e7, 1e12))
def test_each_way_comes_back_from_the_others(
    way: str, value: float, reload_s: float, held_bytes: float
) -> None:
    price = Price(**{way: value})
    t_star_s = price.t_star(reload_s, held_bytes)
    memory = price.as_memory(reload_s, held_bytes)
    assert memory is not None
    assert Price(s_per_gb_min=memory).t_star(reload_s, held_bytes) == pytest.approx(t_star_s)
    slowdown = price.as_slowdown(reload_s, held_bytes)
    if slowdown is None:
        assert t_star_s <= reload_s  # no task can lose more than all of its time
    elif slowdown > 1.0001:  # nearer to 1 it has no digits left
        assert Price(slowdown=slowdown).t_star(reload_s) == pytest.approx(t_star_s, rel=1e-6)


def test_the_case_that_started_all_this() -> None:
    """65 s became 300 s: a model that loads in 5 s should leave after 6.4 s."""
    assert Price(slowdown=300 / 65).t_star(5.0) == pytest.approx(6.38, abs=0.01)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: repr(value)[:10])
def test_what_is_no_price_is_said_in_one_sentence(way: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"(T\*|The price of memory|The slowdown) is ") as caught:
        Price(**{way: value})
    said = str(caught.value)
    assert said.endswith(".")
    assert ". " not in said
    assert len(said) < 200


def test_a_slowdown_of_1_costs_nothing_so_it_has_no_t_star() -> None:
    with pytest.raises(ValueError, match="the model may stay for ever"):
        Price(slowdown=1.0)


@pytest.mark.parametrize("given", [{}, {"t_star_s": 1, "slowdown": 2}])
def test_a_price_is_said_in_one_way(given: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="said in one way"):
        Price(**given)


def test_a_bare_number_is_a_t_star() -> None:
    price = Price(slowdown=2.0)
    assert Price.of(price) is price
    assert Price.of(Decimal("2.5")) == Price(t_star_s=2.5)  # type: ignore[arg-type]


def test_what_was_not_measured_is_said_and_not_guessed() -> None:
    assert Price(t_star_s=30).t_star() == 30.0
    assert Price(t_star_s=30).as_memory() is None
    assert Price(slowdown=2).as_memory(2.0) is None
    for reload_s in (None, 0.0, math.nan, math.inf):
        with pytest.raises(NotMeasured, match="what a reload takes was not measured"):
            Price(slowdown=2).t_star(reload_s)
    with pytest.raises(NotMeasured, match="of memory was not seen"):
        Price(s_per_gb_min=2).t_star(2.0)
    assert Price(s_per_gb_min=2).in_words().endswith("what a reload takes was not measured")
