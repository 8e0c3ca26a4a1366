"""A workload replayed by the model of the scheduler: by example, and against plain arithmetic."""

from __future__ import annotations

import json
import math
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_widgets.advisor.policies.policy import gap_cost
from lifecycle_widgets.advisor.simulate.limits import best_limit
from lifecycle_widgets.advisor.simulate.replay import Asked, asked_of, replay_server
from lifecycle_widgets.advisor.workload.workload import Stream, Workload
from lifecycle_widgets.scheduler import Scheduler


def in_turn(models: str, every_s: float, answer_s: float = 5.0) -> list[Asked]:
    return [Asked(model, every_s * n, answer_s) for n, model in enumerate(models)]


# --- figures --------------------------------------------------------------------------------------


@given(
    gaps_s=st.lists(st.integers(1, 400), min_size=1, max_size=20),
    ttl_s=st.sampled_from([0.5, 60.5, 300.5, math.inf]),
)
def test_one_model_costs_what_the_formula_says(gaps_s: list[int], ttl_s: float) -> None:
    """With loads that take no time the gaps are those of the workload."""
    starts_s = np.cumsum([0.0, *(gap_s + 5.0 for gap_s in gaps_s)])
    asked = [Asked("a", start_s, 5.0) for start_s in starts_s]
    done = replay_server(asked, keep_alive=ttl_s, load_s=0.0).models["a"]
    t_star_s = 77.0
    expected = sum(gap_cost(gap_s, ttl_s, t_star_s) for gap_s in gaps_s)
    assert done.idle_s / t_star_s + done.loads - 1 == pytest.approx(expected)
    assert done.unloads == done.loads - 1  # the last is in memory at the end


def test_waiting_is_for_ones_own_load_for_others_and_for_who_has_to_leave() -> None:
    """At the limit of one: b waits for the end of a's answer, then for its load; c for both."""
    asked = [Asked("a", 0, 10), Asked("b", 4, 1), Asked("c", 5, 1)]
    done = replay_server(asked, load_s={"a": 2, "b": 3, "c": 1}, limit=1)
    assert [(load.model, load.at_s, load.until_s) for load in done.loads] == [
        ("a", 0, 2), ("b", 12, 15), ("c", 16, 17)]  # fmt: skip
    assert {name: model.waiting_s for name, model in done.models.items()} == {
        "a": 2, "b": 11, "c": 12}  # fmt: skip
    assert done.waiting_s == 25
    assert [(d.model, d.at_s, d.why) for d in done.departures] == [
        ("a", 12, "evicted"), ("b", 16, "evicted")]  # fmt: skip
    assert (done.evictions, done.unloads, done.until_s, done.unanswered) == (2, 0, 18, 0)


def test_idle_is_what_is_held_without_a_request() -> None:
    asked = [Asked("a", 0, 10), Asked("a", 5, 10), Asked("a", 40, 2)]  # the second waits its turn
    done = replay_server(asked, load_s=1.0, held_bytes={"a": 2e9})
    one = done.models["a"]
    assert (one.loads, one.held_s, one.idle_s) == (1, 41, 19)  # from 1 to 42; busy to 21, from 40
    assert one.held_gb_s == done.held_gb_s == 82


def test_what_is_not_told_is_not_guessed() -> None:
    asked = in_turn("ab", 60)
    assert replay_server(asked, load_s=1, held_bytes={"a": 1e9}).held_gb_s is None
    with pytest.raises(ValueError, match="It is not told of b how long it takes to load"):
        replay_server(asked, load_s={"a": 1})
    with pytest.raises(ValueError, match="It is not told of b how much memory it takes"):
        replay_server(asked, load_s=1, held_bytes={"a": 1e9}, most_bytes=8e9)
    with pytest.raises(ValueError, match="nan cannot be how long it takes to load, of a"):
        replay_server(asked, load_s=math.nan)


def test_names_that_share_weights_are_one_model() -> None:
    done = replay_server(in_turn("abab", 60), load_s=1, weights={"a": "w", "b": "w"})
    assert list(done.models) == ["a"]
    assert (done.models["a"].requests, done.models["a"].loads) == (4, 1)


def test_a_hang_of_ollamas_is_told() -> None:
    """The victim was busy and gets a keep_alive before it leaves."""
    asked = [Asked("a", 0, 9), Asked("b", 5, 1), Asked("a", 6, 1)]
    done = replay_server(asked, keep_alive={"a": "forever"}, load_s=1, limit=1)
    assert done.unanswered == 1
    assert done.models["b"].waiting_s == done.until_s - 5


# --- keep_alives ----------------------------------------------------------------------------------


def test_each_model_may_have_its_own_and_one_without_gets_the_servers() -> None:
    asked = [*in_turn("abc", 1, 0.5), Asked("d", 1000, 1)]
    done = replay_server(
        asked, keep_alive={"a": 60, "b": "forever"}, load_s=0, limit=9, default_keep_alive="2m"
    )
    assert [(d.model, d.at_s) for d in done.departures] == [("a", 60.5), ("c", 122.5)]


class Recording:
    """A policy that keeps for as long as the last gap was."""

    name, guarantee, source = "as the last", "none", "this test"

    def __init__(self) -> None:
        self.gaps_s: list[float] = []

    def next_ttl_s(self) -> float:
        return self.gaps_s[-1] if self.gaps_s else 1.0

    def learn(self, gap_s: float) -> None:
        self.gaps_s.append(gap_s)


