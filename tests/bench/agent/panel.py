"""What a panel costs that is shown in a real browser: beside plain griptape and our own run.

The clock is the kernel's: from the call to the first text that the panel has, and to the end of
`wait`, when all has been sent to the page. `shown_panel` opens the page, and runs this in its
kernel.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets import AgentPanel
from tests.bench.agent.arms import KEPT, MODEL, PROMPT, Arm, Asked, Hears, options_of
from tests.bench.agent.cost import (
    LONG_S,
    PLAIN,
    SHORT,
    SHORT_TOKENS,
    Cost,
    arms_of,
    measured,
    tokens_of,
)
from tests.bench.agent.spread import Row, spread

PANEL = "AgentPanel, shown"
TIMES = 20
OUT = "LIFECYCLE_BENCH_OUT"
"""Names the file for what is measured in the kernel of the page."""
HOW = "LIFECYCLE_BENCH_HOW"
"""How often, and the seconds of the long answer."""

_ROOT = Path(__file__).parents[3]
_MOST_MORE_S = 0.005


def new_panel(server: Server) -> AgentPanel:
    """The one that the page shows."""
    return AgentPanel(server, model=MODEL, keep_alive=KEPT, prompt=PROMPT, memory=None)


def shown(panel: AgentPanel, tokens: int) -> Arm:
    """A run by the panel."""

    def arm(hear: Hears) -> None:
        def heard(change: Any) -> None:
            if change["new"].startswith(change["old"]):
                hear(change["new"][len(change["old"]) :])

        panel.options = options_of(tokens)
        panel.observe(heard, "answer")
        try:
            panel.start().wait()
        finally:
            panel.unobserve(heard, "answer")

    return arm


def measure(panel: AgentPanel, times: int = TIMES, seconds: float = LONG_S) -> None:
    """In the kernel: a short answer and a long one, each by all three; writes the file `OUT`."""
    assert isinstance(panel.server, Server)
    server, costs = panel.server, []
    server.preload(MODEL, KEPT)
    for tokens in (SHORT_TOKENS, tokens_of(server, seconds)):
        arms = {n: arm for n, arm in arms_of(server, tokens).items() if n in (PLAIN, SHORT)}
        cost = measured(arms | {PANEL: shown(panel, tokens)}, tokens, times)
        asked = {name: [asdict(one) for one in calls] for name, calls in cost.asked.items()}
        costs.append({"tokens": tokens, "asked": asked})
    Path(os.environ[OUT]).write_text(json.dumps(costs))


def in_a_browser(times: int = TIMES, seconds: float = LONG_S) -> list[Cost]:
    """Open a page with a panel, measure in its kernel, and close it.

    Raises
    ------
    RuntimeError
        With what the page's program said, where that does not work: there is no browser, say.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "costs.json"
        environment = {**os.environ, OUT: str(out), HOW: f"{times} {seconds}"}
        page = str(Path(__file__).with_name("shown_panel.py"))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", page]
        done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True)
        if not out.exists():
            raise RuntimeError(f"No panel was measured:\n{done.stdout}\n{done.stderr}")
        costs = json.loads(out.read_text())
    return [
        Cost(c["tokens"], {n: [Asked(**one) for one in a] for n, a in c["asked"].items()})
        for c in costs
    ]


def bench_panel(row: Row, times: int = TIMES) -> None:
    """A short answer and one of about three seconds."""
    for cost in in_a_browser(times):
        same = "" if cost.is_same_text else " (the texts DIFFER: not the same work)"
        row(f"a panel in a browser, an answer of {cost.tokens} tokens", f"warm{same}")
        for name in cost.asked:
            row(f"  {name}: to the first text", spread(cost.of(name, "first_s")))
            row("    to the last", spread(cost.of(name, "last_s")))
            row("    in all", spread(cost.of(name, "total_s")))
            row("    of it CPU of the kernel", spread(cost.of(name, "cpu_s")))
        for words, what in (("first text", "first_s"), ("last", "last_s"), ("in all", "total_s")):
            own, run, plain = (cost.median(name, what) for name in (PANEL, SHORT, PLAIN))
            is_met = "" if own - run <= _MOST_MORE_S else "  MISSED"
            more, than_plain = f"{1e3 * (own - run):+.1f} ms", f"{1e3 * (own - plain):+.1f} ms"
            row(f"  {words}: more than {SHORT} (at most 5 ms)", more + is_met)
            row(f"  {words}: more than {PLAIN}", than_plain)
