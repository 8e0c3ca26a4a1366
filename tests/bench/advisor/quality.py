"""What the advice costs beside every policy: on the traces, on drawn workloads, from nothing on.

python -m tests.bench.advisor.quality
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lifecycle_widgets.advisor.policies.advice import advice
from lifecycle_widgets.advisor.policies.learners.gap_cells import PLAIN, SMEARED, GapCells
from lifecycle_widgets.advisor.policies.learners.leader import FollowTheLeader
from lifecycle_widgets.advisor.policies.policy import Policy, gap_cost, least_cost
from lifecycle_widgets.advisor.policies.slack_bank import K_RELOADS, SlackBank
from lifecycle_widgets.advisor.replay.grid import grid
from lifecycle_widgets.advisor.replay.hindsight import BEST, best_in_hindsight
from lifecycle_widgets.advisor.replay.kernels.in_force import follow_leader, in_force
from lifecycle_widgets.advisor.replay.online import ALL, replay_policies
from lifecycle_widgets.advisor.replay.profile import profile
from lifecycle_widgets.advisor.workload.drawn import KINDS, drawn_workload
from lifecycle_widgets.advisor.workload.reading import read_workload
from lifecycle_widgets.advisor.workload.workload import Workload

Row = Callable[[str, str], None]

TRACES = Path(__file__).parents[4] / "shared" / "traces"
PRIOR = "slack bank with prior"
KNOWN = ("0", "5m", "10m", "forever", "break-even", "follow the leader", "slack bank", PRIOR, BEST)
# ../shared/reference/keep-alive-policies.md: its prior knew the others' later gaps, too
REFERENCE = {
    ("realhumaneval_chat", 30): (1.069, 4.631, 5.239, 5.483, 1.900, 1.217, 1.208, 1.070, 1.067),
    ("realhumaneval_chat", 120): (1.448, 1.713, 1.806, 1.856, 1.622, 1.541, 1.530, 1.406, 1.253),
    ("realhumaneval_chat", 600): (4.107, 1.412, 1.124, 1.053, 1.124, 1.143, 1.116, 1.115, 1.036),
    ("cups_copilot", 30): (2.996, 1.492, 1.492, 1.492, 1.410, 1.463, 1.441, 1.416, 1.308),
    ("cups_copilot", 120): (8.316, 1.035, 1.035, 1.035, 1.101, 1.131, 1.107, 1.097, 1.035),
    ("cups_copilot", 600): (40.156, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    ("azure_llm_2023_code", 30): (2.573, 2.125, 2.125, 2.125, 1.713, 1.519, 1.548, 1.481, 1.422),
    ("azure_llm_2023_code", 120): (5.358, 1.107, 1.107, 1.107, 1.323, 1.262, 1.219, 1.252, 1.107),
}
SHAPES = ((1, 600), (8, 80), (30, 25))  # streams, and gaps in each
SEEDS = 3
WITHIN = 1.1


def bench_quality(row: Row) -> None:
    """The traces where they are, then what is drawn, the adversary, and how fast it learns."""
    if TRACES.is_dir():
        on_traces(row)
        from_nothing(row)
    else:
        row("traces", f"{TRACES} is missing")
    on_drawn(row)
    against_an_adversary(row)
    per_second(row)


def _trace(name: str) -> Workload:
    return read_workload(TRACES / f"{name}.csv.gz")


def on_traces(row: Row) -> None:
    """Cost over the clairvoyant optimum, and the reference's own figure behind it."""
    for (name, t_star_s), figures in REFERENCE.items():
        workload = _trace(name)
        known = dict(zip(KNOWN, figures, strict=True))
        costs = [*replay_policies(workload, t_star_s).values()]
        for cost in [*costs, best_in_hindsight(workload, t_star_s)]:
            behind = f"   ({known[cost.name]:.3f})" if cost.name in known else ""
            row(f"{name}, T* {t_star_s} s: {cost.name}", f"{cost.over_clairvoyant:7.3f}{behind}")


