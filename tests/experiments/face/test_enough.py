"""A verdict rests on enough, or says that there is too little; and never on one measurement."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lifecycle_widgets.experiments import DownstreamResult, InTurnResult
from lifecycle_widgets.experiments.shortage.downstream_result import (
    NEVER,
    RESIDENT,
    STOP,
    ZERO,
)

SLOW = {NEVER: 0.04, RESIDENT: 2.8, ZERO: 0.045, STOP: 0.042}


def downstream(
    *rounds: Mapping[str, float], planned: int = 3, stopped: bool = False, **facts: Any
) -> DownstreamResult:
    """A result whose steady runs took so long, round by round."""
    rows = [
        {
            "round": number, "condition": condition, "first_s": 2 * steady_s, "steady_s": steady_s,
            "first_disk_bytes": 0, "steady_disk_bytes": 0, "runner_bytes": 0,
            "page_cache_bytes": 0, "used_bytes": 0,
        }
        for number, measured in enumerate(rounds, 1)
        for condition, steady_s in measured.items()
    ]  # fmt: skip
    about = {
        "model": "tiny:1b", "rounds": planned, "planned": 4 * planned, "stopped": stopped,
        "error": None, "shortage": {"disk_bytes_per_s": 1},
    }  # fmt: skip
    return DownstreamResult(pd.DataFrame(rows), about | facts)


def times(factor: float, measured: Mapping[str, float] = SLOW) -> dict[str, float]:
    return {condition: factor * seconds for condition, seconds in measured.items()}


# --- rounds ---------------------------------------------------------------------------------------


def test_of_one_round_there_is_no_verdict() -> None:
    half = {RESIDENT: 2.8, STOP: 0.04}
    for result in (
        downstream(SLOW, stopped=True),
        downstream(SLOW, half, half, stopped=True),  # a round without all four is none
    ):
        assert result.verdict.endswith(
            "then it was stopped. Too little measured for a verdict: one of three rounds."
        )
    assert "cured" in downstream(SLOW, times(1.1), stopped=True).verdict


def test_one_round_that_was_to_be_all_is_too_little_as_well() -> None:
    assert downstream(SLOW, planned=1).verdict == (
        "Measured 4. Too little measured for a verdict: one of one round. It takes two."
    )


def test_nothing_follows_from_one_measurement() -> None:
    result = downstream(SLOW)
    for interval in (result.seconds(RESIDENT), result.slowdown(RESIDENT), result.extra_s(RESIDENT)):
        assert (interval.low, interval.high, interval.n) == (-math.inf, math.inf, 1)
    assert result.price_of_a_second() == 0.0
    assert result.table[["low_s", "high_s"]].isna().all(axis=None), "a table shows no inf"
    assert result.figure.data


def test_two_rounds_tell() -> None:
    verdict = downstream(SLOW, times(1.1)).verdict
    assert verdict.count("cured") == 2
    assert "not cured" not in verdict
    assert " s longer" in verdict, "of 0.04 s nobody would say how many times as long"
    assert "times as long" not in verdict
    assert not re.search(r"\b(inf|nan)\b", verdict)


def test_a_time_that_is_worth_it_is_compared_in_times() -> None:
    verdict = downstream(times(50), times(51)).verdict
    assert "times as long" in verdict
    assert verdict.count("cured") == 2


def test_a_few_milliseconds_more_are_no_slowdown() -> None:
    """Though it is one that can be told: 20 % more, of 40 ms."""
    little = {NEVER: 0.040, RESIDENT: 0.048, ZERO: 0.041, STOP: 0.041}
    assert "Nothing slows down here" in downstream(little, times(1.01, little)).verdict


def test_better_is_not_cured_and_what_is_like_both_is_neither() -> None:
    half = {**SLOW, ZERO: 1.4}
    assert "better, not cured" in downstream(half, times(1.01, half)).verdict
    unsure = downstream({**SLOW, ZERO: 2.9}, {**times(1.1), ZERO: 0.04}).verdict
    assert re.search(r"keep_alive=0, it takes .* s: not distinguishable from either\.", unsure)


# --- arms -----------------------------------------------------------------------------------------


def in_turn(calls: Mapping[str, int], *, each: int = 3, **facts: Any) -> InTurnResult:
    """A result in which each arm has had so many of its calls to one model of two."""
    rows = [
        {
            "arm": arm, "round": 1, "call": call, "model": f"m{call % 2}", "start_s": float(call),
            "gap_s": 0.3, "idle_s": 1.0, "was_resident": arm != "0" and call > 2,
            "loaded": arm == "0" or call <= 2, "load_s": 0.5, "total_s": 1.0,
            "ttft_s": 1.0 + 0.01 * call if arm == "0" or call <= 2 else 0.1 + 0.01 * call,
            "residents": "none", "held_bytes": 1e9, "expires_in_s": 300.0, "others": False,
        }
        for arm, count in calls.items()
        for call in range(1, count + 1)
    ]  # fmt: skip
    arms = [
        {
            "arm": arm, "settings": {}, "planned": each, "span_s": 9.0, "late_s": 0.0, "gb_s": 1.0,
            "peak_gb": 1.0, "memory_source": "RSS of the runners", "residencies": [],
        }
        for arm in calls
    ]  # fmt: skip
    about = {"planned": 3 * each, "stopped": True, "error": None, "evictions": [], "arms": arms}
    return InTurnResult(pd.DataFrame(rows), about | facts)


def test_nothing_is_compared_until_two_arms_have_all_of_their_calls() -> None:
    assert in_turn({"0": 2, "5m": 1}).verdict == (
        "Measured 3 of 9, then it was stopped. Nothing is compared: no arm has had all of its "
        "calls."
    )
    one = in_turn({"0": 4, "5m": 2}, each=4).verdict
    assert "first: 4 with 0. Nothing is compared: only 0 has had all of its calls." in one
    assert "5m" not in one
    two = in_turn({"0": 6, "5m": 6, "30s": 2}, each=6).verdict
    assert "compared" not in two
    assert "took" in two
    assert "30s" not in two


def test_the_pictures_have_the_intervals_of_the_verdict() -> None:
    result = downstream(SLOW, times(1.1), times(1.4))
    bars, seconds = result.figure.data[0], result.seconds(RESIDENT)
    place = list(bars.y).index(RESIDENT)
    assert bars.x[place] + bars.error_x.array[place] == pytest.approx(seconds.high)
    assert bars.x[place] - bars.error_x.arrayminus[place] == pytest.approx(seconds.low)
    turns = in_turn({"0": 6, "5m": 6, "30s": 5}, each=6)
    (waiting,) = (t for t in turns.figure.data if t.error_x.array is not None)
    ends = zip(waiting.x, waiting.error_x.array, ("0", "5m", "30s"), strict=True)
    for x, above, arm in ends:
        assert x + above == pytest.approx(turns.waiting_s(arm).high, abs=0.001)


def test_what_is_not_known_is_not_drawn() -> None:
    waiting = next(t for t in in_turn({"0": 1}).figure.data if t.type == "bar" and t.xaxis == "x2")
    for trace in (downstream(SLOW).figure.data[0], waiting):
        assert np.isnan(trace.error_x.array).all()
        assert np.isnan(trace.error_x.arrayminus).all()


def test_a_kind_of_call_that_was_made_once_makes_no_difference_sure() -> None:
    result = in_turn({"0": 3, "5m": 3})
    assert result.frame.groupby(["model", "loaded"]).size().min() == 1
    assert "not distinguishable" in result.verdict
    assert not re.search(r"\b(inf|nan)\b", result.verdict)
