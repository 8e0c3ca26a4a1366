"""The lab's drawers: the advice, what is in force, the doctor, and the history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import ipywidgets as widgets

from lifecycle_widgets.history import History
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.runs import Run
from lifecycle_widgets.widgets.doctor_panel import DoctorPanel
from lifecycle_widgets.widgets.history_view import HistoryView
from lifecycle_widgets.widgets.in_force import InForceView
from lifecycle_widgets.widgets.tuning_lab.drawers import Drawers

if TYPE_CHECKING:
    from lifecycle_widgets.widgets.advice_panel.apply import Lab

_NONE = "<span class='lw-muted'>No history is kept here.</span>"
_TOOLTIPS = {
    "Advice": "The keep_alive for what you did in the last days, and what it saves",
    "In force": "What the server and its runners were really started with",
    "Doctor": "Looks for what makes models reload, stay or fail; changes nothing unasked",
    "History": "What was seen before, where it is kept, and how to delete it",
}


def lab_drawers(
    monitor: Callable[[], Monitor],
    history: Callable[[], History | None],
    runs: Callable[[], Sequence[Run]],
    lab: Lab,
) -> Drawers:
    """Drawers for what the lab shows when they are opened.

    Parameters
    ----------
    monitor, history, runs:
        Give the lab's, as they are then.
    lab:
        Whose choices an advice can set.
    """

    def advice() -> widgets.Widget:
        from lifecycle_widgets.widgets.advice_panel import AdvicePanel  # when it is opened

        known = history()
        if known is None:
            return widgets.HTML(_NONE)
        return AdvicePanel(known, server=monitor(), lab=lab)

    def doctor() -> DoctorPanel:
        panel = DoctorPanel(monitor(), history=history())
        panel.errors = tuple((run.model, run.error) for run in runs() if run.error)
        return panel

    def kept() -> widgets.Widget:
        known = history()
        if known is None:
            return widgets.HTML(_NONE)
        return HistoryView(known, server=monitor().server)

    makes = {
        "Advice": advice,
        "In force": lambda: InForceView(monitor()),
        "Doctor": doctor,
        "History": kept,
    }
    return Drawers(makes, _TOOLTIPS)