def from_nothing(row: Row) -> None:
    """After how many gaps the advice's whole cost stays within 10 % of the best single TTL's.

    The cost from the first gap on, learning included, beside that of the one TTL for all streams
    that the whole trace turned out to favour.
    """
    for name, t_star_s in REFERENCE:
        workload = _trace(name)
        gaps_s, _, until_s = in_force("advice", workload.streams, float(t_star_s))
        began_s = np.concatenate([one.gap_began_s for one in workload.streams])
        in_time = np.argsort(began_s, kind="stable")
        gaps_s, until_s = gaps_s[in_time], until_s[in_time]
        best_s, _ = profile(gaps_s, grid(t_star_s)).best(t_star_s)
        ours, best = (
            np.cumsum(np.minimum(gaps_s, ttl) / t_star_s + (gaps_s > ttl))
            for ttl in (until_s, best_s)
        )
        outside = np.flatnonzero(ours > WITHIN * best)
        needed = int(outside[-1]) + 1 if len(outside) else 0
        said = f"{needed + 1} gaps" if needed < len(gaps_s) else "not within the trace"
        row(f"{name}, T* {t_star_s} s: within 10 % of {best_s:.0f} s", f"{said} of {len(gaps_s)}")


def on_drawn(row: Row) -> None:
    """The advice's cost against the slack bank's and its prior's, and the worst T*."""
    for kind in KINDS:
        for streams, gaps in SHAPES:
            names = ["slack bank", PRIOR, "advice"]
            found = {name: [] for name in names}  # type: dict[str, list[float]]
            t_stars_s = (10.0, 30.0, 120.0, 600.0, 3600.0)
            for t_star_s in t_stars_s:
                drawn = [
                    drawn_workload(kind, gaps=gaps, mean_gap_s=90.0, streams=streams, seed=seed)
                    for seed in range(SEEDS)
                ]
                for name in names:
                    costs = [replay_policies(one, t_star_s, [name])[name] for one in drawn]
                    found[name].append(sum(one.cost for one in costs))
            against = np.array(found["advice"]) / np.array(found["slack bank"]) - 1
            prior = np.array(found["advice"]) / np.array(found[PRIOR]) - 1
            worst = int(np.argmax(against))
            row(
                f"{kind}, {streams} x {gaps}: advice against slack bank, with prior",
                f"{against.mean():+.1%}, {prior.mean():+.1%}"
                f"   worst {against[worst]:+.1%} at T* {t_stars_s[worst]:g} s",
            )


def against_an_adversary(row: Row, gaps: int = 20_000) -> None:
    """Who sees the TTL and asks just after it has run out, again and again."""
    policies: list[Policy] = [FollowTheLeader(30.0), SlackBank(30.0), advice(30.0)]
    for policy in policies:
        cost = least = 0.0
        for _ in range(gaps):
            ttl_s = policy.next_ttl_s()
            gap_s = ttl_s + 1e-6
            cost, least = cost + gap_cost(gap_s, ttl_s, 30.0), least + least_cost(gap_s, 30.0)
            policy.learn(gap_s)
        said = f"{cost / least:.3f}, {cost - 2 * least:.1f} reloads beyond twice the optimum"
        row(f"adversary, {gaps:,} gaps: {policy.name}", said)


def per_second(row: Row, gaps: int = 10_000_000) -> None:
    """How fast they learn: the learners on one long stream, the advice as one and as many."""
    of_one = np.random.default_rng(0).lognormal(4, 1.5, gaps)
    for name, factors, slack in (
        ("follow the leader, 122 TTLs", PLAIN, np.inf),
        ("the same smeared, in the slack bank", SMEARED, K_RELOADS),
    ):
        follow_leader(of_one[:10], GapCells(120.0, factors), slack)  # compiled
        for some in (gaps // 10, gaps):
            begun = time.perf_counter()
            follow_leader(of_one[:some], GapCells(120.0, factors), slack)
            taken_s = time.perf_counter() - begun
            row(f"{name}, {some:,} gaps", f"{some / taken_s / 1e6:.1f} M gaps/s")
    for streams in (1, 10, 1000):
        workload = drawn_workload("on and off", gaps=100_000 // streams, streams=streams)
        for names in (["advice"], list(ALL)):
            replay_policies(workload, 120.0, names)
            begun = time.perf_counter()
            replay_policies(workload, 120.0, names)
            what = "advice" if len(names) == 1 else "every policy"
            row(
                f"replay of {workload.gaps:,} gaps in {streams} streams: {what}",
                f"{time.perf_counter() - begun:.2f} s",
            )


if __name__ == "__main__":
    bench_quality(lambda name, value: print(f"{name:66} {value}", flush=True))
