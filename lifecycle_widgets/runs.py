"""Run and Timings: what one request was and what it cost. Plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from lifecycle_widgets.keep_alive import KeepAlive

Think = bool | Literal["low", "medium", "high"] | None
"""Whether, and how much, a model is to think before it answers; None: not sent."""

_NS_PER_S = 1e9
_MOST = 1e18  # no answer takes so many nanoseconds, or tokens


@dataclass(frozen=True)
class Timings:
    """Where the time of a request went. Seconds and tokens; None means that it is not known.

    Parameters
    ----------
    total_s:
        From sending the request to its end, by the client's clock (monotonic).
    ttft_s:
        Time to first token, by the client's clock: to the first chunk that carries text, thinking
        or a tool call. On a cold model this is load plus prompt eval.
    load_s, prompt_eval_s, eval_s:
        The server's own split (``load_duration``, ``prompt_eval_duration``, ``eval_duration`` of
        the final chunk). ``load_s`` includes waiting for another model to leave; it is a few
        milliseconds when the model is warm. None when the request did not reach its end.
    prompt_tokens, output_tokens:
        ``prompt_eval_count`` (cached tokens included) and ``eval_count`` (thinking included).
    first_text_s:
        To the first chunk that carries text of the answer, by the client's clock: for a model that
        thinks, later than ``ttft_s``. None when there was no text.
    thinking_s:
        How long it thought, by the client's clock; None when it did not.
    done_reason:
        Why it ended, in Ollama's word: ``"stop"`` (the model was done), ``"length"``
        (``num_predict`` was reached, or the context was full). None when it is not told.

    Examples
    --------
    >>> t = Timings(total_s=3.0, ttft_s=1.2, load_s=1.0, eval_s=1.8, output_tokens=90)
    >>> t.tokens_per_s, t.tpot_s
    (50.0, 0.02)
    """

    total_s: float
    ttft_s: float | None = None
    load_s: float | None = None
    prompt_eval_s: float | None = None
    eval_s: float | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    first_text_s: float | None = None
    thinking_s: float | None = None
    done_reason: str | None = None

    @classmethod
    def from_response(
        cls,
        final: Mapping[str, Any] | None,
        *,
        total_s: float,
        ttft_s: float | None,
        first_text_s: float | None = None,
        thinking_s: float | None = None,
    ) -> Timings:
        """Read Ollama's final chunk (None: the request did not reach it).

        Ollama leaves a metric that is 0 out of its JSON, so a missing one is 0. Another server,
        which is known by a ``total_duration`` that is missing, does not know it; nor is one known
        that is of another kind.
        """
        final = final or {}
        told = final.get("total_duration") is not None
        reason = final.get("done_reason")
        return cls(
            total_s=total_s,
            ttft_s=ttft_s,
            load_s=_seconds(final.get("load_duration"), told),
            prompt_eval_s=_seconds(final.get("prompt_eval_duration"), told),
            eval_s=_seconds(final.get("eval_duration"), told),
            prompt_tokens=_count(final.get("prompt_eval_count"), told),
            output_tokens=_count(final.get("eval_count"), told),
            first_text_s=first_text_s,
            thinking_s=thinking_s,
            done_reason=reason if isinstance(reason, str) and reason else None,
        )

    @classmethod
    def total(cls, parts: Iterable[Timings], *, total_s: float) -> Timings:
        """The timings of a run of several requests (an agent that calls tools).

        Sums, except ``ttft_s``, which is that of the first request that has one; ``first_text_s``,
        which counts the requests before it; and ``done_reason``, which is the last one's.
        """
        requests = list(parts)
        return cls(
            total_s=total_s,
            ttft_s=next((r.ttft_s for r in requests if r.ttft_s is not None), None),
            load_s=_sum(r.load_s for r in requests),
            prompt_eval_s=_sum(r.prompt_eval_s for r in requests),
            eval_s=_sum(r.eval_s for r in requests),
            prompt_tokens=_sum(r.prompt_tokens for r in requests),
            output_tokens=_sum(r.output_tokens for r in requests),
            first_text_s=_first_text_s(requests),
            thinking_s=_sum(r.thinking_s for r in requests),
            done_reason=requests[-1].done_reason if requests else None,
        )

    @property
    def tokens_per_s(self) -> float | None:
        """Output tokens per second of eval (decode)."""
        if not self.eval_s or not self.output_tokens:
            return None
        return self.output_tokens / self.eval_s

    @property
    def tpot_s(self) -> float | None:
        """Time per output token: eval time divided by output tokens."""
        if not self.eval_s or not self.output_tokens:
            return None
        return self.eval_s / self.output_tokens


def _sum(values: Iterable[Any]) -> Any:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def _first_text_s(requests: Iterable[Timings]) -> float | None:
    before_s = 0.0
    for request in requests:
        if request.first_text_s is not None:
            return before_s + request.first_text_s
        before_s += request.total_s
    return None


def _seconds(duration_ns: Any, told: bool) -> float | None:
    value = _metric(duration_ns, told)
    return None if value is None else value / _NS_PER_S


def _count(tokens: Any, told: bool) -> int | None:
    value = _metric(tokens, told)
    return None if value is None else int(value)


def _metric(value: Any, told: bool) -> float | None:
    """A metric of a final chunk; one that is missing among others that are told is 0."""
    if value is None:
        return 0 if told else None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and 0 <= value < _MOST else None


@dataclass(frozen=True)
class Run:
    """One run of an agent: what was asked, what came back, what it cost.

    Parameters
    ----------
    model, keep_alive, prompt:
        What was asked for. A ``keep_alive`` of ``KeepAlive(None)`` was not sent.
    answer:
        The text that arrived: all of it, or what there was when the run was stopped or failed.
        Without what the model thought, which is ``thinking``.
    started_at:
        Wall clock, with time zone, for display.
    timings:
        The whole run; ``requests`` has one ``Timings`` for each request that it made.
    was_resident:
        Whether the model was in memory when the run began (None: not told, or the model runs on
        another machine).
    stopped:
        True when a person stopped it.
    error:
        What went wrong, in one sentence; None for a good run.
    server_url:
        The Ollama that was measured.
    thinking:
        What the model thought before and between the texts of its answer.
    think:
        What was asked for: False, True, ``"low"``, ``"medium"`` or ``"high"``; None: not sent.
    remote_host:
        Where the model ran when that was another machine than the server's (a cloud model).
    """

    model: str
    keep_alive: KeepAlive
    prompt: str
    answer: str
    started_at: datetime
    timings: Timings
    requests: tuple[Timings, ...] = field(default=(), repr=False)
    was_resident: bool | None = None
    stopped: bool = False
    error: str | None = None
    server_url: str = ""
    thinking: str = field(default="", repr=False)
    think: Think = None
    remote_host: str | None = None

    @property
    def note(self) -> str | None:
        """What a reader should know of a run that did not fail, in a sentence; None: nothing.

        Examples
        --------
        >>> asked = KeepAlive(None), "Hi", "", datetime.now()
        >>> Run("qwen3:4b", *asked, Timings(2.0, done_reason="length"), thinking="Hm").note
        'It only thought: raise num_predict or set think=False.'
        """
        if self.error is not None:
            return None
        notes = [self._why_empty(), self._where()]
        return " ".join(n for n in notes if n) or None

    def _why_empty(self) -> str | None:
        if self.answer.strip() or self.stopped:
            return None
        if self.thinking and self.timings.done_reason == "length":
            return "It only thought: raise num_predict or set think=False."
        if self.thinking:
            return "It only thought, and then gave no answer: run it again, or set think=False."
        return "There was no text."

    def _where(self) -> str | None:
        if self.remote_host is None:
            return None
        return (
            f"It ran on {host_name(self.remote_host)}: the prompt left the server's machine, and "
            "keep_alive means nothing there."
        )


def host_name(url: str) -> str:
    """The host alone, of an address that may have a user and a password in it.

    Examples
    --------
    >>> host_name("https://ollama.com:443"), host_name("ollama.com")
    ('ollama.com', 'ollama.com')
    """
    try:
        return urlsplit(url if "//" in url else f"//{url}").hostname or "another machine"
    except ValueError:
        return "another machine"
