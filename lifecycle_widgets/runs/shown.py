"""How a run and its timings show themselves in a notebook: small tables, everything escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lifecycle_widgets.runs.texts import counted, options_text, seconds_text
from lifecycle_widgets.short_texts import shortened

if TYPE_CHECKING:
    from lifecycle_widgets.runs.run import Run
    from lifecycle_widgets.runs.timings import Timings

_SHOWN = 600  # characters of an answer
HELD = "held between its requests"
_NOT_TOLD = "not told"
Rows = Iterable[tuple[str, str]]


def timings_html(timings: Timings) -> str:
    """What is known of them, rounded."""
    return _table(_times(timings))


def run_html(run: Run) -> str:
    """What was asked, how it went and where the time went; and the beginning of the answer."""
    how = run.heat
    asked_for = f"{counted(len(run.steps), 'request')}, {_loads(run)}"
    held = [HELD] if run.held else []
    asked = [
        ("structure", "" if run.structure == "Agent" else run.structure),
        ("model" if len(run.models) == 1 else "models", ", ".join(run.models)),
        ("keep_alive", ", ".join([keep_alives_text(run), *held])),
        ("options", options_text(run.options)),
        ("history", counted(len(run.history), "turn") if run.history else ""),
        ("how", f"{asked_for} ({how})" if how else asked_for),
    ]
    parts = [(name, seconds_text(s)) for name, s in run.parts.items() if s]
    told = {name for name, _ in parts}
    others = [(name, text) for name, text in _times(run.timings) if name not in told]
    ended = [("note", run.note or ""), ("stopped", "yes" if run.stopped else "")]
    error = [("error", run.error or "")]
    return _table([*asked, *parts, *others, *ended, *error]) + _answer(run.answer)


def keep_alives_text(run: Run) -> str:
    """What was chosen for its models, in their order: "5m", "0 each" or "0, 5m"."""
    if len(run.models) == 1:
        return str(run.keep_alive)
    chosen = [run.keep_alives.get(model, _NOT_TOLD) for model in run.models]
    if len(set(chosen)) > 1:
        return ", ".join(chosen)
    return chosen[0] if _NOT_TOLD in chosen else f"{chosen[0]} each"


def _times(timings: Timings) -> list[tuple[str, str]]:
    rate, cached = timings.tokens_per_s, timings.cached_tokens
    seconds = [
        ("load", timings.load_s),
        ("prompt eval", timings.prompt_eval_s),
        ("eval", timings.eval_s),
        ("tools", timings.tools_s or None),
        ("TTFT", timings.ttft_s),
        ("thinking", timings.thinking_s),
        ("first text", timings.first_text_s),
        ("total", timings.total_s),
    ]
    counts = [
        ("prompt tokens", timings.prompt_tokens),
        ("of them cached", cached),
        ("output tokens", timings.output_tokens),
    ]
    return [
        *((name, seconds_text(s)) for name, s in seconds if s is not None),
        *((name, f"{n:,}") for name, n in counts if n is not None),
        *([("tokens/s", f"{rate:.1f}")] if rate is not None else []),
        *([("ended by", timings.done_reason)] if timings.done_reason is not None else []),
    ]


def _loads(run: Run) -> str:
    return "loads not known" if run.loads is None else counted(run.loads, "load")


def _table(rows: Rows) -> str:
    body = "".join(
        f'<tr><th style="text-align:left">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(text)}</td></tr>'
        for name, text in rows
        if text
    )
    return f"<table><tbody>{body}</tbody></table>"


def _answer(answer: str) -> str:
    if not answer.strip():
        return ""
    shown = html.escape(shortened(answer, _SHOWN))
    return f'<pre style="white-space:pre-wrap">{shown}</pre>'
