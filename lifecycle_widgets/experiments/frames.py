"""Runs as a table: one row per run, or two runs side by side. Units are in the names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from lifecycle_widgets.runs import Run, options_text
from lifecycle_widgets.runs.parts import REST
from lifecycle_widgets.runs.phases import EMBEDDINGS, EVAL, LOAD, NOT_TOLD, PROMPT_EVAL, TOOLS

_KINDS = {
    "started_at": "object",  # wall clock with its time zone, as in the run
    "structure": "object",
    "model": "object",
    "models": "object",
    "keep_alive": "object",
    "held": "bool",
    "options": "object",
    "history_turns": "Int64",
    "was_resident": "boolean",
    "requests": "Int64",
    "loads": "Int64",
    "load_s": "float64",
    "prompt_eval_s": "float64",
    "eval_s": "float64",
    "tools_s": "float64",
    "embeddings_s": "float64",
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
_IF_ANY = ("structure", "models", "held", "embeddings_s")  # compared where the runs have it
_NUMBERS = tuple(n for n, kind in _KINDS.items() if kind in ("float64", "Int64"))


def run_frame(runs: Iterable[Run]) -> pd.DataFrame:
    """Runs as a DataFrame, one row each, in the order given.

    Returns
    -------
    pandas.DataFrame
        ``started_at`` (wall clock), ``structure`` (what ran, such as "Agent"), ``model`` (of the
        answer), ``models`` (text, all that were asked), ``keep_alive``, ``held`` (between its
        requests), ``options`` (text, such as "num_ctx 8192"), ``history_turns``, ``was_resident``,
        ``requests`` and how many of them had to load their model (``loads``); where the time went,
        in seconds: ``load_s``, ``prompt_eval_s``, ``eval_s``, ``tools_s``, ``embeddings_s``,
        ``not_told_s``, ``rest_s`` (griptape and network), which add up to ``total_s`` as
        `Run.parts` does; ``ttft_s``, ``think`` (text, as it was sent),
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
        `run_frame`'s columns; of structures, several models, a hold and embeddings where one of
        the two has it.

    Examples
    --------
    >>> from lifecycle_widgets.agent import run_agent
    >>> cold, warm = (
    ...     run_agent("Hi", model="smollm2:135m", keep_alive="1m", options={"num_predict": 4})
    ...     for _ in range(2)
    ... )
    >>> list(compare_runs(cold, warm).loc["model", ["first", "second"]])
    ['smollm2:135m', 'smollm2:135m']
    """
    one, other = _row(first), _row(second)
    asked = ("structure", "model", "models", "keep_alive", "held", "options", "think")
    ended = ("done_reason", "note", "stopped", "error")
    lacking = {name for name in _IF_ANY if _is_plain(first, name) and _is_plain(second, name)}
    shown = [n for n in (*asked, "was_resident", *_NUMBERS, *ended) if n not in lacking]
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
        "structure": run.structure,
        "model": run.model,
        "models": ", ".join(run.models),
        "keep_alive": str(run.keep_alive),
        "held": run.held,
        "options": options_text(run.options),
        "history_turns": len(run.history),
        "was_resident": run.was_resident,
        "requests": len(run.steps),
        "loads": run.loads,
        "load_s": _part(parts[LOAD], t.load_s),
        "prompt_eval_s": _part(parts[PROMPT_EVAL], t.prompt_eval_s),
        "eval_s": _part(parts[EVAL], t.eval_s),
        "tools_s": _part(parts[TOOLS], t.tools_s),
        "embeddings_s": parts.get(EMBEDDINGS, 0.0),
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


def _part(on_the_clock_s: float, told_s: float | None) -> float | None:
    """A part of the run's time; None where the server has not told it of any request."""
    return None if told_s is None else on_the_clock_s


def _is_plain(run: Run, name: str) -> bool:
    return {
        "structure": run.structure == "Agent",
        "models": len(run.models) == 1,
        "held": not run.held,
        "embeddings_s": EMBEDDINGS not in run.parts,
    }[name]
