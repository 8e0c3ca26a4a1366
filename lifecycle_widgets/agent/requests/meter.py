"""Meter: when the tokens of one chat request come, by kind; and what they were."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lifecycle_widgets.runs import Step, Timings, ToolCall, was_loaded

_MOST_REPEATS = 30
"""How often a token may come again before Ollama ends the answer, without a final chunk: the
"token repeat limit" of llm/llama_server.go (0.34), and of llm/server.go (0.5.7)."""


class Meter:
    """Times one chat request from now on, by the client's clock.

    Parameters
    ----------
    on_thinking:
        Called with each piece of what the model thinks.
    run_began_s:
        When the run began that the request is of, by the monotonic clock; without it: now.

    Examples
    --------
    >>> meter = Meter()
    >>> meter.saw({"thinking": "Hm"})
    >>> meter.is_thinking
    True
    >>> step = meter.step(None)
    >>> step.thinking, step.text, step.timings.ttft_s <= step.timings.total_s
    ('Hm', '', True)
    """

    def __init__(
        self,
        on_thinking: Callable[[str], None] = lambda _: None,
        run_began_s: float | None = None,
    ) -> None:
        self._on_thinking = on_thinking
        self._began_s = time.monotonic()
        self._start_s = 0.0 if run_began_s is None else self._began_s - run_began_s
        self._ttft_s: float | None = None
        self._first_text_s: float | None = None
        self._thinks_since_s: float | None = None
        self._thought_s: float | None = None  # before that
        self._ended_s: float | None = None
        self._is_over = False
        self._last, self._repeats = "", 0  # the last piece of text, and how often it came again
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[ToolCall] = []

    @property
    def has_token(self) -> bool:
        """True once a token of any kind has come."""
        return self._ttft_s is not None

    @property
    def repeats_itself(self) -> bool:
        """Whether the same piece has come so often that Ollama breaks the answer off."""
        return self._repeats >= _MOST_REPEATS

    @property
    def is_waiting(self) -> bool:
        """True while nothing has come, and it has not ended."""
        return self._ttft_s is None and not self._is_over

    @property
    def is_thinking(self) -> bool:
        """True while thinking is what came last."""
        return self._thinks_since_s is not None

    @property
    def thinking_s(self) -> float | None:
        """How long it has thought so far; None when it has not."""
        since_s = self._thinks_since_s
        return self._thought_s if since_s is None else self._thought_for(since_s, self._now_s())

    def saw(self, message: Mapping[str, Any]) -> None:
        """The message of a chunk has arrived."""
        now_s = self._now_s()
        thinking, text = message.get("thinking"), message.get("content")
        calls = message.get("tool_calls") or ()
        if self._ttft_s is None and (thinking or text or calls):
            self._ttft_s = now_s
        if self._first_text_s is None and text:
            self._first_text_s = now_s
        if not thinking or text:
            self._stop_thinking(now_s)
        elif self._thinks_since_s is None:
            self._thinks_since_s = now_s
        if text:
            piece = text.strip()
            self._repeats = self._repeats + 1 if piece == self._last else 0
            self._last = piece
        self.keep(message)

    def keep(self, message: Mapping[str, Any]) -> None:
        """What a message says; by itself, of an answer in one piece, which has no first token."""
        self._texts.append(message.get("content") or "")
        self._calls += [_call(one["function"]) for one in message.get("tool_calls") or ()]
        if thinking := message.get("thinking"):
            self._thoughts.append(thinking)
            self._on_thinking(thinking)

    def ended(self) -> None:
        """The final chunk has arrived; what griptape does with it is no part of the request."""
        self._ended_s = self._now_s()

    def step(self, final: Mapping[str, Any] | None) -> Step:
        """What the request was, which has just ended; with its final chunk, if it came so far."""
        self._is_over = True
        total_s = self._now_s() if self._ended_s is None else self._ended_s
        self._stop_thinking(total_s)
        timings = Timings.from_response(
            final,
            total_s=total_s,
            ttft_s=self._ttft_s,
            first_text_s=self._first_text_s,
            thinking_s=self._thought_s,
        )
        if final is None and self.repeats_itself:
            timings = replace(timings, done_reason="repeats")
        return Step(
            start_s=self._start_s,
            timings=timings,
            text="".join(self._texts),
            thinking="".join(self._thoughts),
            tool_calls=tuple(self._calls),
            loaded=was_loaded(timings),
        )

    def _stop_thinking(self, now_s: float) -> None:
        if self._thinks_since_s is not None:
            self._thought_s = self._thought_for(self._thinks_since_s, now_s)
            self._thinks_since_s = None

    def _thought_for(self, since_s: float, now_s: float) -> float:
        return (self._thought_s or 0.0) + now_s - since_s

    def _now_s(self) -> float:
        return time.monotonic() - self._began_s


def _call(function: Mapping[str, Any]) -> ToolCall:
    return ToolCall(str(function["name"]), dict(function["arguments"] or {}))
