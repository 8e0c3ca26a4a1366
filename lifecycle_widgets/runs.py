"""Run and Timings: what one request was and what it cost. Plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lifecycle_widgets.keep_alive import KeepAlive

_NS_PER_S = 1e9


@dataclass(frozen=True)
class Timings:
    """Where the time of a request went. Seconds and tokens; None means that it is not known.

    Parameters
    ----------
    total_s:
        From sending the request to its end, by the client's clock (monotonic).
    ttft_s:
        Time to first token: to the first chunk that carries text, by the client's clock. On a
        cold model this is load plus prompt eval.
    load_s, prompt_eval_s, eval_s:
        The server's own split (``load_duration``, ``prompt_eval_duration``, ``eval_duration`` of
        the final chunk). ``load_s`` includes waiting for another model to leave; it is a few
        milliseconds when the model is warm. None when the request did not reach its end.
    prompt_tokens, output_tokens:
        ``prompt_eval_count`` (cached tokens included) and ``eval_count``.

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

    @classmethod
    def from_response(
        cls, final: Mapping[str, Any] | None, *, total_s: float, ttft_s: float | None
    ) -> Timings:
        """Read Ollama's final chunk (None: the request did not reach it).

        Ollama leaves a metric that is 0 out of its JSON, so a missing one is 0.
        """
        if final is None:
            return cls(total_s=total_s, ttft_s=ttft_s)
        return cls(
            total_s=total_s,
            ttft_s=ttft_s,
            load_s=(final.get("load_duration") or 0) / _NS_PER_S,
            prompt_eval_s=(final.get("prompt_eval_duration") or 0) / _NS_PER_S,
            eval_s=(final.get("eval_duration") or 0) / _NS_PER_S,
            prompt_tokens=final.get("prompt_eval_count") or 0,
            output_tokens=final.get("eval_count") or 0,
        )

    @classmethod
    def total(cls, parts: Iterable[Timings], *, total_s: float) -> Timings:
        """The timings of a run of several requests (an agent that calls tools).

        Sums, except ``ttft_s``, which is that of the first request that answered with text.
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


@dataclass(frozen=True)
class Run:
    """One run of an agent: what was asked, what came back, what it cost.

    Parameters
    ----------
    model, keep_alive, prompt:
        What was asked for. A ``keep_alive`` of ``KeepAlive(None)`` was not sent.
    answer:
        The text that arrived: all of it, or what there was when the run was stopped or failed.
    started_at:
        Wall clock, with time zone, for display.
    timings:
        The whole run; ``requests`` has one ``Timings`` for each request that it made.
    was_resident:
        Whether the model was in memory when the run began (None: could not be asked).
    stopped:
        True when a person stopped it.
    error:
        What went wrong, in one sentence; None for a good run.
    server_url:
        The Ollama that was measured.
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
