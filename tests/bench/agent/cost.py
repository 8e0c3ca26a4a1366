"""What a run costs: ours beside plain griptape and bare ollama-python, on one warm model."""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.bench.agent.arms import (
    KEPT,
    MODEL,
    PROMPT,
    Arm,
    Asked,
    ask,
    bare,
    ours,
    plain,
    short_way,
)
from tests.bench.agent.spread import Row, spread

BARE, LOGGED, PLAIN = "ollama.Client.chat", "griptape, with its log", "plain griptape, quiet"
OURS, SHORT = "lw.run(agent)", "lw.run_agent"
SHORT_TOKENS, LONG_S = 60, 3.0
TIMES = 24
_MOST_OF_BARE = 1.02


@dataclass(frozen=True)
class Cost:
    """All calls of each arm, by its name."""

    tokens: int
    asked: Mapping[str, list[Asked]]

    @property
    def is_same_text(self) -> bool:
        """Whether all got the same text, so that the server did the same work for all."""
        return len({one.text for calls in self.asked.values() for one in calls}) == 1

    def of(self, name: str, what: str) -> list[float]:
        """One figure of each call of an arm: "first_s", "last_s", "total_s" or "cpu_s"."""
        return [getattr(one, what) for one in self.asked[name]]

    def median(self, name: str, what: str) -> float:
        """The median of these."""
        return statistics.median(self.of(name, what))


def arms_of(server: Server, tokens: int) -> dict[str, Arm]:
    """All that are compared."""
    return {
        BARE: bare(server, tokens),
        LOGGED: plain(server, tokens, log=True),
        PLAIN: plain(server, tokens, log=False),
        OURS: ours(server, tokens),
        SHORT: short_way(server, tokens),
    }


def measured(arms: Mapping[str, Arm], tokens: int, times: int, seed: int = 0) -> Cost:
    """Ask by each so many times, in rounds of another order each; once more before, uncounted."""
    order, asked = random.Random(seed), {name: [] for name in arms}
    for arm in arms.values():
        ask(arm)
    for _ in range(times):
        for name in order.sample(list(arms), len(arms)):
            asked[name].append(ask(arms[name]))
    return Cost(tokens, asked)


def tokens_of(server: Server, seconds: float) -> int:
    """How many tokens take so long here."""
    calls = [ask(bare(server, SHORT_TOKENS)) for _ in range(3)]
    each_s = statistics.median(one.last_s - one.first_s for one in calls) / (SHORT_TOKENS - 1)
    return max(SHORT_TOKENS, round(seconds / each_s))


def bench_cost(row: Row, times: int = TIMES) -> None:
    """A short answer and one of about three seconds, by each arm."""
    with Sandbox(models=[MODEL]) as sandbox:
        server = Server(sandbox.url)
        server.preload(MODEL, KEPT)
        ask(bare(server, SHORT_TOKENS))  # the prompt is in the runner's cache from now on
        for tokens in (SHORT_TOKENS, tokens_of(server, LONG_S)):
            tell(row, measured(arms_of(server, tokens), tokens, times))


def tell(row: Row, cost: Cost) -> None:
    same = "" if cost.is_same_text else " (the texts DIFFER: not the same work)"
    row(f"an answer of {cost.tokens} tokens, {PROMPT!r}", f"temperature 0, warm{same}")
    for name in cost.asked:
        row(f"  {name}: to the first text", spread(cost.of(name, "first_s")))
        row("    in all", spread(cost.of(name, "total_s")))
        row("    of it CPU of this process", spread(cost.of(name, "cpu_s")))
    own = [1e3 * (cost.median(PLAIN, w) - cost.median(BARE, w)) for w in ("first_s", "total_s")]
    row("  griptape's own, over the bare client", f"first text {own[0]:+.1f} ms, all {own[1]:+.1f}")
    is_short = cost.tokens == SHORT_TOKENS
    than, most = (PLAIN, 1.0) if is_short else (BARE, _MOST_OF_BARE)
    for name in (OURS, SHORT):
        _compare(row, cost, name, "first_s", PLAIN, 1.0)
        _compare(row, cost, name, "total_s", than, most)


def _compare(row: Row, cost: Cost, name: str, what: str, than: str, most: float) -> None:
    """The ratio of the medians, with the goal."""
    own, other = cost.median(name, what), cost.median(than, what)
    words = "first text" if what == "first_s" else "in all"
    is_met = "" if own <= most * other else "  MISSED"
    row(
        f"  {name}: {words} / {than} (at most {most:g})",
        f"{own / other:.3f}, {1e3 * (own - other):+.1f} ms{is_met}",
    )
