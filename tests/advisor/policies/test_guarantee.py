"""At most twice the clairvoyant optimum and K reloads: whatever comes, also by who sees the TTL."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_widgets.advisor.policies.advice import advice
from lifecycle_widgets.advisor.policies.learners.host import Host
from lifecycle_widgets.advisor.policies.learners.leader import FollowTheLeader
from lifecycle_widgets.advisor.policies.policy import Policy, gap_cost, least_cost
from lifecycle_widgets.advisor.policies.slack_bank import K_RELOADS, SlackBank

# what the adversary does when it sees the TTL: the request comes just too late, just in time, ...
MOVES: dict[str, Callable[[float, float], float]] = {
    "just too late": lambda ttl_s, t_star_s: ttl_s + 1e-6 * t_star_s,
    "just in time": lambda ttl_s, t_star_s: max(ttl_s, 1e-6 * t_star_s),
    "at once": lambda ttl_s, t_star_s: 1e-6 * t_star_s,
    "at T*": lambda ttl_s, t_star_s: t_star_s,
    "after long": lambda ttl_s, t_star_s: 1000 * t_star_s,
    "in half of it": lambda ttl_s, t_star_s: max(ttl_s / 2, 1e-6 * t_star_s),
}
BANKS: dict[str, Callable[[float], SlackBank]] = {"advice": advice, "slack bank": SlackBank}


def beyond_twice(policy: Policy, moves: list[str], t_star_s: float) -> float:
    """The most, at any time, by which the cost is above twice the optimum, in reloads."""
    most = now = 0.0
    for move in moves:
        ttl_s = policy.next_ttl_s()
        gap_s = MOVES[move](ttl_s, t_star_s)
        now += gap_cost(gap_s, ttl_s, t_star_s) - 2 * least_cost(gap_s, t_star_s)
        most = max(most, now)
        policy.learn(gap_s)
    return most


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(list(BANKS)),
    st.lists(st.tuples(st.sampled_from(list(MOVES)), st.integers(1, 20)), max_size=8),
    st.sampled_from([0.5, 30.0, 86400.0]),
)
def test_no_sequence_costs_more(name: str, runs: list[tuple[str, int]], t_star_s: float) -> None:
    moves = [move for move, times in runs for _ in range(times)]
    assert beyond_twice(BANKS[name](t_star_s), moves, t_star_s) <= K_RELOADS + 1e-6


@pytest.mark.parametrize("name", BANKS)
def test_nor_does_who_is_greedy(name: str) -> None:
    """Always just too late: the worst for whoever has no bank."""
    moves = ["just too late"] * 1500
    assert beyond_twice(BANKS[name](30.0), moves, 30.0) <= K_RELOADS + 1e-6
    assert beyond_twice(FollowTheLeader(30.0), moves, 30.0) > 50


def test_others_cannot_mislead_it() -> None:
    """Other streams that lie as well as they can do not break the promise."""
    host = Host(30.0)
    ours, theirs = advice(30.0, host), advice(30.0, host)
    beyond = 0.0
    for turn in range(600):
        theirs.teach(1e-3 if turn % 60 < 30 else 1e5)
        ttl_s = ours.next_ttl_s()
        gap_s = ttl_s + 1e-4
        beyond += gap_cost(gap_s, ttl_s, 30.0) - 2 * least_cost(gap_s, 30.0)
        ours.learn(gap_s)
        assert beyond <= K_RELOADS + 1e-2
