"""Learner: learns each gap once, pays for what was really sent, and keeps its promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_widgets.advisor.adaptive.cap import Cap
from lifecycle_widgets.advisor.adaptive.learner import Learner, rounded_up
from lifecycle_widgets.advisor.policies.policy import gap_cost, least_cost
from lifecycle_widgets.advisor.policies.slack_bank import K_RELOADS

AT_ONCE_S = 6.0
"""What a learner may send at a T* of 30 s where each gap was an hour: 0, or a little."""
SAID = st.sampled_from([None, "soon", "not soon"])
ADVERSARY = st.lists(st.tuples(SAID, st.booleans(), st.floats(0.001, 3.0)), min_size=1, max_size=60)


def asked_every(learner: Learner, gap_s: float, times: int) -> float:
    """Ask for the model so often, each time so long after an answer that takes a second."""
    busy, now_s = [], 100.0
    for _ in range(times):
        learner.see(busy, now_s)
        learner.decide(now_s)
        busy.append((now_s, now_s + 1))
        now_s += 1 + gap_s
    return now_s


@settings(max_examples=40, deadline=None)
@given(t_star_s=st.sampled_from([0.4, 2.5, 30.0, 601.5]), turns=ADVERSARY)
def test_nothing_that_is_known_beside_the_gaps_breaks_the_promise(
    t_star_s: float, turns: list[tuple[str | None, bool, float]]
) -> None:
    """An adversary sees what was sent, and ends the gap just after it, or whenever it likes."""
    learner, now_s, cost, least = Learner(t_star_s), 100.0, 0.0, 0.0
    busy: list[tuple[float, float]] = []
    for said, ends_after_it, part in turns:
        learner.see(busy, now_s)
        ttl_s = learner.decide(now_s, [said]).ttl_s
        gap_s = ttl_s + 0.001 if ends_after_it else part * t_star_s
        busy = [(now_s, now_s + 1)]
        now_s += 1 + gap_s
        cost += gap_cost(gap_s, ttl_s, t_star_s)
        least += least_cost(gap_s, t_star_s)
    assert cost <= 2 * least + K_RELOADS + 1e-6


def test_a_gap_is_learnt_once_and_only_when_it_has_ended() -> None:
    learner = Learner(30.0)
    assert learner.see([(0.0, 5.0)], 5.0) == []  # asked again as soon as the answer was there
    assert learner.see([(0.0, 5.0), (5.0, 9.0), (20.0, 24.0)], 30.0) == [11.0, 6.0]
    assert learner.see([(0.0, 5.0), (5.0, 9.0), (20.0, 24.0), (30.002, 33.0)], 40.0) == [7.0]
    assert learner.gaps == 3


def test_while_a_request_is_under_way_there_is_no_gap() -> None:
    learner = Learner(30.0)
    assert learner.see([(0.0, math.inf)], 50.0) == []
    assert learner.see([(0.0, 60.0)], 90.0) == [30.0]


def test_it_pays_for_what_was_sent() -> None:
    learner = Learner(30.0)
    learner.see([], 0.0)
    assert learner.decide(0.0, ["not soon"]).ttl_s == 0.0
    learner.see([(0.0, 1.0)], 11.0)  # ten seconds: a reload, where whoever had known had kept it
    assert learner.slack == pytest.approx(K_RELOADS + 2 / 3 - 1, abs=0.001)


def test_it_learns() -> None:
    long, short = Learner(30.0), Learner(30.0)
    now_s = asked_every(long, 3600.0, 8)
    assert long.would_decide(now_s).ttl_s <= AT_ONCE_S
    now_s = asked_every(short, 50.0, 30)
    assert short.gaps == 29
    assert "29 gaps of its own" in short.would_decide(now_s).because


def test_what_is_known_of_the_next_request() -> None:
    learner = Learner(30.0)
    now_s = asked_every(learner, 3600.0, 8)
    assert learner.would_decide(now_s).ttl_s <= AT_ONCE_S
    assert learner.would_decide(now_s, ["not soon"]).ttl_s == 0.0
    assert learner.would_decide(now_s, [None, "soon"]).ttl_s == 30.0
    certain = learner.would_decide(now_s, ["not soon"], more=True)
    assert certain.ttl_s == 30.0
    assert certain.because.endswith("another request is certain to follow: not less than T*.")


def test_it_remembers_in_order_and_hears_of_others() -> None:
    alone, among = Learner(30.0), Learner(30.0)
    alone.remember([(3600.0, "")] * 9)
    among.remember([(3600.0, "another")] * 50)
    assert alone.gaps == 9
    assert alone.slack == among.slack == K_RELOADS  # that was not its to pay for
    assert (among.gaps, among.of_others) == (0, 50)
    assert alone.would_decide(0.0).ttl_s <= AT_ONCE_S
    assert among.would_decide(0.0).ttl_s <= AT_ONCE_S


@pytest.mark.parametrize(
    ("ttl_s", "t_star_s", "sent_s"),
    [
        (30.4, 30.4, 31.0),
        (30.0, 30.4, 30.0),
        (10.0, 10.0, 10.0),
        (6.41, 6.41, 6.5),
        (0.3, 0.3, 0.3),
        (0.123, 0.123, 0.13),
        (0.0, 0.123, 0.0),
        (math.inf, 30.0, math.inf),
    ],
)
def test_whole_seconds_where_they_are_a_small_part_of_t_star(
    ttl_s: float, t_star_s: float, sent_s: float
) -> None:
    assert rounded_up(ttl_s, t_star_s) == sent_s


def test_what_cannot_be_paid_for_is_not_rounded() -> None:
    learner, poor = Learner(30.4), Learner(30.4)
    poor._bank.slack = 0.0
    assert learner.would_decide(0.0, more=True).ttl_s == 31.0
    assert poor.would_decide(0.0, more=True).ttl_s == 30.4


@given(
    most=st.sampled_from([0.5, 1.0, 2.5, 6.0]),
    gaps_s=st.lists(st.floats(1.0, 4000.0), min_size=1, max_size=60),
)
@settings(max_examples=30, deadline=None)
def test_never_more_reloads_in_an_hour_than_are_allowed(most: float, gaps_s: list[float]) -> None:
    learner, now_s, reloads = Learner(1.0, most), 0.0, []
    busy: list[tuple[float, float]] = []
    for gap_s in gaps_s:
        learner.see(busy, now_s)
        ttl_s = learner.decide(now_s, ["not soon"]).ttl_s
        busy = [(now_s, now_s + 1)]
        now_s += 1 + gap_s
        reloads += [now_s] if gap_s > ttl_s else []
    count = max(1, int(most))
    later, sooner = np.array(reloads[count:]), np.array(reloads[:-count] if count else [])
    assert np.all(later - sooner[: len(later)] >= 3600 * count / most - 1e-6)


@pytest.mark.parametrize("most", [0, -1, math.inf, math.nan, True])
def test_a_limit_that_is_none(most: float) -> None:
    with pytest.raises(ValueError, match=r"most_reloads_per_hour is .*Give a number above 0"):
        Cap(most)
