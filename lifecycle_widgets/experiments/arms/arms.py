"""Arms: the same calls with the same gaps, under one keep_alive or setting each.

All waits are real. On the private sandbox the arms run *side by side*: each has an Ollama of its
own, and one loop makes all the calls one at a time, always the one that is due first, so that
one arm's long pause is another's time to work. Two models never load or answer at the same time;
what idles beside them costs memory only. Where there is too little memory for that, the arms run
one after the other, each with an Ollama of its own; *frugally*, with a short context too, and
another arm in the pause of one that holds nothing then. On a person's own Ollama they run on it one
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
from lifecycle_widgets.experiments.arms.turns import next_turn
from lifecycle_widgets.experiments.face.conversation import (
    FRUGAL_CONTEXT,
    PROMPT,
    READ_TOKENS_PER_S,
    Conversation,
    numbered,
    options_for,
    require_whole,
)
from lifecycle_widgets.experiments.face.experiment import Experiment, R, Row
from lifecycle_widgets.experiments.face.plan import Plan, about_text
from lifecycle_widgets.experiments.ground.free_memory import fair_share_bytes
from lifecycle_widgets.experiments.ground.ground import (
    chat_model,
    ground_notes,
    load_s,
    told,
)
from lifecycle_widgets.experiments.ground.model_memory import (
    DEFAULT_CONTEXT,
    Memory,
    memory_of,
    planned,
    together,
)
from lifecycle_widgets.experiments.statistics import digits
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
IN_TURN = (
    "Frugal: one arm after the other, each with a private Ollama of its own and a context of "
    "{context} tokens. While an arm holds nothing in its long pause, another one goes on."
)
TOO_LARGE = (
    "Side by side it would be quicker, but that takes about {needed:.1f} GB of memory, and "
    "{free:.1f} GB are free for you."
)
OTHER_FORM = "{how} it takes about {time} and {gb} GB of memory (frugal={frugal})."
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
    frugal: bool | None = None  #: None: only where there is too little memory for all at once

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
        models, is_frugal = self._installed(), self._is_frugal()
        seconds, memory = self._takes(models, is_frugal=is_frugal)
        return Plan(
            what=what,
            rows=sum(len(arm.calls) for arm in self._arms()),
            seconds=round(seconds + more_s + 2),
            models=() if self._private() else tuple(models),
            notes=(
                *self._how(models, is_frugal=is_frugal, more_s=more_s + 2),
                *notes,
                *ground_notes(self.server, models.values(), self.think),
            ),
            **planned(memory),
        )

    def _takes(
        self, models: Mapping[str, Model], *, is_frugal: bool
    ) -> tuple[float, Memory | None]:
        """How long, in seconds, and how much memory at once, about."""
        arms = self._arms()
        held = [self._memory(arm, models, is_frugal=is_frugal) for arm in arms]
        read_s = self.conversation.tokens / READ_TOKENS_PER_S
        spans = [_span_s(arm.calls, models, read_s) for arm in arms]
        if self._private() and not is_frugal:
            bursts = [_span_s(arm.calls[: arm.longest], models, read_s) for arm in arms]
            return max(spans) + sum(bursts) - max(bursts), together(held)
        most = max((m for m in held if m), key=lambda m: m.high_bytes, default=None)
        used_s = [_pause_s(arm) for arm in arms if arm.keep_alive.is_zero and len(arms) > 1]
        idle_s = sum(used_s) if self._private() else 0.0
        return sum(spans) - idle_s, None if None in held else most

    def _how(
        self, models: Mapping[str, Model], *, is_frugal: bool, more_s: float
    ) -> tuple[str, ...]:
        """How the arms are measured, and how else they could be."""
        if not self._private():
            return (ON_YOUR_OWN,)
        said = IN_TURN.format(context=self._context()) if is_frugal else SIDE_BY_SIDE
        if is_frugal and not self.frugal:
            needed_bytes, free_bytes = self._at_once_bytes(), fair_share_bytes()
            return said, TOO_LARGE.format(needed=needed_bytes / 1e9, free=free_bytes / 1e9)
        seconds, memory = self._takes(models, is_frugal=not is_frugal)
        other = OTHER_FORM.format(
            how="Side by side" if is_frugal else "One after the other",
            time=about_text(seconds + more_s),
            gb="?" if memory is None else digits(memory.middle_bytes / 1e9, 2),
            frugal=not is_frugal,
        )
        return said, other

    def _installed(self) -> dict[str, Model]:
        return {name: chat_model(self.server, name) for name in self._models()}

    def _is_frugal(self) -> bool:
        """Whether the arms, each in private, take turns: as wished, or for lack of memory."""
        if not self._private() or self.frugal is False:
            return False
        return bool(self.frugal) or self._at_once_bytes() > fair_share_bytes()

    def _at_once_bytes(self) -> float:
        """The most that all arms at once may take; endless where that is not told."""
        models = self._installed()
        memory = together(self._memory(arm, models) for arm in self._arms())
        return math.inf if memory is None else memory.high_bytes

    def _context(self) -> int:
        """As short as the calls allow, in tokens."""
        wanted = options_for(self.conversation, {"num_ctx": FRUGAL_CONTEXT}, least=FRUGAL_CONTEXT)
        return int(wanted["num_ctx"])

    def _memory(
        self, arm: Arm, models: Mapping[str, Model], *, is_frugal: bool = False
    ) -> Memory | None:
        """What an arm takes at most: of as many of its models as can be in memory at once."""
        num_ctx = options_for(self.conversation, {}).get("num_ctx")
        if self._private():  # there it is known what holds where nothing is asked for
            num_ctx = self._context() if is_frugal else num_ctx or DEFAULT_CONTEXT
        called = {call.model for call in arm.calls}
        each = [memory_of(self.server, models[name], num_ctx) for name in called]
        most = 1 if arm.keep_alive.is_zero else arm.settings.get("OLLAMA_MAX_LOADED_MODELS")
        return together(sorted(each, key=lambda m: m.high_bytes if m else math.inf)[::-1][:most])

    # --- measuring -------------------------------------------------------------------------------

    def _measure(self) -> Iterator[Row]:
        order = list(self._arms())
        random.Random(self.seed).shuffle(order)
        is_private, is_frugal = self._private(), self._is_frugal()
        self._found |= {"side_by_side": is_private and not is_frugal, "arms": []}
        if is_frugal:
            self._found["context_length"] = self._context()
            yield from self._in_turn(order)
            return
        for arms in [order] if is_private else [[arm] for arm in order]:
            yield from self._with_lanes(arms)

    def _with_lanes(self, arms: Sequence[Arm]) -> Iterator[Row]:
        with ExitStack() as ending:
            lanes: list[Lane] = []
            ending.callback(self._end, lanes)
            for arm in arms:
                lane = Lane(arm, self.server, private=self._private())
                lanes.append(lane)
                self._open(lane)
            while (due := next_lane(lanes)) is not None:
                yield self._call(due)
            self._wait(_LAST_SAMPLE_S)

    def _in_turn(self, order: Sequence[Arm]) -> Iterator[Row]:
        """Those that let go at once first: others go on in their pause."""
        arms = sorted(order, key=lambda arm: not arm.keep_alive.is_zero)
        lanes = [Lane(arm, self.server, private=True, context=self._context()) for arm in arms]
        begun: list[Lane] = []
        with ExitStack() as ending:
            ending.callback(self._end, begun)
            while (due := next_turn(lanes)) is not None:
                if due not in begun:
                    begun.append(due)
                    self._open(due)
                yield self._call(due)
                if due.is_over:  # its models make room for those of the next
                    self._wait(_LAST_SAMPLE_S)
                    begun.remove(due)
                    self._end([due])

    def _open(self, lane: Lane) -> None:
        self._say(f"keep_alive {lane.arm.name}: getting ready")
        self._empty(lane)
        lane.open()

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
            others = not self._is_another(lane.server) and self._look_for_others(call.model)
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


def _pause_s(arm: Arm) -> float:
    """Its longest pause, in seconds."""
    return arm.calls[arm.longest].gap_s if arm.longest < len(arm.calls) else 0.0
