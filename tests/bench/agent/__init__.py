"""The figures of the agent: what a run costs, sends and holds, and how soon it stops.

    python -m tests.bench agent                     # all of them, about half an hour
    python -m tests.bench.agent cost stops          # some: cost, panel, comm, stops, hold

Nothing in here is a test: what runs beside it counts. So run it alone; ratios of medians of calls
that took turns are what can be trusted. A goal that is not reached is printed as MISSED.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from tests.bench.agent.spread import Row

PARTS = ("cost", "panel", "comm", "stops", "hold")


def bench_agent(row: Row, parts: Sequence[str] = ()) -> None:
    """Each part, or those that are named."""
    for name in parts or PARTS:
        if name not in PARTS:
            sys.exit(f"no part {name!r}; there are: {', '.join(PARTS)}")
        # imported now: griptape takes a second
        bench: Callable[[Row], None] = getattr(
            import_module(f"tests.bench.agent.{name}"), f"bench_{name}"
        )
        bench(row)
