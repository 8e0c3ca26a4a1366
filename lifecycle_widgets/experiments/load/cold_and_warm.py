"""ColdAndWarm: what a load costs, from the disk, from the page cache, and not at all."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lifecycle_widgets.experiments.face.conversation import (
    PROMPT,
    READ_TOKENS_PER_S,
    Conversation,
    Turns,
    conversations,
    numbered,
    options_for,
    require_whole,
)
from lifecycle_widgets.experiments.face.experiment import Experiment, Row
from lifecycle_widgets.experiments.face.plan import Plan, quoted
from lifecycle_widgets.experiments.ground.ground import (
    chat_model,
    ground_notes,
    load_s,
    reading,
    told,
)
from lifecycle_widgets.experiments.ground.held import held_bytes, memory_source
from lifecycle_widgets.experiments.ground.model_memory import memory_of, planned
from lifecycle_widgets.experiments.ground.pagecache import cached_fraction, forget
from lifecycle_widgets.experiments.load.cold_and_warm_result import (
    CACHE,
    DISK,
    WARM,
    ColdAndWarmResult,
)
from lifecycle_widgets.runs import Think
from lifecycle_widgets.server import AnyServer, full_name, smallest_chat_models

_OPTIONS = {"num_predict": 8, "temperature": 0, "seed": 0}
_ANSWER_S = 0.6  # about, of a small model
_DISK_SLOWNESS = 2  # a load from the disk takes about so many times as long
_TRIES = 10  # to have the file dropped
_KEEP_ALIVE = "5m"  # outlives the pause between two requests of a round
_TIMES = ("load_s", "prompt_eval_s", "ttft_s", "total_s", "prompt_tokens", "cached_tokens")


class ColdAndWarm(Experiment[ColdAndWarmResult]):
    """What a reload costs: time to first token cold (from disk), cold (page cache), and warm.

    A cold request waits for the load, and for its whole prompt to be read; a warm one finds what
    was said before in the runner's prompt cache, which unloading throws away. So a reload costs the
    more the longer the conversation is: give several lengths as ``history`` for a curve.

    The order within each round is random, but that a warm request comes right after a cold one with
    the same history; a first request warms up what is loaded only once.
    From disk (with the shortest history only) needs the server's own model file to be readable here
    (then the kernel is asked to drop it from the page cache); where it is not, that row is left out
    and the plan says so. A file that the server did not read after all (in a container it has one
    of its own) counts as not dropped.

    Parameters
    ----------
    model:
        An installed model; by default the smallest that can chat.
    rounds:
        How often each of the states is measured, with each history.
    prompt:
        What is asked; each time with a number, so that no request is the same as the one before.
    history:
        What was said before the prompt: about so many tokens, several such lengths, or a
        conversation of your own, ``[(asked, answered), ...]``.
    server:
        The Ollama to measure: a `Server`, its address, or a `Sandbox`. Without one, `Server.find`
        looks for it.
    think:
        Whether a model that can think does so first; None: not sent.
    seed:
        Of the random order.

    Raises
    ------
    ValueError
        For fewer rounds than one, or a history that is none.

    Examples
    --------
    >>> result = ColdAndWarm("smollm2:135m", rounds=2).run()
    >>> result.load_s("warm").median < result.load_s("cold (page cache)").median
    True
    >>> ColdAndWarm("smollm2:135m", history=(0, 1000)).run().curve  # doctest: +SKIP
    """

    result_kind = ColdAndWarmResult

    def __init__(
        self,
        model: str | None = None,
        *,
        rounds: int = 5,
        prompt: str = PROMPT,
        history: int | Sequence[int] | Turns = 0,
        server: AnyServer = None,
        think: Think = None,
        seed: int = 0,
    ) -> None:
        if rounds < 1:
            raise ValueError(f"rounds is {rounds}; give 1 or more.")
        talks = conversations(history)
        super().__init__(server, think=think)
        self.model = model or smallest_chat_models(self.server)[0]
        self.rounds, self.prompt, self.seed = rounds, prompt, seed
        self.conversations = talks
        self._asked = 0

    def plan(self) -> Plan:
        model, states = chat_model(self.server, self.model), self._states()
        no_disk = () if DISK in states else (f"{DISK} is left out: {self._why_no_disk()}",)
        longest = self.conversations[-1]
        memory = memory_of(self.server, model, options_for(longest, {}).get("num_ctx"))
        talks = "; ".join(talk.spoken for talk in self.conversations)
        return Plan(
            what=(
                f"Ask {self.model} for a few words {self.rounds} times each: {quoted(states)}, "
                f"with {talks}."
            ),
            rows=self.rounds * sum(len(self._states_with(talk)) for talk in self.conversations),
            seconds=round(2 + self.rounds * self._round_s(load_s(model))),
            models=(self.model,),
            notes=(*no_disk, *ground_notes(self.server, [model], self.think)),
            **planned(memory),
        )

    def _round_s(self, load_s: float) -> float:
        """How long a round takes, about, in seconds."""
        each_s = {DISK: (1 + _DISK_SLOWNESS) * load_s, CACHE: load_s, WARM: 0.0}
        spent_s = 0.0
        for talk in self.conversations:
            for state in self._states_with(talk):
                read_s = talk.tokens / READ_TOKENS_PER_S if state != WARM else 0.0
                spent_s += _ANSWER_S + each_s[state] + read_s
        return spent_s

    def _settings(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "rounds": self.rounds,
            "prompt": self.prompt,
            "history_tokens": [talk.tokens for talk in self.conversations],
            "think": self.think,
            "seed": self.seed,
        }

    def _states(self) -> tuple[str, ...]:
        return (DISK, CACHE, WARM) if self._weights() else (CACHE, WARM)

    def _states_with(self, talk: Conversation) -> tuple[str, ...]:
        """From the disk with the shortest only: what the disk adds is the same for all."""
        is_shortest = talk == self.conversations[0]
        return tuple(state for state in self._states() if is_shortest or state != DISK)

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
        weights, self._asked = self._weights(), 0
        self._say("warming up")
        self._one("warming up", self.conversations[0])
        for number in range(self.rounds):
            for talk in order.sample(self.conversations, len(self.conversations)):
                for state in _in_order(self._states_with(talk), order):
                    yield self._prepared(state, talk, number, weights)

    def _prepared(self, state: str, talk: Conversation, number: int, weights: Path | None) -> Row:
        self._say(f"round {number + 1} of {self.rounds}: {state}, {talk.spoken}")
        if state == WARM:
            if self.server.resident(self.model) is None:
                self._preload(self.model, _KEEP_ALIVE)
        else:
            self._unload(self.model)
        dropped = state == DISK and weights is not None and self._drop(weights)
        row = {"round": number + 1, "state": state, **self._one(state, talk)}
        return {**row, "dropped": dropped and weights is not None and _was_read(weights)}

    def _drop(self, weights: Path) -> bool:
        """Have the kernel drop the file; a runner that has just ended may hold it for a moment."""
        for _ in range(_TRIES):
            if forget(weights):
                return True
            self._wait(0.1)
        return False

    def _one(self, state: str, talk: Conversation) -> Row:
        self._asked += 1
        run = self._ask(
            numbered(self.prompt, self._asked),
            model=self.model,
            keep_alive=_KEEP_ALIVE,
            options=options_for(self.conversations[-1], _OPTIONS),
            history=talk.turns,
        )
        require_whole(talk, run.timings.prompt_tokens)
        row: dict[str, Any] = {"history_tokens": talk.tokens}
        row |= {name: told(getattr(run.timings, name)) for name in _TIMES}
        row |= {"loaded": bool(run.loads), "others": self._look_for_others(self.model)}
        return {**row, "held_bytes": told(self._held_bytes() if state == WARM else None)}

    def _held_bytes(self) -> int | None:
        """The memory that the model takes now; None when it is not told."""
        sample = reading(self.server)
        held = self.server.match(self.model, sample.residents or ())
        names = {full_name(self.model)} | ({full_name(held.name)} if held is not None else set())
        return held_bytes(sample.runners, sample.residents, names, memory_source([sample]))


def _in_order(states: Sequence[str], order: random.Random) -> list[str]:
    """The states in random order, but that warm is not the first: its history must be read."""
    cold = [state for state in states if state != WARM]
    shuffled = order.sample(cold, len(cold))
    shuffled.insert(order.randint(1, len(cold)), WARM)
    return shuffled


def _was_read(weights: Path) -> bool:
    """Whether the server has read this very file since it was dropped: then it is cached again."""
    fraction = cached_fraction(weights)
    return fraction is None or fraction > 0.2
