"""Timings: where the time of a request, or of a whole run, went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate
from typing import Any

from lifecycle_widgets.runs.tables import table_html
from lifecycle_widgets.runs.texts import rounded_repr, seconds_text

_NS_PER_S = 1e9
_MOST = 1e18  # no answer takes so many nanoseconds, or tokens


@dataclass(frozen=True, repr=False)
class Timings:
    """Where the time went. Seconds and tokens; None means that it is not known.

    Parameters
    ----------
    total_s:
        From sending the request to its end, by the client's clock (monotonic); of a run: from its
        start to its end, with its tools and with what griptape does.
    ttft_s:
        Time to first token, by the client's clock: to the first chunk that carries text, thinking
        or a tool call. Of a run: from its start, whichever request it was. On a cold model this
        is load plus prompt eval.
    load_s, prompt_eval_s, eval_s:
        The server's own split (``load_duration``, ``prompt_eval_duration``, ``eval_duration`` of
        the final chunk). ``load_s`` includes waiting for another model to leave; it is a few
        milliseconds when the model is warm. None when the request did not reach its end.
    prompt_tokens, output_tokens:
        ``prompt_eval_count`` (cached tokens included) and ``eval_count`` (thinking included).
    first_text_s:
        To the first chunk that carries text of the answer, by the client's clock: for a model that
        thinks or calls tools, later than ``ttft_s``. None when there was no text.
    thinking_s:
        How long it thought, by the client's clock; None when it did not.
    done_reason:
        Why it ended, in Ollama's word: ``"stop"`` (the model was done), ``"length"``
        (``num_predict`` was reached, or the context was full); in ours ``"repeats"`` where it was
        broken off since the model repeated itself. None when it is not told.
    cached_tokens:
        How many of ``prompt_tokens`` the runner had in its prompt cache, and so did not read again
        (``prompt_eval_cached_count``; Ollama tells since 0.34). None when it is not told.
    tools_s:
        Of a run: how long the tools took that it called; 0 when it called none. None for a request.

    Examples
    --------
    >>> t = Timings(total_s=3.0, ttft_s=1.2, load_s=1.0, eval_s=1.8, output_tokens=90)
    >>> t.tokens_per_s, t.tpot_s
    (50.0, 0.02)
    >>> t
    Timings(total_s=3.0, ttft_s=1.2, load_s=1.0, eval_s=1.8, output_tokens=90)
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
    cached_tokens: int | None = None
    tools_s: float | None = None

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

        Ollama leaves a metric that is 0 out of its JSON, so a missing one is 0; except the cached
        tokens, of which 0 is sent and a missing number is not known. Another server, which is
        known by a ``total_duration`` that is missing, does not know any; nor is one known that is
        of another kind.
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
            cached_tokens=_count(final.get("prompt_eval_cached_count"), False),
        )

    @classmethod
    def total(
        cls,
        parts: Iterable[Timings],
        *,
        total_s: float,
        starts_s: Sequence[float] | None = None,
        tools_s: float | None = None,
    ) -> Timings:
        """The timings of a run of several requests (an agent that calls tools).

        Sums, except ``ttft_s`` and ``first_text_s``, which count from the run's start to the first
        in whichever request, and ``done_reason``, which is the last one's. Of requests that went on
        at once the sums are longer than the run; where its time went is `Run.parts`.

        Parameters
        ----------
        parts:
            Those of its requests, in the order in which they began; without its embeddings, of
            which none of this is told.
        starts_s:
            When each request began, in seconds from the run's start. Without them one began as the
            one before it ended.
        """
        requests = list(parts)
        began_s = starts_s or [0.0, *accumulate(r.total_s for r in requests)]
        timed = list(zip(began_s, requests, strict=False))
        return cls(
            total_s=total_s,
            ttft_s=_first(at + r.ttft_s for at, r in timed if r.ttft_s is not None),
            load_s=_sum(r.load_s for r in requests),
            prompt_eval_s=_sum(r.prompt_eval_s for r in requests),
            eval_s=_sum(r.eval_s for r in requests),
            prompt_tokens=_sum(r.prompt_tokens for r in requests),
            output_tokens=_sum(r.output_tokens for r in requests),
            first_text_s=_first(
                at + r.first_text_s for at, r in timed if r.first_text_s is not None
            ),
            thinking_s=_sum(r.thinking_s for r in requests),
            done_reason=requests[-1].done_reason if requests else None,
            cached_tokens=_sum(r.cached_tokens for r in requests),
            tools_s=tools_s,
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

    def rows(self) -> list[tuple[str, str]]:
        """What is known of them, rounded: each by its name, as a table shows it."""
        rate, cached = self.tokens_per_s, self.cached_tokens
        seconds = [
            ("load", self.load_s),
            ("prompt eval", self.prompt_eval_s),
            ("eval", self.eval_s),
            ("tools", self.tools_s or None),
            ("TTFT", self.ttft_s),
            ("thinking", self.thinking_s),
            ("first text", self.first_text_s),
            ("total", self.total_s),
        ]
        counts = [
            ("prompt tokens", self.prompt_tokens),
            ("of them cached", cached),
            ("output tokens", self.output_tokens),
        ]
        return [
            *((name, seconds_text(s)) for name, s in seconds if s is not None),
            *((name, f"{n:,}") for name, n in counts if n is not None),
            *([("tokens/s", f"{rate:.1f}")] if rate is not None else []),
            *([("ended by", self.done_reason)] if self.done_reason is not None else []),
        ]

    def __repr__(self) -> str:
        return rounded_repr("Timings", {f.name: getattr(self, f.name) for f in fields(self)})

    def _repr_html_(self) -> str:
        return table_html(self.rows())


def _first(values: Iterable[float]) -> float | None:
    return min(values, default=None)


def _sum(values: Iterable[Any]) -> Any:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


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
