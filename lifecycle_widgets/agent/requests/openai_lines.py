"""OpenAILines: the chunks of servers that take Ollama's chat request and answer in OpenAI's form.

llama.cpp's own server does so at /api/chat.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_REASONS = {"tool_calls": "stop"}  # the others are called the same
_NS_PER_MS = 1e6


class OpenAILines:
    """Reads one answer in OpenAI's form, line by line, as Ollama would have sent it.

    A tool call comes in parts there, and the numbers after the last text; so both are kept until
    the end.

    Examples
    --------
    >>> lines = OpenAILines()
    >>> told = {"choices": [{"delta": {"reasoning_content": "Hm"}, "finish_reason": None}]}
    >>> lines.are(told), list(lines.as_ollama(told)), lines.final()
    (True, [{'message': {'content': None, 'thinking': 'Hm'}}], None)
    """

    def __init__(self) -> None:
        self._calls: dict[int, dict[str, str]] = {}
        self._reason: str | None = None
        self._numbers: dict[str, int] = {}

    def are(self, told: Mapping[str, Any]) -> bool:
        """Whether an object has that form."""
        return isinstance(told.get("choices"), list) and "message" not in told

    def as_ollama(self, told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """What the object brings now, as an object of Ollama's form."""
        self._numbers |= _numbers(told)
        for choice in told["choices"][:1]:
            given = choice if isinstance(choice, dict) else {}
            delta = given.get("delta") or given.get("message")
            said = delta if isinstance(delta, dict) else {}
            thinking = said.get("reasoning_content") or said.get("reasoning")
            yield {"message": {"content": said.get("content"), "thinking": thinking}}
            parts = said.get("tool_calls")
            for part in parts if isinstance(parts, list) else []:
                self._add(part)
            if isinstance(reason := given.get("finish_reason"), str):
                self._reason = _REASONS.get(reason, reason)
                yield {"message": {"tool_calls": [{"function": c} for c in self._calls.values()]}}
                self._calls = {}

    def final(self) -> dict[str, Any] | None:
        """The final chunk; None when the answer has not come to its end."""
        if self._reason is None:
            return None
        message = {"role": "assistant", "content": ""}
        return {**self._numbers, "message": message, "done": True, "done_reason": self._reason}

    def _add(self, part: object) -> None:
        """A part of a tool call: its name once, its arguments in pieces."""
        function = part.get("function") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(function, dict):
            return
        index = part.get("index")
        at = index if isinstance(index, int) else len(self._calls)
        call = self._calls.setdefault(at, {"name": "", "arguments": ""})
        for name in call:
            given = function.get(name)
            call[name] += json.dumps(given) if isinstance(given, dict) else str(given or "")


def _numbers(told: Mapping[str, Any]) -> dict[str, int]:
    """llama.cpp's ``timings`` and OpenAI's ``usage``, by the names that Ollama has for them."""
    timings, usage = _part(told, "timings"), _part(told, "usage")
    cached = _part(usage, "prompt_tokens_details").get("cached_tokens", timings.get("cache_n"))
    read = timings.get("prompt_n")  # what was cached is not among these
    if isinstance(read, int) and isinstance(cached, int):
        read += cached
    found = {
        "prompt_eval_count": usage.get("prompt_tokens", read),
        "prompt_eval_cached_count": cached,
        "eval_count": usage.get("completion_tokens", timings.get("predicted_n")),
        "prompt_eval_duration": _ns(timings.get("prompt_ms")),
        "eval_duration": _ns(timings.get("predicted_ms")),
    }
    return {name: value for name, value in found.items() if isinstance(value, int) and value >= 0}


def _part(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    return part if isinstance(part := told.get(name), dict) else {}


def _ns(milliseconds: object) -> int | None:
    is_number = isinstance(milliseconds, (int, float)) and 0 <= milliseconds < 1e12
    return round(milliseconds * _NS_PER_MS) if is_number else None  # type: ignore[operator]
