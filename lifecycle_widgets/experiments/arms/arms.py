"""Arms: the same calls with the same gaps, under one keep_alive or setting each.

All waits are real. On the private sandbox the arms run *side by side*: each has an Ollama of its
own, and one loop makes all the calls one at a time, always the one that is due first, so that
one arm's long pause is another's time to work. Two models never load or answer at the same time;
what idles beside them costs memory only. Where there is too little memory for that, the arms run
one after the other, each with an Ollama of its own. On a person's own Ollama they run on it one
after the other, in random order, and what they loaded is unloaded in between.
"""

from __future__ import annotations

import math
import random
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, ClassVar

from lifecycle_widgets.agent import RunFailed
from lifecycle_widgets.experiments.arms.arm import Arm, Call
from lifecycle_widgets.experiments.arms.lane import Lane
from lifecycle_widgets.experiments.face.conversation import (
    PROMPT,
    READ_TOKENS_PER_S,
    Conversation,
    numbered,
    options_for,
    require_whole,
)
from lifecycle_widgets.experiments.face.experiment import Experiment, R, Row
from lifecycle_widgets.experiments.face.plan import Plan
from lifecycle_widgets.experiments.ground.free_memory import free_memory_bytes
from lifecycle_widgets.experiments.ground.ground import (
    chat_model,
    ground_notes,
    load_s,
    told,
)
from lifecycle_widgets.experiments.ground.model_memory import Memory, memory_of, planned, together
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.sandbox import MODELS
from lifecycle_widgets.server import Model, ServerUnreachable, full_name

_OPTIONS = {"num_predict": 8, "temperature": 0, "seed": 0}
_TIMES = ("load_s", "prompt_eval_s", "ttft_s", "total_s")
_CALL_S = 2.0  # a call with its load takes about as long: room that is left for it
_LAST_SAMPLE_S = 0.7  # the monitor looks twice a second

SIDE_BY_SIDE = (
    "Side by side: each arm has a private Ollama of its own, and the calls are made one at a time, "
    "so that no two models load or answer at once; idle models only take memory."
)
ONE_BY_ONE = (
    "One after the other, each arm with a private Ollama of its own. Side by side it would be "
    "quicker, but that takes about {needed:.1f} GB of memory, and {free:.1f} GB are free."
)
ON_YOUR_OWN = (
    "One after the other on this Ollama, each arm with its models out of memory at its beginning. "
    "Should somebody else use them in between, it ends, and leaves them alone."
)


def keep_alives_checked(values: Sequence[Any]) -> tuple[KeepAlive, ...]:
    """Each once. Raises ValueError for none, for one twice, and for what Ollama would reject."""
    found = tuple(KeepAlive(value) for value in values)
    if not found:
        raise ValueError("keep_alives is empty; give one or more, such as (0, '5m').")
    twice = next((k for i, k in enumerate(found) if k in found[:i]), None)
    if twice is not None:
        raise ValueError(f"keep_alives has {str(twice)!r} twice; give each once.")
    return found


def seconds_checked(name: str, *values: float) -> None:
    """Raise ValueError unless all are finite and not below 0."""
    for value in values:
        if not 0 <= value < float("inf"):
            raise ValueError(f"{name} has {value}; give seconds, 0 or more.")


