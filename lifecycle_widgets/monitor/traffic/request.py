"""Request: one busy time of a model, whoever asked; who witnessed it, and how exact that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

OURS, OTHERS = "ours", "another client"

WITNESSES = {
    "own": "this process sent it",
    "deadline": "its end moved the deadline in /api/ps",
    "runner": "the model's runner was at work",
    "log": "the server's log has it",
}
"""What a `Request` can rest on, each with its sentence."""


@dataclass(frozen=True)
class Request:
    """One request; of other clients' requests that overlap, one busy time of the model.

    Parameters
    ----------
    model:
        Its name; empty where that is not told.
    began_at, ended_at:
        Wall clock, with time zone. ``began_at`` None: not told; ``ended_at`` None: it goes on.
    began_s, ended_s:
        The same by ``time.monotonic()``, for durations.
    whose:
        ``OURS`` (this process), or ``OTHERS``.
    witnesses:
        Which of `WITNESSES` it rests on, in their order.
    begin_within_s, end_within_s:
        How exact the times are: by at most so many seconds they may be off; None: not told.
    count:
        How many requests it holds, at least: those that overlap cannot be told apart without the
        log.
    kind:
        "chat", "generate", "embed", "load" (a preload: no prompt), "touch" (a renewal of ours),
        "unload" (of ours); None: not told.
    keep_alive_s:
        The keep_alive that was in force when it ended, in seconds (endless: forever); None: not
        known.
    queued_s, load_s, prompt_eval_s, eval_s:
        Its phases, in that order; None: not told.
    ttft_s, prompt_tokens, output_tokens:
        Of ours, exactly; None: not told.
    status:
        The HTTP status in the server's log; None: not told.
    is_broken_off:
        Whether its client went away, or it failed; None: not told.
    number:
        What it stays the same by, in one `Monitor`, while more becomes known of it.
    """

    model: str
    began_at: datetime | None
    ended_at: datetime | None
    began_s: float | None
    ended_s: float | None
    whose: str = OTHERS
    witnesses: tuple[str, ...] = ()
    begin_within_s: float | None = None
    end_within_s: float | None = None
    count: int = 1
    kind: str | None = None
    keep_alive_s: float | None = None
    queued_s: float | None = None
    load_s: float | None = None
    prompt_eval_s: float | None = None
    eval_s: float | None = None
    ttft_s: float | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    status: int | None = None
    is_broken_off: bool | None = None
    number: int = 0

    @property
    def is_work(self) -> bool:
        """Whether the model was asked for something: not so by a renewal, or an unloading."""
        return self.kind not in ("touch", "unload")

    @property
    def total_s(self) -> float | None:
        """How long it took; None while it goes on, and where its beginning is not told."""
        if self.began_s is None or self.ended_s is None:
            return None
        return max(0.0, self.ended_s - self.began_s)
