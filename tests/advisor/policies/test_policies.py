"""The policies: each as it is described, and the same in a replay as one decision at a time."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from lifecycle_widgets.advisor.policies.advice import advice
from lifecycle_widgets.advisor.policies.catalogue import POLICIES
from lifecycle_widgets.advisor.policies.decide import next_keep_alive_s
from lifecycle_widgets.advisor.policies.histogram import HybridHistogram
from lifecycle_widgets.advisor.policies.in_time import in_time
from lifecycle_widgets.advisor.policies.learners.gap_cells import SMEARED, GapCells
from lifecycle_widgets.advisor.policies.learners.host import Host
from lifecycle_widgets.advisor.policies.randomised import RATIO, RandomisedSkiRental
from lifecycle_widgets.advisor.replay.kernels.in_force import follow_leader, in_force
from lifecycle_widgets.advisor.replay.online import ALL, replay_policies
from lifecycle_widgets.advisor.workload.drawn import KINDS, drawn_workload
from lifecycle_widgets.advisor.workload.reading import read_workload
from lifecycle_widgets.advisor.workload.workload import Stream, Workload

TRACES = Path(__file__).parents[4] / "shared" / "traces"
T_STARS_S = {
    "realhumaneval_chat": (30.0, 120.0, 600.0),
    "cups_copilot": (30.0, 120.0, 600.0),
    "azure_llm_2023_code": (30.0, 120.0),
}


def one_by_one(name: str, workload: Workload, t_star_s: float) -> list[tuple[int, float, float]]:
    """The policy itself, asked at each gap's beginning: the stream, and its window."""
    now_s = [0.0]
    host = Host(t_star_s, lambda: now_s[0])
    policies = [POLICIES[name](t_star_s, host) for _ in workload.streams]
    given = []
    for at_s, begins, which, gap_s in zip(*in_time(workload.streams, tails=True), strict=True):
        now_s[0] = at_s
        policy = policies[which]
        if not begins:
            policy.learn(float(gap_s))
        elif isinstance(policy, HybridHistogram):
            if math.isnan(gap_s):
                continue
            given.append((which, *policy.next_window_s()))
        elif math.isnan(gap_s):
            policy.next_ttl_s()  # of the last gap, which is nobody's to judge
        else:
            given.append((which, 0.0, policy.next_ttl_s()))
    return given


@pytest.mark.parametrize("name", [name for name in ALL if name != RandomisedSkiRental.name])
@pytest.mark.parametrize("kind", ["on and off", "mixture"])
def test_the_replay_decides_as_the_policy_does(name: str, kind: str) -> None:
    workload = drawn_workload(kind, gaps=40, mean_gap_s=900.0, streams=4, seed=3)
    for t_star_s in (60.0, 1200.0):
        given = one_by_one(name, workload, t_star_s)
        given.sort(key=lambda one: one[0])  # a replay tells one stream after the other
        _, from_s, until_s = in_force(name, workload.streams, t_star_s)
        assert from_s.tolist() == [one[1] for one in given]
        assert until_s.tolist() == [one[2] for one in given]


def test_each_says_what_it_is() -> None:
    assert list(POLICIES) == list(ALL)
    for name, make in POLICIES.items():
        policy = make(30.0)
        assert policy.name == name
        assert policy.guarantee
        assert policy.source
        assert policy.next_ttl_s() >= 0


def test_the_randomised_one_costs_what_is_expected_of_it() -> None:
    policy = RandomisedSkiRental(30.0, seed=1)
    ttls_s = np.array([policy.next_ttl_s() for _ in range(20_000)])
    for gap_s in (3.0, 20.0, 31.0, 500.0):
        costs = np.minimum(gap_s, ttls_s) / 30 + (gap_s > ttls_s)
        assert costs.mean() == pytest.approx(RATIO * min(gap_s / 30, 1), rel=0.02)


def test_a_histogram_keeps_until_the_tail_and_comes_before_the_head() -> None:
    policy = HybridHistogram()
    for _ in range(50):
        policy.learn(630.0)  # all in the bin from 10 to 11 minutes
    assert policy.next_window_s() == pytest.approx((600 * 0.9, 660 * 1.1))
    for _ in range(60):
        policy.learn(5 * 3600.0)  # most out of range: a forecast
    assert policy.next_window_s() == pytest.approx((18_000 * 0.85, 18_000 * 1.15), rel=0.01)


def test_a_long_stream_can_be_followed_in_pieces() -> None:
    gaps_s = drawn_workload("lognormal", gaps=3000).streams[0].gaps_s
    whole, slack = follow_leader(gaps_s, GapCells(60.0, SMEARED), 3.0)
    cells, left, pieces = GapCells(60.0, SMEARED), 3.0, []
    for piece in np.array_split(gaps_s, 7):
        ttls_s, left = follow_leader(piece, cells, left)
        pieces += ttls_s.tolist()
    assert pieces == whole.tolist()
    assert left == pytest.approx(slack)