class ArmsExperiment(Experiment[R]):
    """An experiment whose rows are the calls of some arms."""

    columns: ClassVar[tuple[str, ...]] = ()  #: of the frame
    seed: int
    prompt: str = PROMPT
    conversation = Conversation.of(0)  #: what was said before the prompt, in each call

    @abstractmethod
    def _arms(self) -> tuple[Arm, ...]:
        """The arms, in the order of the result."""

    # --- what it will take -----------------------------------------------------------------------

    def _private(self) -> bool:
        """Whether each arm can have an Ollama of its own, with the same models."""
        return self.server.is_sandbox and {full_name(m) for m in self._models()} <= set(MODELS)

    def _models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c.model for arm in self._arms() for c in arm.calls))

    def _plan_of_arms(self, what: str, *, more_s: float = 0.0, notes: Sequence[str] = ()) -> Plan:
        """Raises UnknownModel for a model that is not installed, ValueError as `chat_model`."""
        arms, models = self._arms(), self._installed()
        held = [self._memory(arm, models) for arm in arms]
        read_s = self.conversation.tokens / READ_TOKENS_PER_S
        spans = [_span_s(arm.calls, models, read_s) for arm in arms]
        if self._side_by_side():
            bursts = [_span_s(arm.calls[: arm.longest], models, read_s) for arm in arms]
            seconds, memory = max(spans) + sum(bursts) - max(bursts), together(held)
        else:
            most = max((m for m in held if m), key=lambda m: m.high_bytes, default=None)
            seconds, memory = sum(spans), None if None in held else most
        return Plan(
            what=what,
            rows=sum(len(arm.calls) for arm in arms),
            seconds=round(seconds + more_s + 2),
            models=() if self._private() else tuple(models),
            notes=(self._how(), *notes, *ground_notes(self.server, models.values(), self.think)),
            **planned(memory),
        )

    def _how(self) -> str:
        if not self._private():
            return ON_YOUR_OWN
        if self._side_by_side():
            return SIDE_BY_SIDE
        needed_bytes, free_bytes = self._at_once_bytes(), free_memory_bytes()
        return ONE_BY_ONE.format(needed=needed_bytes / 1e9, free=free_bytes / 1e9)

    def _installed(self) -> dict[str, Model]:
        return {name: chat_model(self.server, name) for name in self._models()}

    def _side_by_side(self) -> bool:
        """Whether the arms are measured at once: each in private, with memory for all."""
        return self._private() and self._at_once_bytes() <= free_memory_bytes()

    def _at_once_bytes(self) -> float:
        """The most that all arms at once may take; endless where that is not told."""
        models = self._installed()
        memory = together(self._memory(arm, models) for arm in self._arms())
        return math.inf if memory is None else memory.high_bytes

    def _memory(self, arm: Arm, models: Mapping[str, Model]) -> Memory | None:
        """What an arm takes at most: of as many of its models as can be in memory at once."""
        num_ctx = options_for(self.conversation, {}).get("num_ctx")
        called = {call.model for call in arm.calls}
        each = [memory_of(self.server, models[name], num_ctx) for name in called]
        most = 1 if arm.keep_alive.is_zero else arm.settings.get("OLLAMA_MAX_LOADED_MODELS")
        return together(sorted(each, key=lambda m: m.high_bytes if m else math.inf)[::-1][:most])

    # --- measuring -------------------------------------------------------------------------------

    def _measure(self) -> Iterator[Row]:
        order = list(self._arms())
        random.Random(self.seed).shuffle(order)
        side_by_side = self._side_by_side()
        self._found |= {"side_by_side": side_by_side, "arms": []}
        for arms in [order] if side_by_side else [[arm] for arm in order]:
            yield from self._with_lanes(arms)

    def _with_lanes(self, arms: Sequence[Arm]) -> Iterator[Row]:
        with ExitStack() as ending:
            lanes: list[Lane] = []
            ending.callback(self._end, lanes)
            for arm in arms:
                self._say(f"{arm.name}: getting ready")
                lane = Lane(arm, self.server, private=self._private())
                self._empty(lane)
                lanes.append(lane)
                lane.open()
            while (due := next_lane(lanes)) is not None:
                yield self._call(due)
            self._wait(_LAST_SAMPLE_S)

    def _end(self, lanes: Sequence[Lane]) -> None:
        """Note what the monitors saw, and end everything (at once: a private Ollama takes time)."""
        try:
            names = [arm.name for arm in self._arms()]
            self._found["arms"] += [lane.facts() for lane in lanes if lane.done]
            self._found["arms"].sort(key=lambda facts: names.index(facts["arm"]))
        finally:
            with ThreadPoolExecutor(max(1, len(lanes))) as pool:
                list(pool.map(Lane.close, lanes))

    def _empty(self, lane: Lane) -> None:
        """Have a lane on the person's server begin with none of its models in memory."""
        if lane.sandbox is None:
            for model in self._models():
                self._unload(model)

    def _call(self, lane: Lane) -> Row:
        arm, call = lane.arm, lane.next_call
        self._say(f"keep_alive {arm.name}: {call.model}, call {lane.done + 1} of {len(arm.calls)}")
        self._wait(lane.due_in_s())
        try:
            run = self._ask(
                numbered(self.prompt, lane.done + 1),
                model=call.model,
                keep_alive=arm.keep_alive,
                server=lane.server,
                options=options_for(self.conversation, _OPTIONS),
                history=self.conversation.turns,
            )
            pauses = lane.called(run.timings.total_s)
            while arm.keep_alive.is_zero and lane.is_leaving(call.model):
                self._wait(0.05)
            after = lane.look(call.model)
            others = not self._is_private(lane.server) and self._look_for_others(call.model)
        except (ServerUnreachable, RunFailed) as fault:
            raise lane.explained(fault) from fault
        require_whole(self.conversation, run.timings.prompt_tokens)
        row: dict[str, Any] = {"arm": arm.name, **call.labels, "call": lane.done, **pauses, **after}
        row |= {"model": call.model, "was_resident": bool(run.was_resident)}
        row |= {"loaded": bool(run.loads), "others": others}
        row |= {name: told(getattr(run.timings, name)) for name in (*_TIMES, "prompt_tokens")}
        return {name: row[name] for name in self.columns}


def next_lane(lanes: Sequence[Lane]) -> Lane | None:
    """Whose call comes next; None when all are over.

    The one that is due first. Where two would collide, the shorter gap goes first: half a second
    more is much for it, and little for the long one. An arm begins when the one before it has
    come to its longest pause.
    """
    ready = [
        lane
        for i, lane in enumerate(lanes)
        if not lane.is_over and (lane.done or i == 0 or lanes[i - 1].has_paused)
    ]
    if not ready:
        return None
    soonest_s = max(0.0, min(lane.due_in_s() for lane in ready))
    collide = [lane for lane in ready if lane.due_in_s() < soonest_s + _CALL_S]
    return min(collide, key=lambda lane: (lane.gap_s, lane.due_in_s()))


def _span_s(calls: Sequence[Call], models: Mapping[str, Model], read_s: float) -> float:
    """How long these calls take, about: half of them load their model, and read all again."""
    return sum(call.gap_s + 0.5 + 0.5 * (load_s(models[call.model]) + read_s) for call in calls)
