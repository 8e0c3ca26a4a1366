"""Meter: when the tokens of one chat request come, by kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from lifecycle_widgets.runs import Timings


class Meter:
    """Times one chat request from now on, by the client's clock.

    Parameters
    ----------
    on_thinking:
        Called with each piece of what the model thinks.

    Examples
    --------
    >>> meter = Meter()
    >>> meter.saw({"thinking": "Hm"})
    >>> meter.is_thinking
    True
    >>> timings = meter.timings(None)
    >>> timings.ttft_s + timings.thinking_s <= timings.total_s, timings.first_text_s
    (True, None)
    """

    def __init__(self, on_thinking: Callable[[str], None] = lambda _: None) -> None:
        self._on_thinking = on_thinking
        self._started_s = time.monotonic()
        self._ttft_s: float | None = None
        self._first_text_s: float | None = None
        self._thinks_since_s: float | None = None
        self._thought_s: float | None = None  # before that

    @property
    def has_token(self) -> bool:
        """True once a token of any kind has come."""
        return self._ttft_s is not None

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
        if self._ttft_s is None and (thinking or text or message.get("tool_calls")):
            self._ttft_s = now_s
        if self._first_text_s is None and text:
            self._first_text_s = now_s
        if not thinking or text:
            self._stop_thinking(now_s)
        elif self._thinks_since_s is None:
            self._thinks_since_s = now_s
        if thinking:
            self._on_thinking(thinking)

    def timings(self, final: Mapping[str, Any] | None) -> Timings:
        """What the request took, which has just ended; with its final chunk, if it came so far."""
        total_s = self._now_s()
        self._stop_thinking(total_s)
        return Timings.from_response(
            final,
            total_s=total_s,
            ttft_s=self._ttft_s,
            first_text_s=self._first_text_s,
            thinking_s=self._thought_s,
        )

    def _stop_thinking(self, now_s: float) -> None:
        if self._thinks_since_s is not None:
            self._thought_s = self._thought_for(self._thinks_since_s, now_s)
            self._thinks_since_s = None

    def _thought_for(self, since_s: float, now_s: float) -> float:
        return (self._thought_s or 0.0) + now_s - since_s

    def _now_s(self) -> float:
        return time.monotonic() - self._started_s