def test_who_is_asked_for_nothing_starts_from_t_star() -> None:
    for t_star_s in (5.0, 30.0, 120.0, 600.0, 3600.0):
        assert advice(t_star_s).next_ttl_s() == t_star_s
    empty = Workload((), "an example")
    for cost in replay_policies(empty, 30.0).values():
        assert (cost.cost, cost.gaps) == (0, 0)
        assert math.isnan(cost.over_clairvoyant)


def test_what_there_is_not_is_said() -> None:
    with pytest.raises(KeyError, match="no policy 'best'; there are 0, 5m"):
        replay_policies(Workload((), "an example"), 30.0, ["best"])


@pytest.mark.parametrize("name", ["advice", "slack bank with prior"])
def test_nobody_knows_what_comes_later(name: str) -> None:
    """What happens after a moment, in whatever stream, changes no decision before it."""
    workload = drawn_workload("on and off", gaps=30, mean_gap_s=300.0, streams=16, seed=1)
    until_s = 0.6 * min(float(one.busy_from_s[-1]) for one in workload.streams)

    def before(streams: tuple[Stream, ...]) -> list[float]:
        began_s = np.concatenate([one.gap_began_s for one in streams])
        gaps_s, _, ttls_s = in_force(name, streams, 120.0)
        return ttls_s[began_s + gaps_s < until_s].tolist()

    def changed(stream: Stream, rng: np.random.Generator) -> Stream:
        kept = int(np.searchsorted(stream.busy_from_s, until_s))
        if int(stream.name) % 2:  # nobody asks it again
            watched = np.full(kept - 1, True)
            return Stream("", stream.busy_from_s[:kept], stream.busy_until_s[:kept], watched, kept)
        start_s = max(until_s, float(stream.busy_until_s[kept - 1])) + 1
        later = start_s + np.cumsum(rng.exponential(50.0, 30))
        busy_from_s = np.append(stream.busy_from_s[:kept], later)
        busy_until_s = np.append(stream.busy_until_s[:kept], later + 0.01)
        watched = np.full(len(busy_from_s) - 1, True)
        return Stream(stream.name, busy_from_s, busy_until_s, watched, len(busy_from_s))

    rng = np.random.default_rng(0)
    another = tuple(changed(stream, rng) for stream in workload.streams)
    known = before(workload.streams)
    assert len(set(known)) > 5
    assert before(another) == known


def test_others_that_stay_idle_are_heard_of() -> None:
    """Of streams that began together the short gaps end first; the long ones are no secret."""
    host_now = [0.0]
    host = Host(30.0, lambda: host_now[0])
    asked, others = advice(30.0, host), [advice(30.0, host) for _ in range(20)]
    for one in others:
        one.next_ttl_s()
    host_now[0] = 10.0
    for one in others[:4]:
        one.learn(10.0)
    assert asked.would_give_s() > 20.0  # of those that have ended all were short
    host_now[0] = 600.0
    assert asked.would_give_s() < 20.0  # and sixteen have not ended in ten minutes


def test_now_is_after_all_that_has_been() -> None:
    workload = drawn_workload("on and off", gaps=50, mean_gap_s=300.0, streams=3, seed=2)
    first, *others = workload.streams
    decision = next_keep_alive_s(first, 120.0, others)
    now_s = [0.0]
    host = Host(120.0, lambda: now_s[0])
    policies = [advice(120.0, host) for _ in workload.streams]
    last_s = max(float(one.busy_until_s[-1]) for one in workload.streams)
    for at_s, begins, which, gap_s in zip(*in_time(workload.streams, tails=True), strict=True):
        now_s[0] = at_s
        if begins and not (which == 0 and math.isnan(gap_s)):
            policies[which].next_ttl_s()
        elif not begins:
            policies[which].learn(float(gap_s))
    now_s[0] = last_s
    assert decision.learned_ttl_s == policies[0].learned_ttl_s()
    assert decision.slack == pytest.approx(policies[0].slack)
    assert decision.gaps == 50
    assert decision.ttl_s == (decision.learned_ttl_s if decision.is_affordable else 120.0)


@pytest.mark.skipif(not TRACES.is_dir(), reason="../shared/traces is missing")
@pytest.mark.parametrize("trace", T_STARS_S)
def test_the_advice_is_at_or_below_the_slack_bank(trace: str) -> None:
    workload = read_workload(TRACES / f"{trace}.csv.gz")
    for t_star_s in T_STARS_S[trace]:
        costs = replay_policies(workload, t_star_s, ["slack bank", "advice"])
        assert costs["advice"].cost <= costs["slack bank"].cost + 1e-9
        assert costs["advice"].over_clairvoyant <= 2


def test_it_is_robust_on_what_is_drawn() -> None:
    """Much better where something can be learned, never much worse."""
    by_kind = {}
    for kind in KINDS:
        both = {"slack bank": 0.0, "advice": 0.0}
        for seed, t_star_s in enumerate((10.0, 60.0, 300.0)):
            workload = drawn_workload(kind, gaps=60, streams=10, seed=seed)
            for name, cost in replay_policies(workload, t_star_s, list(both)).items():
                both[name] += math.log(cost.over_clairvoyant) / 3
        by_kind[kind] = both["advice"] - both["slack bank"]
    assert max(by_kind.values()) < 0.015, by_kind
    assert np.mean(list(by_kind.values())) < -0.01, by_kind
