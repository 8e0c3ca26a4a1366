"""InTurn: several models called in turn, under several keep_alives: who is in memory when."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pandas as pd

from lifecycle_widgets.agent import RunFailed
from lifecycle_widgets.experiments.arms.arm import Arm, Call
from lifecycle_widgets.experiments.arms.arms import (
    ArmsExperiment,
    keep_alives_checked,
    seconds_checked,
)
from lifecycle_widgets.experiments.arms.eviction import DURATIONS, FOREVER, ROOM, evictions
from lifecycle_widgets.experiments.arms.result import ArmsResult
from lifecycle_widgets.experiments.face.enough import not_compared
from lifecycle_widgets.experiments.face.experiment import Row
from lifecycle_widgets.experiments.face.plan import Plan, quoted
from lifecycle_widgets.experiments.ground.ground import distinct
from lifecycle_widgets.experiments.statistics import Interval
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Think
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import AnyServer, Server, ServerUnreachable, chat_models

if TYPE_CHECKING:
    import plotly.graph_objects as go

_LIMITED_KEEP_ALIVE = KeepAlive("5m")
_EVICTIONS_S = 12.0


class InTurn(ArmsExperiment["InTurnResult"]):
    """Several models called in turn, several rounds, under several keep_alives.

    The rounds follow each other closely, except the second: it comes after a pause of more than
    30 seconds, so that 0, 30s and 5m differ for a reason that can be seen. One more arm makes the
    same calls where only ``max_loaded`` models may be in memory; and three models compete for two
    places, to see which is evicted.

    Parameters
    ----------
    models:
        Installed models; by default the smallest three that can chat.
    keep_alives:
        What `KeepAlive` takes; None: not sent, so that the server's default holds.
    rounds:
        How often each model is called.
    gap_s:
        The pause between two calls, in seconds.
    pause_s:
        The pause before the second round, in seconds.
    max_loaded:
        ``OLLAMA_MAX_LOADED_MODELS`` of the additional arm; None: without it. It is set where
        Ollama is started, so it is measured on private servers, not on a person's own.
    frugal:
        True: on the sandbox, the arms take turns, with a short context, so that one arm's models
        are in memory at a time: a fifth of the memory, three times as long. False: side by side.
        None: frugal where the memory is too little for side by side.
    server:
        The Ollama to measure: a `Server`, its address, or a `Sandbox`. Without one, `Server.find`
        looks for it.
    think:
        Whether models that can think do so first; None: not sent.
    seed:
        Of the random order of the arms.

    Raises
    ------
    ValueError
        For a setting that makes no sense, or a keep_alive that Ollama would reject.
    LookupError
        When fewer than two models are installed.

    Examples
    --------
    >>> result = InTurn(rounds=2, pause_s=33).run()  # doctest: +SKIP
    >>> result.table  # doctest: +SKIP
    """

    columns = (
        "arm", "round", "call", "model", "start_s", "gap_s", "idle_s", "was_resident", "loaded",
        "load_s", "ttft_s", "total_s", "residents", "held_bytes", "expires_in_s", "others",
    )  # fmt: skip

    def __init__(
        self,
        models: Sequence[str] | None = None,
        *,
        keep_alives: Sequence[Any] = (0, "30s", "5m", None),
        rounds: int = 3,
        gap_s: float = 0.3,
        pause_s: float = 33.0,
        max_loaded: int | None = 2,
        frugal: bool | None = None,
        server: AnyServer = None,
        think: Think = None,
        seed: int = 0,
    ) -> None:
        self.keep_alives = keep_alives_checked(keep_alives)
        seconds_checked("gap_s", gap_s)
        seconds_checked("pause_s", pause_s)
        if rounds < 1 or (max_loaded is not None and max_loaded < 1):
            raise ValueError(f"rounds is {rounds}, max_loaded {max_loaded}; give 1 or more.")
        if models is not None and (
            isinstance(models, str) or len(set(models)) < max(2, len(models))
        ):
            raise ValueError("Give two or more models in a list, each once.")
        super().__init__(server, think=think)
        self.models = list(models) if models is not None else self._smallest()
        self.rounds, self.gap_s, self.pause_s = rounds, gap_s, pause_s
        self.max_loaded, self.frugal, self.seed = max_loaded, frugal, seed

    def _smallest(self) -> list[str]:
        names = [model.name for model in chat_models(self.server)]
        found = distinct(self.server, names, 3)
        if len(found) < 2:
            has = f"one model that can chat, {found[0]}" if found else "no model that can chat"
            raise LookupError(
                f"{self.server.url} has {has}, and this needs two or three. To install another "
                "one: ollama pull llama3.2:1b"
            )
        return found

    def plan(self) -> Plan:
        self._require_distinct()
        arms, count = self._arms(), len(self.models)
        notes = [self._why_no_limit()] if self.max_loaded and not self._limit() else []
        evicting = "; then which of two leaves for a third" if self._evicts() else ""
        return self._plan_of_arms(
            f"Call {count} models in turn ({', '.join(self.models)}), {self.rounds} rounds, with "
            f"{self.pause_s:g} s before the second, under keep_alive "
            f"{quoted(arm.name for arm in arms)}{evicting}.",
            more_s=_EVICTIONS_S if self._evicts() else 0.0,
            notes=notes,
        )

    def _require_distinct(self) -> None:
        """Raise ValueError for two names of one model: they would share one place in memory."""
        for one, other in combinations(self.models, 2):
            if self.server.same_model(one, other):
                raise ValueError(
                    f"{one} and {other} are two names of one model, which is in memory once. Give "
                    "models that differ."
                )

    def _settings(self) -> dict[str, Any]:
        return {
            "models": self.models,
            "keep_alives": [str(value) for value in self.keep_alives],
            "rounds": self.rounds,
            "gap_s": self.gap_s,
            "pause_s": self.pause_s,
            "max_loaded": self.max_loaded,
            "frugal": self.frugal,
            "think": self.think,
            "seed": self.seed,
        }

    # --- arms ------------------------------------------------------------------------------------

    def _models(self) -> tuple[str, ...]:
        return tuple(self.models)

    def _arms(self) -> tuple[Arm, ...]:
        calls = tuple(
            Call(model, self._gap_s(number, model), {"round": number + 1})
            for number in range(self.rounds)
            for model in self.models
        )
        arms = [Arm(str(value), value, calls) for value in self.keep_alives]
        if self._limit():
            limit = {"OLLAMA_MAX_LOADED_MODELS": self.max_loaded or 0}
            name = f"{_LIMITED_KEEP_ALIVE}, at most {self.max_loaded}"
            arms.append(Arm(name, _LIMITED_KEEP_ALIVE, calls, limit))
        return tuple(arms)

    def _gap_s(self, number: int, model: str) -> float:
        after_pause = number == 1 and model == self.models[0]
        return self.pause_s if after_pause else self.gap_s

    def _limit(self) -> bool:
        return bool(self.max_loaded) and not self._why_no_limit()

    def _why_no_limit(self) -> str:
        if not self._private():
            return (
                "OLLAMA_MAX_LOADED_MODELS is set where Ollama is started, so the arm with a limit "
                "and the order of eviction are measured on the private sandbox only."
            )
        if len(self.models) <= (self.max_loaded or 0):
            return f"{len(self.models)} models never exceed a limit of {self.max_loaded}."
        return ""

    def _evicts(self) -> bool:
        return self._limit() and self.max_loaded == ROOM and len(self.models) > ROOM

    # --- measuring -------------------------------------------------------------------------------

    def _measure(self) -> Iterator[Row]:
        self._found["evictions"] = self._evictions() if self._evicts() else []
        yield from super()._measure()

    def _evictions(self) -> list[dict[str, Any]]:
        self._say("eviction: getting ready")
        room = Sandbox(
            models=self.models[: ROOM + 1],
            OLLAMA_MAX_LOADED_MODELS=ROOM,
            OLLAMA_CONTEXT_LENGTH=self._context() if self._is_frugal() else None,
        )
        with room as sandbox:
            try:
                return evictions(Server(sandbox.url), self.models, say=self._say)
            except ServerUnreachable as fault:
                raise RunFailed(
                    "The private Ollama that shows the order of eviction has ended: something has "
                    "killed it. Run the experiment again."
                ) from fault


class InTurnResult(ArmsResult):
    """Calls of several models in turn.

    ``frame``: ``arm``, ``round``, ``call``, ``model``, ``start_s`` (since the arm's first call),
    ``gap_s`` (since the end of the last call), ``idle_s`` (since the end of this model's last
    call), ``was_resident``, ``loaded`` (the model was loaded for it), ``load_s``, ``ttft_s``,
    ``total_s``; and when the answer had ended (and a model with keep_alive 0 had left):
    ``residents``, ``held_bytes``, ``expires_in_s`` (NaN: gone, inf: forever); ``others``: somebody
    else has used the model, or unloaded it, meanwhile.
    """

    kind = "in_turn"

    @property
    def evictions(self) -> pd.DataFrame:
        """Who left when there was room for two and a third was asked for; see `evictions`."""
        columns = ["case", "first", "first_keep_alive", "second", "second_keep_alive"]
        rows = self.facts.get("evictions", ())
        return pd.DataFrame(rows, columns=[*columns, "asked", "left"])

    @property
    def default_s(self) -> float | None:
        """The server's default keep_alive, as ``expires_at`` told it; None if it was not asked.

        Examples
        --------
        >>> result.default_s  # doctest: +SKIP
        300.0
        """
        arm = str(KeepAlive(None))
        if arm not in self.table.index:
            return None
        told = self.calls(arm)["expires_in_s"].dropna()
        return None if told.empty else round(float(told.median()))

    def _verdict(self) -> str:
        sentences = [self._loads(), self._trade(), *self._eviction_sentences()]
        return " ".join(s for s in sentences if s) + self._source_note()

    def _loads(self) -> str:
        """How many of the same calls had to load their model; of what is not whole, nothing."""
        table = self.table.loc[list(self.whole_arms)]
        if table.empty:
            return ""
        loads = ", ".join(
            f"{count} with {self._name(str(arm))}" for arm, count in table["loads"].items()
        )
        return f"Of {table['calls'].max()} calls so many had to load their model first: {loads}."

    def _name(self, arm: str) -> str:
        if arm != str(KeepAlive(None)) or self.default_s is None:
            return f"'{arm}'" if "," in arm else arm
        found = "forever" if math.isinf(self.default_s) else KeepAlive(self.default_s)
        return f"the server default (here: {found})"

    def _trade(self) -> str:
        """The arm with the most waiting against the one with the least, where no limit was set."""
        whole = self.whole_arms
        if why_not := not_compared([self._name(arm) for arm in whole]):
            return why_not
        limited = {arm["arm"] for arm in self.facts["arms"] if arm["settings"]}
        table = self.table.loc[[arm for arm in whole if arm not in limited]]
        if len(table) < 2 or table["waiting_s"].isna().any():
            return ""
        most, least = str(table["waiting_s"].idxmax()), str(table["waiting_s"].idxmin())
        slow, quick = self.waiting_s(most), self.waiting_s(least)
        if self.extra_waiting_s(most, than=least).low <= 0:
            return f"The waiting is not distinguishable here ({_ends(slow)} and {_ends(quick)} s)."
        head = (
            f"All first tokens together took {_ends(slow)} s with {self._name(most)}, and "
            f"{_ends(quick)} s with {self._name(least)}"
        )
        few, much = table.loc[most], table.loc[least]
        if not self.is_memory_told:
            return f"{head}. How much memory was held meanwhile is not told."
        return (
            f"{head}; for that {much['gb_s']:.0f} GB-seconds of memory were held instead of "
            f"{few['gb_s']:.0f}, {much['peak_gb']:.1f} GB at most instead of {few['peak_gb']:.1f}."
        )

    def _eviction_sentences(self) -> Iterator[str]:
        seen = self.evictions
        if seen.empty:
            return
        timed, forever = (seen[seen["case"] == case] for case in (DURATIONS, FOREVER))
        shorter = int((timed["left"] == timed["second"]).sum())
        yield (
            f"With room for {ROOM}, the model with the shorter keep_alive was evicted in {shorter} "
            f"of {len(timed)} trials, though the other one had been used longer ago."
        )
        gone = int((forever["left"] != "none").sum())
        yield (
            f"With both at forever one of them was evicted all the same in {gone} of "
            f"{len(forever)}."
        )

    @property
    def figure(self) -> go.Figure:
        """Who was in memory when, arm by arm; beside it waiting and GB-seconds."""
        from lifecycle_widgets.experiments.figures.in_turn import draw

        table = self.table
        waiting = {str(arm): self.waiting_s(str(arm)) for arm in table.index}
        return draw(self.frame, self.residencies, table, waiting)


def _ends(sum_s: Interval) -> str:
    if not sum_s.has_ends:
        return f"{sum_s.median:.1f}"
    return f"{sum_s.median:.1f} ({sum_s.low:.1f} to {sum_s.high:.1f})"


InTurn.result_kind = InTurnResult
