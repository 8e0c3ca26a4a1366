"""A conversation on paper: its last turns, each with its numbers; for readers without the panel."""

from __future__ import annotations

from collections.abc import Sequence

from lifecycle_widgets.runs import Run
from lifecycle_widgets.widgets.agent_panel.turn import said_text, short_text
from lifecycle_widgets.widgets.formats import seconds_text
from lifecycle_widgets.widgets.still.sheet import Sheet

_MOST_TURNS = 10


def turns_on(sheet: Sheet, runs: Sequence[Run]) -> None:
    """Write down the last turns: what was asked, what came, and where the time went.

    Parameters
    ----------
    runs:
        Those of the turns that are shown.
    """
    for run in runs[-_MOST_TURNS:]:
        sheet.head(run.prompt)
        sheet.quote(run.answer)
        sheet.say(said_text(run))
        sheet.say(" · ".join([short_text(run), *_times(run)]))
    if len(runs) > _MOST_TURNS:
        sheet.say(f"The last {_MOST_TURNS} of {len(runs)} turns.")


def _times(run: Run) -> list[str]:
    first = run.timings.ttft_s
    told = [f"{name} {seconds_text(s)}" for name, s in run.parts.items() if s]
    return [*([f"first token after {seconds_text(first)}"] if first is not None else []), *told]
