"""The table of what each TTL would have come to."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lifecycle_widgets.advisor.replay.bootstrap import ratio_of_totals
from lifecycle_widgets.advisor.replay.profile import least, profile
from lifecycle_widgets.advisor.replay.what_if import what_if
from lifecycle_widgets.advisor.workload.workload import Stream, Workload


def stream(gaps: list[float], watched: list[bool] | None = None) -> Stream:
    """Requests of 10 s with those gaps between them."""
    begun = np.cumsum([0.0, *(gap + 10 for gap in gaps)])
    seen = np.array([True] * len(gaps) if watched is None else watched, dtype=bool)
    return Stream("chat", begun, begun + 10, seen, len(begun))


def test_the_table_has_the_curve_and_for_ever() -> None:
    table = what_if(stream([20, 50, 400]), 30.0, reload_s=4, held_bytes=3e9)
    assert len(table) == 123
    assert table["ttl_s"].iloc[-1] == math.inf
    at_once, for_ever = table.iloc[0], table.iloc[-1]
    assert (at_once["cost"], at_once["reloads"], at_once["waiting_s"]) == (3, 3, 12)
    assert for_ever["cost"] == pytest.approx(470 / 30)
    assert for_ever["gb_h"] == pytest.approx(470 / 3600 * 3)
    assert at_once["over_clairvoyant"] == pytest.approx(3 / (20 / 30 + 2))
    assert at_once["reloads_per_hour"] == pytest.approx(3 / (510 / 3600))


def test_what_nobody_watched_is_no_time_and_no_gap() -> None:
    table = what_if(stream([20, 36_000, 50], [True, False, True]), 30.0, [0, 60])
    assert table["reloads"].tolist() == [2, 0]
    assert table["reloads_per_hour"].iloc[0] == pytest.approx(2 / (110 / 3600))


def test_streams_of_a_workload_count_together() -> None:
    both = Workload((stream([20, 50]), stream([400])), "drawn")
    assert what_if(both, 30.0, [60])["cost"].item() == pytest.approx((20 + 50 + 60) / 30 + 1)


def test_what_is_not_known_is_nan() -> None:
    table = what_if(stream([20]), 30.0, [math.inf, 0])
    assert table["ttl_s"].tolist() == [0, math.inf]
    assert table[["waiting_s", "gb_h"]].isna().all(axis=None)
    nothing = what_if(stream([]), 30.0, [0, 60])
    assert nothing["over_clairvoyant"].isna().all()
    assert nothing["cost"].tolist() == [0, 0]


def test_a_profile_has_its_own_ttls() -> None:
    table = what_if(profile([20, 50, 400], [0, 30, 60]), 30.0, hours=0.5)
    assert table["ttl_s"].tolist() == [0, 30, 60]
    assert table["reloads_per_hour"].tolist() == [6, 4, 2]


def test_the_ends_are_the_bootstraps_over_the_groups() -> None:
    rng = np.random.default_rng(0)
    groups = [rng.exponential(rng.lognormal(4, 1), 15) for _ in range(20)]
    gaps = np.concatenate(groups).tolist()
    table = what_if(stream(gaps), 120.0, [0, 60, math.inf], groups=groups)
    for _, one in table.iterrows():
        spent = [profile(g, [0, 60, math.inf]).at(one["ttl_s"]).cost(120.0) for g in groups]
        ends = ratio_of_totals(spent, [least(g, 120.0) for g in groups])
        assert ends.median == pytest.approx(one["over_clairvoyant"])
        assert (ends.low, ends.high) == pytest.approx((one["over_low"], one["over_high"]))
        assert ends.low < ends.median < ends.high
    assert what_if(stream(gaps), 120.0, [60], groups=[gaps])["over_low"].isna().all()
