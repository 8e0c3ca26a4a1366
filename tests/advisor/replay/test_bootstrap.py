"""The interval of what another TTL saves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lifecycle_widgets.advisor.replay.bootstrap import ratio_of_totals, saving
from lifecycle_widgets.advisor.replay.profile import profile


def days(seed: int, count: int = 20, each: int = 15) -> list[np.ndarray]:
    """Days that differ from one another: some are hurried, some are slow."""
    rng = np.random.default_rng(seed)
    return [rng.exponential(rng.lognormal(4, 1), each) for _ in range(count)]


def test_what_is_saved_is_the_difference_of_the_costs() -> None:
    gaps = np.concatenate(days(1))
    found = saving(days(1), 300.0, 60.0, 120.0)
    whole = profile(gaps)
    difference = whole.at(300.0).cost(120.0) - whole.at(60.0).cost(120.0)
    assert found.median == pytest.approx(difference)
    assert found.low < found.median < found.high
    assert found.n == 20


def test_the_same_data_give_the_same_interval() -> None:
    assert saving(days(1), 300.0, 60.0, 120.0) == saving(days(1), 300.0, 60.0, 120.0)
    assert saving(days(1), 300.0, 60.0, 120.0, seed=1) != saving(days(1), 300.0, 60.0, 120.0)


def test_of_one_group_no_end_is_known_and_of_none_nothing() -> None:
    one = saving(days(1)[:1], 300.0, 60.0, 120.0)
    assert (one.low, one.high, one.n) == (-math.inf, math.inf, 1)
    none = saving([], 300.0, 60.0, 120.0)
    assert str(none) == "not known"
    assert none.n == 0


def test_the_interval_covers_what_would_be_saved_in_the_long_run() -> None:
    many = profile(np.concatenate(days(0, 5000)))
    long_run = (many.at(300.0).cost(120.0) - many.at(60.0).cost(120.0)) / 5000 * 20
    found = [saving(days(seed), 300.0, 60.0, 120.0) for seed in range(1, 41)]
    covered = sum(each.low <= long_run <= each.high for each in found)
    assert covered >= 32  # 38 are expected of 40; of 20 groups the bootstrap's are narrow
    by_gap = [
        saving(list(np.concatenate(days(seed))[:, None]), 300.0, 60.0, 120.0) for seed in (1, 2)
    ]
    assert all(a.high - a.low < b.high - b.low for a, b in zip(by_gap, found, strict=False))


def test_a_ratio_of_totals_draws_both_together() -> None:
    alike = ratio_of_totals([2.0, 20.0, 200.0], [1.0, 10.0, 100.0])
    assert (alike.low, alike.median, alike.high) == (2.0, 2.0, 2.0)
    assert str(ratio_of_totals([2.0], [1.0])) == "2 (n=1)"
    assert str(ratio_of_totals([], [])) == "not known"
    assert str(ratio_of_totals([0.0], [0.0])) == "not known"
