"""InARow: one model, calls with pauses: waiting against memory held, and the break-even T*."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lifecycle_widgets.experiments.arms.arm import Arm, Call
from lifecycle_widgets.experiments.arms.arms import (
    ArmsExperiment,
    keep_alives_checked,
    seconds_checked,
)
from lifecycle_widgets.experiments.arms.in_a_row_result import InARowResult
from lifecycle_widgets.experiments.break_even import checked_price
from lifecycle_widgets.experiments.face.conversation import PROMPT, Conversation, Turns
from lifecycle_widgets.experiments.face.plan import Plan, quoted
from lifecycle_widgets.runs import Think
from lifecycle_widgets.server import AnyServer, smallest_chat_models


class InARow(ArmsExperiment[InARowResult]):
    """One model, called with short and long pauses, under several keep_alives.

    Parameters
    ----------
    model:
        An installed model; by default the smallest that can chat.
    keep_alives:
        What `KeepAlive` takes; None: not sent.
    gaps_s:
        The pauses between the calls, in seconds: one call more than pauses. One longer than 30 s
        and some shorter show the difference between 0, 30s and 5m.
    price_s_per_gb_min:
        What one GB held in memory for one minute is worth to you, in seconds of your waiting. With
        it the verdict names T* and the cheapest keep_alive; None: it does not, as nobody knows
        your price but you. Any price can be asked for afterwards.
    prompt:
        What is asked in each call.
    history:
        What was said before the prompt: about so many tokens, or a conversation of your own,
        ``[(asked, answered), ...]``. A model that was unloaded has to read all of it again, so
        that a reload costs the more the longer it is (`ColdAndWarm` measures several lengths).
    frugal:
        True: on the sandbox, the arms take turns, with a short context: a quarter of the memory,
        twice as long. False: side by side. None: frugal where the memory is too little for that.
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

    Examples
    --------
    >>> result = InARow("smollm2:135m").run()  # doctest: +SKIP
    >>> print(result.break_even(price_s_per_gb_min=1.0), "s")  # doctest: +SKIP
    175 (155 to 183, n=9) s
    """

    result_kind = InARowResult
    columns = (
        "arm", "call", "model", "start_s", "gap_s", "was_resident", "loaded", "load_s",
        "prompt_eval_s", "ttft_s", "total_s", "prompt_tokens", "held_bytes", "expires_in_s",
        "others",
    )  # fmt: skip

    def __init__(
        self,
        model: str | None = None,
        *,
        keep_alives: Sequence[Any] = (0, "30s", "5m", "forever"),
        gaps_s: Sequence[float] = (1, 3, 33, 1),
        price_s_per_gb_min: float | None = None,
        prompt: str = PROMPT,
        history: int | Turns = 0,
        frugal: bool | None = None,
        server: AnyServer = None,
        think: Think = None,
        seed: int = 0,
    ) -> None:
        self.keep_alives = keep_alives_checked(keep_alives)
        seconds_checked("gaps_s", *gaps_s)
        if not gaps_s:
            raise ValueError("gaps_s is empty; give the pauses between the calls, in seconds.")
        if price_s_per_gb_min is not None:
            price_s_per_gb_min = checked_price(price_s_per_gb_min)
        conversation = Conversation.of(history)
        super().__init__(server, think=think)
        self.model = model or smallest_chat_models(self.server)[0]
        self.gaps_s, self.price_s_per_gb_min = tuple(gaps_s), price_s_per_gb_min
        self.prompt, self.conversation = prompt, conversation
        self.frugal, self.seed = frugal, seed

    def plan(self) -> Plan:
        gaps = ", ".join(f"{gap:g}" for gap in self.gaps_s)
        return self._plan_of_arms(
            f"Call {self.model} {len(self.gaps_s) + 1} times, with {self.conversation.spoken}, "
            f"pauses of {gaps} s, under keep_alive {quoted(map(str, self.keep_alives))}.",
            notes=("A load is from the page cache: the model's file has just been read.",),
        )

    def _settings(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "keep_alives": [str(value) for value in self.keep_alives],
            "gaps_s": list(self.gaps_s),
            "price_s_per_gb_min": self.price_s_per_gb_min,
            "prompt": self.prompt,
            "history_tokens": self.conversation.tokens,
            "frugal": self.frugal,
            "think": self.think,
            "seed": self.seed,
        }

    def _models(self) -> tuple[str, ...]:
        return (self.model,)

    def _arms(self) -> tuple[Arm, ...]:
        calls = tuple(Call(self.model, gap) for gap in (0.0, *self.gaps_s))
        return tuple(Arm(str(value), value, calls) for value in self.keep_alives)
