"""Runs as a table: one row per run, or two runs side by side. Units are in the names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from lifecycle_widgets.runs import Run, options_text
from lifecycle_widgets.runs.parts import NOT_TOLD, REST

_KINDS = {
    "started_at": "object",  # wall clock with its time zone, as in the run
    "model": "object",
    "keep_alive": "object",
    "options": "object",
    "history_turns": "Int64",
    "was_resident": "boolean",
    "requests": "Int64",
    "loads": "Int64",
    "load_s": "float64",
    "prompt_eval_s": "float64",
    "eval_s": "float64",
    "tools_s": "float64",
    "not_told_s": "float64",
    "rest_s": "float64",
    "ttft_s": "float64",
    "think": "object",
    "thinking_s": "float64",
    "first_text_s": "float64",
    "total_s": "float64",
    "prompt_tokens": "Int64",
    "cached_tokens": "Int64",
    "output_tokens": "Int64",
    "tokens_per_s": "float64",
    "context_length": "Int64",
    "done_reason": "object",
    "note": "object",
    "stopped": "bool",
    "error": "object",
}
_NUMBERS = tuple(n for n, kind in _KINDS.items() if kind in ("float64", "Int64"))


def run_frame(runs: Iterable[Run]) -> pd.DataFrame:
    """Runs as a DataFrame, one row each, in the order given.

    Returns
    -------
    pandas.DataFrame
        ``started_at`` (wall clock), ``model``, ``keep_alive`` and ``options`` (text, such as
        "num_ctx 8192"), ``history_turns``, ``was_resident``, ``requests`` and how many of them had
        to load the model (``loads``); where the time went, in seconds: ``load_s``,
        ``prompt_eval_s``, ``eval_s``, ``tools_s``, ``not_told_s``, ``rest_s`` (griptape and
        network), which add up to ``total_s``; ``ttft_s``, ``think`` (text, as it was sent),
        ``thinking_s``, ``first_text_s``, ``total_s``, ``prompt_tokens``, ``cached_tokens``,
        ``output_tokens``, ``tokens_per_s``, ``context_length`` (tokens), ``done_reason``,
        ``note``, ``stopped``, ``error``. What is not known is missing (NaN, NA or None).

    Examples
    --------
    >>> from lifecycle_widgets.agent import run_agent
    >>> run = run_agent("Hi", model="smollm2:135m", keep_alive=0, options={"num_predict": 4})
    >>> run_frame([run])[["model", "keep_alive", "output_tokens"]].values.tolist()
    [['smollm2:135m', '0', 4]]
    """
    rows = [_row(run) for run in runs]
    columns = {
        name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in _KINDS.items()
    }
    at = pd.to_datetime(columns["started_at"], utc=True)  # one time zone: the first run's
    columns["started_at"] = at.dt.tz_convert(rows[0]["started_at"].tzinfo) if rows else at
    return pd.DataFrame(columns)


def compare_runs(first: Run, second: Run) -> pd.DataFrame:
    """Two runs side by side: one row per quantity, with the difference where it is a number.

    One run each proves little: the spread between two runs of the same kind can be as large. An
    experiment (such as `ColdAndWarm`) repeats, and gives intervals.

    Returns
    -------
    pandas.DataFrame
        ``first``, ``second`` and ``difference`` (second minus first), indexed by the names of
        `run_frame`'s columns.

    Examples
    --------
    >>> from lifecycle_widgets.agent import run_agent
    >>> cold, warm = (
    ...     run_agent("Hi", model="smollm2:135m", keep_alive="1m", options={"num_predict": 4})
    ...     for _ in range(2)
    ... )
    >>> bool(compare_runs(cold, warm).loc["load_s", "difference"] < 0)
    True
    """
    one, other = _row(first), _row(second)
    asked = ("model", "keep_alive", "options", "think")
    ended = ("done_reason", "note", "stopped", "error")
    shown = (*asked, "was_resident", *_NUMBERS, *ended)
    rows = {name: (one[name], other[name], _difference(name, one, other)) for name in shown}
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["first", "second", "difference"], dtype=object
    )


def _difference(name: str, one: dict[str, Any], other: dict[str, Any]) -> float | None:
    a, b = one[name], other[name]
    if name in _NUMBERS and isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return b - a
    return None


def _row(run: Run) -> dict[str, Any]:
    t, parts = run.timings, run.parts
    return {
        "started_at": run.started_at,
        "model": run.model,
        "keep_alive": str(run.keep_alive),
        "options": options_text(run.options),
        "history_turns": len(run.history),
        "was_resident": run.was_resident,
        "requests": len(run.steps),
        "loads": run.loads,
        "load_s": t.load_s,
        "prompt_eval_s": t.prompt_eval_s,
        "eval_s": t.eval_s,
        "tools_s": t.tools_s,
        "not_told_s": parts.get(NOT_TOLD, 0.0),
        "rest_s": parts[REST],
        "ttft_s": t.ttft_s,
        "think": None if run.think is None else str(run.think).lower(),
        "thinking_s": t.thinking_s,
        "first_text_s": t.first_text_s,
        "total_s": t.total_s,
        "prompt_tokens": t.prompt_tokens,
        "cached_tokens": t.cached_tokens,
        "output_tokens": t.output_tokens,
        "tokens_per_s": t.tokens_per_s,
        "context_length": run.context_length,
        "done_reason": t.done_reason,
        "note": run.note,
        "stopped": run.stopped,
        "error": run.error,
    }
