"""The story from a seed, its comparisons as a table, and an exit code."""

from __future__ import annotations

import random
import sys

from lifecycle_widgets.experiments.shortage.shortage import Shortage
from tests.bench.crosscheck.compare import compared
from tests.bench.crosscheck.stage import stage
from tests.bench.crosscheck.story import play
from tests.bench.crosscheck.table import told

SECONDS = 180.0


def bench_crosscheck(at_least_s: float = SECONDS, seed: int | None = None) -> None:
    """Play, compare, print; exit with 1 when something of ours is wrong."""
    if sys.platform != "linux":
        sys.exit("The witnesses are Linux's: /proc and control groups.")
    seed = random.randrange(10_000) if seed is None else seed
    print(f"cross-checks: {at_least_s:g} s, seed {seed}", flush=True)
    with stage(seed, history_s=2 * at_least_s + 600) as played:
        count = play(played, at_least_s)
        table, is_right = told(compared(played))
    if played.account is None:
        print(f"without the control group's account: {Shortage.why_not()}")
    runs, runners = len(played.asked), len(played.table.lives)
    print(f"{count} scenes, {runs} runs of ours, {runners} runners\n\n{table}", flush=True)
    if not is_right:
        sys.exit(1)
