"""What holding the models of a run saves: `InALoop` on a sandbox whose models say what is set."""

from __future__ import annotations

from lifecycle_widgets.experiments import InALoop, InALoopResult
from lifecycle_widgets.experiments.loop.loops import ANSWERS
from lifecycle_widgets.sandbox import Sandbox
from tests.bench.agent.spread import Row

ROUNDS = 20


def measured(rounds: int) -> InALoopResult:
    """The agent with a tool and the pipeline of two models, plain, held and kept."""
    with Sandbox(answers=ANSWERS) as sandbox:
        return InALoop(rounds=rounds, server=sandbox).run()


def bench_hold(row: Row, rounds: int = ROUNDS) -> None:
    """Reloads, seconds and GB x s of each, and what holding saves."""
    result = measured(rounds)
    for (structure, way), told in result.table.iterrows():
        row(f"{structure}, keep_alive {way}: reloads", f"{told.reloads:g} of {told.requests:g}")
        row("    seconds", f"{told.total_s:.2f} ({told.low_s:.2f} to {told.high_s:.2f})")
        row("    GB x s", f"{told.gb_s:.2f} ({told.low_gb_s:.2f} to {told.high_gb_s:.2f})")
        row("    GB that stay afterwards", f"{told.left_gb:.2f}")
    for structure in result.structures:
        row(f"{structure}: held takes less, s", str(result.saved_s(structure)))
