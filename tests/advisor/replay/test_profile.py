"""Profiles: each engine's against the definition, one gap after the other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from lifecycle_widgets.advisor.policies.policy import gap_cost, least_cost
from lifecycle_widgets.advisor.replay.grid import GRID, grid
from lifecycle_widgets.advisor.replay.kernels.buckets import buckets
from lifecycle_widgets.advisor.replay.kernels.gap_kernels import held_and_reloads
from lifecycle_widgets.advisor.replay.kernels.sorting import lines
from lifecycle_widgets.advisor.replay.one_ttl import one_ttl
from lifecycle_widgets.advisor.replay.profile import (
    COMPILED_FROM,
    Profile,
    least,
    profile,
    profile_of_buckets,
)

GAPS = some.lists(
    some.floats(-0.0, 1e7) | some.sampled_from(GRID.tolist()) | some.integers(0, 600).map(float),
    max_size=60,
)
T_STARS = some.floats(1, 3600) | some.sampled_from([30.0, 120.0, 600.0])


def costs(gaps: list[float], ttls: np.ndarray, t_star_s: float) -> list[float]:
    return [math.fsum(gap_cost(gap, ttl, t_star_s) for gap in gaps) for ttl in ttls.tolist()]


@settings(max_examples=60, deadline=None)
@given(GAPS, T_STARS)
def test_every_profile_prices_gaps_as_they_are_defined(gaps: list[float], t_star_s: float) -> None:
    ttls = grid(t_star_s)
    coarse, every = profile(gaps, ttls), profile(gaps)
    by_kernel = profile_of_buckets(ttls, *buckets(np.array(gaps), ttls))
    by_radix = Profile(*lines(np.array(gaps)), is_of_every_ttl=True)
    assert by_radix.ttls_s.tolist() == every.ttls_s.tolist() == sorted({0.0, *gaps})
    for one in (coarse, by_kernel, every, by_radix):
        assert one.cost(t_star_s) == pytest.approx(costs(gaps, one.ttls_s, t_star_s))
        assert one.gaps == len(gaps)
        assert one.total_s == pytest.approx(math.fsum(gaps))
        bound = math.fsum(least_cost(gap, t_star_s) for gap in gaps)
        assert one.least(t_star_s) == pytest.approx(bound)
        assert least(gaps, t_star_s) == pytest.approx(bound)
    assert (by_kernel.reloads == coarse.reloads).all()
    assert every.best(t_star_s)[1] <= coarse.best(t_star_s)[1] * (1 + 1e-12)


@settings(max_examples=40, deadline=None)
@given(GAPS, some.floats(0, 1e7) | some.just(math.inf))
def test_one_ttl_is_what_the_profile_of_every_ttl_says(gaps: list[float], ttl_s: float) -> None:
    expected = (math.fsum(min(gap, ttl_s) for gap in gaps), sum(gap > ttl_s for gap in gaps))
    assert one_ttl(gaps, ttl_s) == (pytest.approx(expected[0]), expected[1])
    assert profile(gaps).at(ttl_s) == (pytest.approx(expected[0]), expected[1])
    row = np.array(gaps)
    row.flags.writeable = False
    assert held_and_reloads(row, ttl_s) == (pytest.approx(expected[0]), expected[1])


@settings(max_examples=40, deadline=None)
@given(GAPS, GAPS)
def test_profiles_add_up(one: list[float], other: list[float]) -> None:
    for ttls in (None, GRID):
        both, whole = profile(one, ttls) + profile(other, ttls), profile(one + other, ttls)
        assert both.ttls_s.tolist() == whole.ttls_s.tolist()
        assert both.held_s == pytest.approx(whole.held_s)
        assert both.reloads.tolist() == whole.reloads.tolist()
        assert (both.gaps, both.total_s) == (whole.gaps, pytest.approx(whole.total_s))


def test_a_million_gaps_by_threads_are_the_same_to_the_last_reload() -> None:
    gaps = np.random.default_rng(0).lognormal(4, 2, 3 * COMPILED_FROM + 1)
    gaps[::7] = GRID[40]  # on the edge of a bucket
    every, coarse = profile(gaps), profile(gaps, GRID)
    whole_s = math.fsum(np.minimum(gaps, GRID[40]).tolist())
    longer = int((gaps > GRID[40]).sum())
    for held in (every.at(GRID[40]), coarse.at(GRID[40]), one_ttl(gaps, GRID[40])):
        assert held == (pytest.approx(whole_s, rel=1e-13), longer)
    assert coarse.at(math.inf).held_s == pytest.approx(math.fsum(gaps.tolist()), rel=1e-13)
    assert coarse.reloads.tolist() == [int((gaps > ttl).sum()) for ttl in GRID]


def test_what_is_added_up_two_million_times_is_still_exact() -> None:
    gaps = np.full(2_000_000, 0.1)
    assert one_ttl(gaps, 1.0).held_s == pytest.approx(2e5, rel=1e-12)
    assert profile(gaps, GRID).total_s == pytest.approx(2e5, rel=1e-12)
    assert profile(gaps).total_s == pytest.approx(2e5, rel=1e-12)


def test_a_grid_knows_its_own_ttls_only() -> None:
    coarse = profile([10.0, 60.0], [0.0, 30.0])
    with pytest.raises(ValueError, match="A TTL of 31 s is none of the 2 of this profile"):
        coarse.at(31.0)
    with pytest.raises(ValueError, match="none of the 2"):
        coarse.least(600.0)
    with pytest.raises(ValueError, match="different TTLs"):
        _ = coarse + profile([10.0])


def test_no_gap_costs_nothing() -> None:
    for empty in (profile([]), profile([], GRID)):
        assert (empty.gaps, empty.total_s, empty.best(30.0)) == (0, 0.0, (0.0, 0.0))
    assert one_ttl([], 30.0) == (0.0, 0)
    assert isinstance(profile([]) + profile([5.0]), Profile)


def test_of_equally_cheap_ttls_the_shortest_is_the_best() -> None:
    assert profile([30.0, 30.0]).best(30.0) == (0.0, 2.0)


def test_the_grid_has_t_star_once() -> None:
    assert len(grid()) == 121
    assert len(grid(77.7)) == 122
    assert 77.7 in grid(77.7)
    assert len(grid(1.0)) == 121
    assert (np.diff(grid(77.7)) > 0).all()


def test_for_ever_is_a_ttl_too() -> None:
    for gaps in ([10.0, 60.0], [1e4] * COMPILED_FROM):
        coarse = profile(gaps, [30.0, math.inf])
        assert coarse.at(math.inf) == (coarse.held_s[-1], 0) == (sum(gaps), 0)


@pytest.mark.parametrize("ttls", [[30.0, 10.0], [30.0, 30.0], [-1.0, 30.0], [math.nan]])
def test_ttls_in_no_order_are_refused(ttls: list[float]) -> None:
    with pytest.raises(ValueError, match="TTLs must ascend from 0 or more, and be distinct"):
        profile([10.0], ttls)