def test_a_policy_learns_the_gaps_that_there_really_were() -> None:
    """From the end of the last answer in flight, which a load delays, to the next request."""
    asked = [Asked("a", 0, 3), Asked("a", 1, 2), Asked("a", 10, 2), Asked("a", 31, 2)]
    made: dict[str, Recording] = {}

    def policy(model: str) -> Recording:
        return made.setdefault(model, Recording())

    done = replay_server(asked, keep_alive=policy, load_s=2.0)
    # busy to 7, then kept 1 s; asked at 10, loaded at 12, busy to 14, kept 3 s; asked at 31
    assert made["a"].gaps_s == [3.0, 17.0]
    assert [(d.since_s, d.at_s) for d in done.departures] == [(2, 8), (12, 17)]


# --- memory ---------------------------------------------------------------------------------------


def test_with_a_gpu_one_leaves_for_memory_until_the_next_fits() -> None:
    """Of what the others leave free it may take 80 %; who is alone is loaded whatever its size."""
    sizes = {"a": 3e9, "b": 3e9, "c": 2e9, "d": 20e9}
    asked = in_turn("abcd", 60)
    done = replay_server(asked, load_s=1, held_bytes=sizes, most_bytes=8.6e9, limit=9)
    # b: 3 of 80 % of 5.6; c: 2 is not below 80 % of 2.6 ... until it is, with one gone; d: alone
    assert [(d.model, d.why) for d in done.departures] == [
        (model, "evicted") for model in ("a", "b", "c")]  # fmt: skip
    assert [load.model for load in done.loads] == list("abcd")
    roomy = replay_server(asked[:3], load_s=1, held_bytes=sizes, most_bytes=8.7e9, limit=9)
    assert not roomy.departures


RECORDED = json.loads((Path(__file__).parent / "ollama_memory.json").read_text())


@pytest.mark.parametrize("recorded", RECORDED["schedules"])
def test_it_is_as_ollamas_own_scheduler_does_it(recorded: dict[str, Any]) -> None:
    """Recorded from its Go code, with a GPU that it took for one (record_memory_test.go)."""
    ollama = Scheduler(4, held_bytes=recorded["sizes"], most_bytes=10e9)
    for minute, (model, hours, in_memory) in enumerate(recorded["steps"]):
        ollama.request(60 * minute, model, 3600 * hours, load_s=1, answer_s=1)
        ollama.advance(60 * minute + 30)
        assert " ".join(sorted(r.model for r in ollama.residents)) == in_memory, minute


# --- limits ---------------------------------------------------------------------------------------


def test_each_limit_is_priced() -> None:
    asked = in_turn("abcabc", 60)
    limits = best_limit(asked, t_star_s=600, load_s=2.0, held_bytes=dict.fromkeys("abc", 1e9))
    assert list(limits.frame.index) == [1, 2, 3]
    assert limits.frame["loads"].tolist() == [6, 5, 3]  # of equals the first by name is evicted
    assert limits.best.limit == 3
    assert limits.at(7) is limits.rows[-1]
    three = limits.best
    idle_s = sum(model.idle_s for model in three.simulated.models.values())
    assert three.cost_s == pytest.approx(three.waiting_s + idle_s * 2 / 600)
    assert len(best_limit(asked, t_star_s=600, load_s=2.0, most=2).rows) == 2


def test_a_limit_that_hangs_is_never_the_best() -> None:
    asked = [Asked("a", 0, 9), Asked("b", 5, 1), Asked("a", 6, 1)]
    limits = best_limit(asked, t_star_s=0.001, load_s=1, keep_alive={"a": "forever"})
    assert limits.frame["unanswered"].tolist() == [1, 0]
    assert limits.best.limit == 2


@pytest.mark.parametrize("t_star_s", [0, -1, math.nan])
def test_no_limit_is_advised_from_nothing(t_star_s: float) -> None:
    with pytest.raises(ValueError, match="Nothing was asked"):
        best_limit([], t_star_s=60, load_s=1)
    with pytest.raises(ValueError, match="T\\* of a is"):
        best_limit(in_turn("a", 1), t_star_s=t_star_s, load_s=1)


# --- what was asked -------------------------------------------------------------------------------


def test_a_workloads_streams_are_asked_in_the_order_of_time() -> None:
    both = np.array([True])
    streams = (
        Stream("a", np.array([0.0, 60.0]), np.array([5.0, 70.0]), both, 2),
        Stream("b", np.array([10.0, 50.0]), np.array([11.0, 51.0]), both, 2),
    )
    asked = asked_of(Workload(streams, "a test"))
    assert [(one.model, one.at_s) for one in asked] == [
        ("a", 0), ("b", 10), ("b", 50), ("a", 60)]  # fmt: skip


@pytest.mark.parametrize(("at_s", "answer_s"), [(math.nan, 1), (math.inf, 1), (0, math.inf),
                                               (0, math.nan), (0, -1)])  # fmt: skip
def test_no_time_is_refused(at_s: float, answer_s: float) -> None:
    with pytest.raises(ValueError, match=r"that is no time|must be 0 or more"):
        Asked("a", at_s, answer_s)


def test_ten_thousand_requests_take_a_moment() -> None:
    chance = random.Random(0)
    starts_s = np.cumsum([chance.expovariate(1 / 30) for _ in range(10_000)])
    asked = [Asked(chance.choice("abcd"), start_s, 4.0) for start_s in starts_s]
    began_s = time.process_time()
    replay_server(asked, load_s=5.0, limit=2, keep_alive={"a": 60})
    assert time.process_time() - began_s < 2  # 0.2 s here; 10^5 in some seconds
