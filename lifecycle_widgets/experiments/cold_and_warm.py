"""ColdAndWarm: what a load costs, from the disk, from the page cache, and not at all."""

from __future__ import annotations

import html
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.experiments.experiment import Experiment, Row
from lifecycle_widgets.experiments.ground import (
    RUNNER_BYTES,
    chat_model,
    ground_notes,
    load_s,
    told,
    told_bytes,
)
from lifecycle_widgets.experiments.pagecache import cached_fraction, forget
from lifecycle_widgets.experiments.plan import Plan
from lifecycle_widgets.experiments.result import Result
from lifecycle_widgets.experiments.statistics import Interval, median_interval
from lifecycle_widgets.runs import Think
from lifecycle_widgets.server import AnyServer, smallest_chat_models

if TYPE_CHECKING:
    import plotly.graph_objects as go

DISK, CACHE, WARM = "cold (from disk)", "cold (page cache)", "warm"
_PROMPT = "Say hello."
_OPTIONS = {"num_predict": 8, "temperature": 0, "seed": 0}
_ANSWER_S = 0.6  # about, of a small model
_DISK_SLOWNESS = 2  # a load from the disk takes about so many times as long
_TRIES = 10  # to have the file dropped
_KEEP_ALIVE = "5m"  # outlives the pause between two requests of a round


class ColdAndWarm(Experiment["ColdAndWarmResult"]):
    """Load time and time to first token of one model: cold (from disk), cold (page cache), warm.

    The order within each round is random; a first request warms up what is loaded only once.
    From disk needs the server's own model file to be readable here (then the kernel is asked to
    drop it from the page cache); where it is not, that row is left out and the plan says so. A file
    that the server did not read after all (in a container it has one of its own) counts as not
    dropped.

    Parameters
    ----------
    model:
        An installed model; by default the smallest that can chat.
    rounds:
        How often each of the states is measured.
    server:
        The Ollama to measure: a `Server`, its address, or a `Sandbox`. Without one, `Server.find`
        looks for it.
    think:
        Whether a model that can think does so first; None: not sent.
    seed:
        Of the random order.

    Examples
    --------
    >>> result = ColdAndWarm("smollm2:135m", rounds=2).run()
    >>> result.load_s("warm").median < result.load_s("cold (page cache)").median
    True
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        rounds: int = 5,
        server: AnyServer = None,
        think: Think = None,
        seed: int = 0,
    ) -> None:
        if rounds < 1:
            raise ValueError(f"rounds is {rounds}; give 1 or more.")
        super().__init__(server, think=think)
        self.model = model or smallest_chat_models(self.server)[0]
        self.rounds, self.seed = rounds, seed

    def plan(self) -> Plan:
        model, states = chat_model(self.server, self.model), self._states()
        no_disk = () if DISK in states else (f"{DISK} is left out: {self._why_no_disk()}",)
        loads_s = load_s(model) * (1 + _DISK_SLOWNESS * (DISK in states))
        return Plan(
            what=f"Ask {self.model} for a few words {self.rounds} times each: {', '.join(states)}.",
            rows=self.rounds * len(states),
            seconds=round(2 + self.rounds * (_ANSWER_S * len(states) + loads_s)),
            memory_bytes=told_bytes(model, RUNNER_BYTES),
            models=(self.model,),
            notes=(*no_disk, *ground_notes(self.server, [model], self.think)),
        )

    def _settings(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "rounds": self.rounds,
            "think": self.think,
            "seed": self.seed,
        }

    def _states(self) -> tuple[str, ...]:
        return (DISK, CACHE, WARM) if self._weights() else (CACHE, WARM)

    def _weights(self) -> Path | None:
        """The model's file, when it is the server's own and can be read from here."""
        path = self.server.weights_path(self.model) if self.server.is_local else None
        size_bytes = self.server.require(self.model).size_bytes
        try:
            if path is not None and size_bytes and path.is_file():
                with path.open("rb"):
                    # a model can have other files beside its weights, never less than them
                    is_it = 0.5 < path.stat().st_size / size_bytes < 1.01
                    return path if is_it else None
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
                self._preload(self.model, _KEEP_ALIVE)
        else:
            self._unload(self.model)
        dropped = state == DISK and weights is not None and self._drop(weights)
        row = {"round": number + 1, "state": state, **self._one(state)}
        return {**row, "dropped": dropped and weights is not None and _was_read(weights)}

    def _drop(self, weights: Path) -> bool:
        """Have the kernel drop the file; a runner that has just ended may hold it for a moment."""
        for _ in range(_TRIES):
            if forget(weights):
                return True
            self._wait(0.1)
        return False

    def _one(self, state: str) -> Row:
        run = self._ask(_PROMPT, model=self.model, keep_alive=_KEEP_ALIVE, options=_OPTIONS)
        return {name: told(getattr(run.timings, name)) for name in ("load_s", "ttft_s", "total_s")}


def _was_read(weights: Path) -> bool:
    """Whether the server has read this very file since it was dropped: then it is cached again."""
    fraction = cached_fraction(weights)
    return fraction is None or fraction > 0.2


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
        return median_interval(list(self._of(state)["load_s"].dropna()))

    def ttft_s(self, state: str) -> Interval:
        """The time to first token in a state, in seconds. Raises ValueError as `load_s`."""
        return median_interval(list(self._of(state)["ttft_s"]))

    def _of(self, state: str) -> Any:
        rows = self.frame[(self.frame["state"] == state) & self.frame["ttft_s"].notna()]
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
            return text + self._no_disk()
        alike = ": not distinguishable from the page cache here" if disk.overlaps(cached) else ""
        return f"{text} With its file from the disk the first token comes after {disk} s{alike}."

    def _no_disk(self) -> str:
        if (self.frame["state"] != DISK).all():
            return ""
        return (
            " From the disk it was not measured: the file here did not pass through the page cache "
            "when the model was loaded, so it may be another one than was read."
        )

    @property
    def figure(self) -> go.Figure:
        """Time to first token in each state, load and the rest, one point per request."""
        from lifecycle_widgets.experiments.figures.cold_and_warm import draw

        return draw(self.frame, html.escape(self.facts["model"]))


ColdAndWarm.result_kind = ColdAndWarmResult
