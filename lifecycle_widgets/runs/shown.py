"""How a run shows itself in a notebook: a small table, everything escaped."""

from __future__ import annotations

import html

from lifecycle_widgets.runs.notes import note_of
from lifecycle_widgets.runs.tables import table_html
from lifecycle_widgets.runs.texts import counted, options_text, seconds_text
from lifecycle_widgets.runs.values import RunValues
from lifecycle_widgets.short_texts import shortened

_SHOWN = 600  # characters of an answer
HELD = "held between its requests"
_NOT_TOLD = "not told"


def run_html(run: RunValues) -> str:
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
    others = [(name, text) for name, text in run.timings.rows() if name not in told]
    ended = [("note", note_of(run) or ""), ("stopped", "yes" if run.stopped else "")]
    error = [("error", run.error or "")]
    return table_html([*asked, *parts, *others, *ended, *error]) + _answer(run.answer)


def keep_alives_text(run: RunValues) -> str:
    """What was chosen for its models, in their order: "5m", "0 each" or "0, 5m"."""
    if len(run.models) == 1:
        return str(run.keep_alive)
    chosen = [run.keep_alives.get(model, _NOT_TOLD) for model in run.models]
    if len(set(chosen)) > 1:
        return ", ".join(chosen)
    return chosen[0] if _NOT_TOLD in chosen else f"{chosen[0]} each"


def _loads(run: RunValues) -> str:
    return "loads not known" if run.loads is None else counted(run.loads, "load")


def _answer(answer: str) -> str:
    if not answer.strip():
        return ""
    shown = html.escape(shortened(answer, _SHOWN))
    return f'<pre style="white-space:pre-wrap">{shown}</pre>'
