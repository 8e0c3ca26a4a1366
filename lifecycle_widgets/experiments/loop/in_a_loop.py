"""InALoop: one agent, several requests: plain with a short keep_alive, held, and kept."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from lifecycle_widgets.agent import StructureRun
from lifecycle_widgets.agent.hold import LEASE_S
from lifecycle_widgets.experiments.face.experiment import Experiment, Row
from lifecycle_widgets.experiments.face.plan import Plan, quoted
from lifecycle_widgets.experiments.ground.close_look import CloseLook, gone_s
from lifecycle_widgets.experiments.ground.ground import (
    chat_model,
    distinct,
    ground_notes,
    load_s,
    told,
)
from lifecycle_widgets.experiments.ground.model_memory import memory_of, planned, together
from lifecycle_widgets.experiments.loop.in_a_loop_result import InALoopResult
from lifecycle_widgets.experiments.loop.loops import PROMPT, Loop, loops_of, ours
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Think
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import AnyServer, chat_models, same_name

_REQUESTS = 3  # of a run, about: for the plan
_ANSWER_S = 0.4  # about, of a small model
_LEAVES_WITHIN_S = 3.0  # after its keep_alive; Ollama takes up to half a second
_LAST_LOOK_S = 0.3


@dataclass(frozen=True)
class Way:
    """One way to run a structure: which keep_alive, and whether its models are held."""

    name: str
    keep_alive: KeepAlive
    hold: bool


class InALoop(Experiment[InALoopResult]):
    """What a keep_alive does between the requests of one run, and what holding the models saves.

    A structure is run in three ways, each round in another order, each time with none of its models
    in memory: with a short keep_alive, plain (each request carries it); with the same, *held* (it
    applies when the last request of a model has ended); and with a long one. Reloads, seconds, and
    memory held x seconds are compared.

    Memory counts in a window that is the same for the three runs of a structure in a round: from
    the start of the run, for as long as the slowest of them took until its models had left. What a
    long keep_alive holds after that is told beside it (``left_gb``).

    Parameters
    ----------
    structures:
        A function that makes a griptape Agent, PromptTask, Pipeline or Workflow of yours (each run
        has a new one), or a mapping from names to (function, prompt). Without: an agent with a
        tool, and a pipeline of two models; see `model` and `writer`.
    prompt:
        What a single ``structures`` is asked.
    model:
        Without ``structures``: the model of the agent, which must be able to use tools; by default
        the smallest that can.
    writer:
        Without ``structures``: the second model of the pipeline; by default the smallest other one
        that can use tools, or else chat. Where there is none the pipeline is left out.
    keep_alive:
        The short one.
    kept:
        The long one.
    rounds:
        How often each structure is run in each way.
    server:
        The Ollama to measure: a `Server`, its address, or a `Sandbox`. Without one, `Server.find`
        looks for it.
    think:
        Without ``structures``: whether models that can think do so first; None: not sent.
    seed:
        Of the random order.

    Raises
    ------
    ValueError
        For fewer rounds than one, a keep_alive that Ollama would reject, or a short one that is
        none.
    TypeError
        For structures that are none.
    LookupError
        Without ``structures``, when no model can use tools.

    Examples
    --------
    >>> with Sandbox(answers=ANSWERS) as sandbox:  # doctest: +SKIP
    ...     result = InALoop(rounds=2, server=sandbox).run()
    >>> result.table  # doctest: +SKIP
    """

    result_kind = InALoopResult

    def __init__(
        self,
        structures: Any = None,
        *,
        prompt: str = PROMPT,
        model: str | None = None,
        writer: str | None = None,
        keep_alive: KeepAlive | str | float = 0,
        kept: KeepAlive | str | float = "5m",
        rounds: int = 3,
        server: AnyServer = None,
        think: Think = None,
        seed: int = 0,
    ) -> None:
        if rounds < 1:
            raise ValueError(f"rounds is {rounds}; give 1 or more.")
        self.keep_alive, self.kept = _short_and_long(keep_alive, kept)
        super().__init__(server, think=think)
        self._sandbox = server if isinstance(server, Sandbox) else None
        if structures is None:
            model = model or self._smallest_with_tools()
            self.loops = ours(model, writer or self._another(model), self.think)
        else:
            self.loops = loops_of(structures, prompt)
        self._is_ours = structures is None
        self.rounds, self.seed = rounds, seed

    def _smallest_with_tools(self) -> str:
        found = next((m.name for m in chat_models(self.server) if m.can_use_tools), None)
        if found is None:
            raise LookupError(
                f"{self.server.url} has no model that can use tools. To install one: ollama pull "
                "llama3.2:1b. Or take lw.Sandbox(answers=...), whose models say what is set."
            )
        return found

    def _another(self, model: str) -> str | None:
        able = sorted(chat_models(self.server), key=lambda m: not m.can_use_tools)
        names = [model, *(m.name for m in able)]
        return next(iter(distinct(self.server, names, 2)[1:]), None)

    @property
    def ways(self) -> tuple[Way, ...]:
        """The three ways, in the order of the result."""
        short, long = self.keep_alive, self.kept
        return (
            Way(str(short), short, hold=False),
            Way(f"{short} held", short, hold=True),
            Way(str(long), long, hold=False),
        )

    # --- what it will take -----------------------------------------------------------------------

    def plan(self) -> Plan:
        models = {name: chat_model(self.server, name) for name in self._models()}
        memories = [
            together(memory_of(self.server, models[name]) for name in loop.models)
            for loop in self.loops
        ]
        most = max((m for m in memories if m), key=lambda m: m.high_bytes, default=None)
        seconds = sum(self._run_s([load_s(models[m]) for m in loop.models]) for loop in self.loops)
        names = ", ".join(f"{loop.name} ({' and '.join(loop.models)})" for loop in self.loops)
        return Plan(
            what=f"Run {names} with keep_alive {quoted(way.name for way in self.ways)}; "
            f"{self.rounds} rounds in random order.",
            rows=self.rounds * len(self.loops) * len(self.ways),
            seconds=round(2 + self.rounds * seconds),
            models=tuple(models),
            # whether those of a person think is said by their own drivers
            notes=tuple(
                ground_notes(self.server, models.values(), self.think if self._is_ours else False)
            ),
            **planned(None if None in memories else most),
        )

    def _run_s(self, loads_s: Sequence[float]) -> float:
        """How long a structure takes in all three ways, about, in seconds."""
        plain_s = sum(loads_s) + (_REQUESTS - 1) * max(loads_s)
        leaving_s = _LAST_LOOK_S + (self.keep_alive.seconds or 0.0)
        return plain_s + 2 * sum(loads_s) + len(self.ways) * (_REQUESTS * _ANSWER_S + leaving_s)

    def _models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(model for loop in self.loops for model in loop.models))

    def _settings(self) -> dict[str, Any]:
        box = self._sandbox
        if box is not None and box.url != self.server.url:
            box = None  # another server has been chosen
        return {
            **({} if box is None else {"server_kind": "private sandbox"}),
            "scripted": [] if box is None else [m for m in self._models() if _is_in(m, box)],
            "structures": [loop.name for loop in self.loops],
            "models": {loop.name: list(loop.models) for loop in self.loops},
            "ways": [way.name for way in self.ways],
            "kept": str(self.kept),
            "rounds": self.rounds,
            "think": self.think,
            "seed": self.seed,
        }

    # --- measuring -------------------------------------------------------------------------------

    def _measure(self) -> Iterator[Row]:
        order = random.Random(self.seed)
        self._found["memory"] = []
        runs = [(loop, way) for loop in self.loops for way in self.ways]
        for number in range(1, self.rounds + 1):
            for loop, way in order.sample(runs, len(runs)):
                self._say(f"round {number} of {self.rounds}: {loop.name}, keep_alive {way.name}")
                for model in loop.models:
                    self._unload(model)
                yield self._one(loop, way, number)

    def _one(self, loop: Loop, way: Way, number: int) -> Row:
        """One run, and what was in memory until its models had left, or will stay."""
        with CloseLook(self.server, loop.models) as look:
            run = self._asked(loop, way)
            since_start = datetime.now(timezone.utc) - run.started_at
            began_s = time.monotonic() - since_start.total_seconds()
            disturbed = any(self._look_for_others(model) for model in loop.models)
            self._wait_until_gone(look, way)
        memory = {
            model: [(round(t_s - began_s, 3), held) for t_s, held in points]
            for model, points in look.memory().items()
        }
        which = {"structure": loop.name, "way": way.name, "round": number}
        self._found["memory"].append({**which, "held": memory, "source": look.source})
        loads = run.loads
        return {
            **which,
            "requests": len(run.steps),
            "loads": told(loads),
            "reloads": told(None if loads is None else max(0, loads - len(run.models))),
            "total_s": run.timings.total_s,
            "load_s": told(run.timings.load_s),
            "waiting_s": sum(told(step.timings.ttft_s) for step in run.steps),
            "gone_s": told(gone_s(memory)),
            "others": disturbed,
        }

    def _asked(self, loop: Loop, way: Way) -> Run:
        """The run of one structure; of the experiment's own, as `_ask` is of one prompt."""
        here, began_at = self._consent.require(*loop.models), datetime.now(timezone.utc)
        self._disturbed = False
        running = StructureRun(
            loop.make(), loop.prompt, server=self.server, keep_alive=way.keep_alive, hold=way.hold
        )
        try:
            run = self._waited(running)
        finally:
            for model in loop.models:
                if way.hold:  # what is in force should a hold not have been let go
                    self._consent.lent(model, LEASE_S, began_at)
                self._consent.lent(model, way.keep_alive, began_at)
        if run.was_resident and not here:
            self._consent.refuse(loop.models[0])  # somebody has loaded it since we looked
        return run

    def _wait_until_gone(self, look: CloseLook, way: Way) -> None:
        """Until what is to leave has left; of what stays, one more look is taken."""
        if way.keep_alive == self.kept:
            self._wait(_LAST_LOOK_S)
            return
        within_s = (way.keep_alive.seconds or 0.0) + _LEAVES_WITHIN_S
        until_s = time.monotonic() + within_s
        while gone_s(look.memory()) is None and time.monotonic() < until_s:
            self._wait(0.1)


def _is_in(model: str, box: Sandbox) -> bool:
    """Whether its words are set."""
    return any(same_name(model, name) for name in box.scripted)


def _short_and_long(short: Any, long: Any) -> tuple[KeepAlive, KeepAlive]:
    """The two as keep_alives. Raises ValueError unless the first is the shorter one."""
    one, other = KeepAlive(short), KeepAlive(long)
    seconds = one.seconds if not one.is_default else None
    if seconds is None or other.seconds is None or seconds >= other.seconds:
        raise ValueError(
            f"keep_alive is {one} and kept {other}; give a short one, such as 0, and a longer one."
        )
    return one, other
