"""Runs of the agent into the file: sizes, counts and times. Nothing of them that is text."""

from __future__ import annotations

from typing import Any

from lifecycle_widgets.history.file.book import Book
from lifecycle_widgets.history.file.rows import US, time_us, us
from lifecycle_widgets.runs import Run, Step
from lifecycle_widgets.runs.parts import REST
from lifecycle_widgets.runs.phases import EMBEDDINGS, EVAL, LOAD, NOT_TOLD, PROMPT_EVAL, TOOLS

# a server may say anything here, and anything may be text: only these words are kept
_REASONS = ("stop", "length", "load", "unload", "repeats")
OTHER_REASON = "another"


def add_run(book: Book, server: int, run: Run) -> bool:
    """One run with its requests; False where it is in the file already."""
    row = _row(book, server, run)
    at_us = row["started_us"]
    same = (at_us, at_us + 9, row["server"], row["model"], row["total_us"])
    if book.execute(
        "SELECT 1 FROM runs WHERE started_us BETWEEN ? AND ? AND server = ? AND model = ? "
        "AND total_us = ?",
        same,
    ).fetchone():
        return False
    key = book.add("runs", "started_us", row)
    for number, step in enumerate(run.steps):
        one = {"run": key, "number": number, **_step(book, run, step)}
        names, marks = ", ".join(one), ", ".join("?" * len(one))
        book.execute(
            f"INSERT OR REPLACE INTO steps ({names}) VALUES ({marks})", tuple(one.values())
        )
    return True


def _row(book: Book, server: int, run: Run) -> dict[str, Any]:
    timings, parts = run.timings, run.parts
    return {
        "started_us": time_us(run.started_at),
        "server": server,
        "model": book.model(run.model),
        "structure": book.word(run.structure),
        "keep_alive": str(run.keep_alive),
        "ended": book.word(how_it_ended(run)),
        "done_reason": book.word(_reason(timings.done_reason)),
        "total_us": round(timings.total_s * US),
        "ttft_us": us(timings.ttft_s),
        "load_us": _part(parts[LOAD], timings.load_s),
        "prompt_eval_us": _part(parts[PROMPT_EVAL], timings.prompt_eval_s),
        "eval_us": _part(parts[EVAL], timings.eval_s),
        "tools_us": us(parts[TOOLS]),
        "embeddings_us": us(parts.get(EMBEDDINGS)),
        "not_told_us": us(parts.get(NOT_TOLD)),
        "rest_us": us(parts[REST]),
        "thinking_us": us(timings.thinking_s),
        "first_text_us": us(timings.first_text_s),
        "prompt_tokens": timings.prompt_tokens,
        "cached_tokens": timings.cached_tokens,
        "output_tokens": timings.output_tokens,
        "requests": len(run.steps),
        "loads": run.loads,
        "was_resident": run.was_resident,
        "held": run.held,
        "history_turns": len(run.history),
        "context_length": run.context_length,
    }


def _step(book: Book, run: Run, step: Step) -> dict[str, Any]:
    timings = step.timings
    return {
        "model": book.model(step.model or run.model),
        "kind": book.word(step.kind),
        "keep_alive": str(step.keep_alive) if step.keep_alive is not None else None,
        "start_us": round(step.start_s * US),
        "total_us": round(timings.total_s * US),
        "ttft_us": us(timings.ttft_s),
        "load_us": us(timings.load_s),
        "prompt_eval_us": us(timings.prompt_eval_s),
        "eval_us": us(timings.eval_s),
        "tools_us": us(step.tools_s),
        "prompt_tokens": timings.prompt_tokens,
        "cached_tokens": timings.cached_tokens,
        "output_tokens": timings.output_tokens,
        "loaded": step.loaded,
    }


def how_it_ended(run: Run) -> str:
    """In a word: "done", "stopped", "failed" or "timed out".

    Examples
    --------
    >>> from datetime import datetime
    >>> from lifecycle_widgets.keep_alive import KeepAlive
    >>> from lifecycle_widgets.runs import Timings
    >>> how_it_ended(Run("a", KeepAlive(0), "Hi", "", datetime.now(), Timings(1.0), stopped=True))
    'stopped'
    """
    if run.error is None:
        return "stopped" if run.stopped else "done"
    return "timed out" if run.stopped else "failed"


def _reason(told: str | None) -> str | None:
    return told if told is None or told in _REASONS else OTHER_REASON


def _part(on_the_clock_s: float, told_s: float | None) -> int | None:
    return us(on_the_clock_s) if told_s is not None else None
