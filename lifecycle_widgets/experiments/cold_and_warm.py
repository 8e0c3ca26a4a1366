"""ColdAndWarm: what a load costs, from the disk, from the page cache, and not at all."""

from __future__ import annotations

import html
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.experiments.experiment import Experiment, Plan, Row
from lifecycle_widgets.experiments.pagecache import forget
from lifecycle_widgets.experiments.result import Result
from lifecycle_widgets.experiments.statistics import Interval, median_interval
from lifecycle_widgets.server import Server

if TYPE_CHECKING:
    import plotly.graph_objects as go

DISK, CACHE, WARM = "cold (from disk)", "cold (page cache)", "warm"
_PROMPT = "Say hello."
_OPTIONS = {"num_predict": 8, "temperature": 0, "seed": 0}
_SECONDS = {DISK: 3.0, CACHE: 2.0, WARM: 0.6}  # about, of a small model
_KEEP_ALIVE = "5m"  # outlives the pause between two requests of a round


class ColdAndWarm(Experiment["ColdAndWarmResult"]):
    """Load time and time to first token of one model: cold (from disk), cold (page cache), warm.

    The order within each round is random; a first request warms up what is loaded only once.
    From disk needs a model file that can be read here (then the kernel is asked to drop it from
    the page cache); where it cannot, that row is left out and the plan says so.

    Parameters
    ----------
    model:
        An installed model.
    rounds:
        How often each of the states is measured.
    server:
        The Ollama to measure; without one, `Server.find` looks for it.
    seed:
        Of the random order.

    Examples
    --------
    >>> result = ColdAndWarm("smollm2:135m", rounds=2).run()
    >>> result.load_s("warm").median < result.load_s("cold (page cache)").median
    True
    """

    def __init__(
        self, model: str, *, rounds: int = 5, server: Server | None = None, seed: int = 0
    ) -> None:
        if rounds < 1:
            raise ValueError(f"rounds is {rounds}; give 1 or more.")
        super().__init__(server)
        self.model, self.rounds, self.seed = model, rounds, seed

    def plan(self) -> Plan:
        states = self._states()
        notes = () if DISK in states else (f"{DISK} is left out: {self._why_no_disk()}",)
        return Plan(
            what=f"Ask {self.model} for a few words {self.rounds} times each: {', '.join(states)}.",
            rows=self.rounds * len(states),
            seconds=2 + self.rounds * sum(_SECONDS[s] for s in states),
            memory_bytes=int(self.server.require(self.model).size_bytes * 1.3),
            models=(self.model,),
            notes=notes,
        )

    def _settings(self) -> dict[str, Any]:
        return {"model": self.model, "rounds": self.rounds, "seed": self.seed}

    def _states(self) -> tuple[str, ...]:
        return (DISK, CACHE, WARM) if self._weights() else (CACHE, WARM)

    def _weights(self) -> Path | None:
        """The model's file, when it can be read from here."""
        path = self.server.weights_path(self.model) if self.server.is_local else None
        try:
            if path is not None and path.is_file():
                with path.open("rb"):
                    return path
        except OSError:
            pass
        return None

    def _why_no_disk(self) -> str:
        if not self.server.is_local:
            return "the server is on another machine."
        return "the model's file cannot be read from here, so not dropped from the page cache."

    def _measure(self) -> Iterator[Row]:
        order = random.Random(self.seed)
        weights = self._weights()
        self._one("warming up")
        for number in range(self.rounds):
            for state in order.sample(self._states(), len(self._states())):
                yield self._prepared(state, number, weights)

    def _prepared(self, state: str, number: int, weights: Path | None) -> Row:
        self._say(f"round {number + 1} of {self.rounds}: {state}")
        if state == WARM:
            if self.server.resident(self.model) is None:
                self.server.preload(self.model, _KEEP_ALIVE)
        else:
            self.server.unload(self.model)
        dropped = state == DISK and weights is not None and forget(weights)
        return {"round": number + 1, "state": state, **self._one(state), "dropped": dropped}

    def _one(self, state: str) -> Row:
        run = self._ask(_PROMPT, model=self.model, keep_alive=_KEEP_ALIVE, options=_OPTIONS)
        return {
            "load_s": run.timings.load_s,
            "ttft_s": run.timings.ttft_s,
            "total_s": run.timings.total_s,
        }


class ColdAndWarmResult(Result):
    """The loads of one model.

    ``frame``: ``round``, ``state``, ``load_s`` (the server's load_duration), ``ttft_s`` and
    ``total_s`` (the client's clock), ``dropped`` (the kernel has dropped the file before).
    """

    kind = "cold_and_warm"

    def load_s(self, state: str) -> Interval:
        """The load time in a state (``"warm"``, ``"cold (page cache)"``, ``"cold (from disk)"``).

        Raises
        ------
        ValueError
            When it was not measured in that state.
        """
        return median_interval(list(self._of(state)["load_s"]))

    def ttft_s(self, state: str) -> Interval:
        """The time to first token in a state, in seconds. Raises ValueError as `load_s`."""
        return median_interval(list(self._of(state)["ttft_s"]))

    def _of(self, state: str) -> Any:
        rows = self.frame[self.frame["state"] == state]
        # a file that the kernel would not let go of was not read from the disk
        return rows[rows["dropped"]] if state == DISK else rows

    def _verdict(self) -> str:
        model, warm, cached = self.facts["model"], self.ttft_s(WARM), self.ttft_s(CACHE)
        text = (
            f"{model}: first token after {cached} s when it has to be loaded (its file in the "
            f"page cache), after {warm} s when it is resident. "
        )
        if warm.overlaps(cached):
            return text + "The two are not distinguishable here."
        text += f"A load costs {cached.median - warm.median:.2f} s."
        try:
            disk = self.ttft_s(DISK)
        except ValueError:
            return text
        alike = ": not distinguishable from the page cache here" if disk.overlaps(cached) else ""
        return f"{text} With its file from the disk the first token comes after {disk} s{alike}."

    @property
    def figure(self) -> go.Figure:
        """Time to first token in each state, load and the rest, one point per request."""
        from lifecycle_widgets.experiments.figures.cold_and_warm import draw

        return draw(self.frame, html.escape(self.facts["model"]))


ColdAndWarm.result_kind = ColdAndWarmResult
