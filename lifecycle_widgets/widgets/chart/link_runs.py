"""A run in the table and its requests in the chart: choosing one shows the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import ipywidgets as widgets

from lifecycle_widgets.runs import Run
from lifecycle_widgets.widgets.chart.requests.matching import run_of
from lifecycle_widgets.widgets.chart.resource_chart import ResourceChart


class HasRuns(Protocol):
    """What a table of runs is to a chart."""

    runs: tuple[Run, ...]
    selected: tuple[Run, ...]

    def observe(self, handler: Callable[[Any], None], names: str) -> None:
        """As any widget does."""

    def unobserve(self, handler: Callable[[Any], None], names: str) -> None:
        """As any widget does."""


def link_runs(chart: ResourceChart, table: HasRuns | widgets.Widget) -> Callable[[], None]:
    """Have a click on a request's bar select its run, and a selected run mark its bars.

    Parameters
    ----------
    chart, table:
        A `ResourceChart`, and a `RunTable` (anything with ``runs`` and ``selected``).

    Returns
    -------
    Callable
        Call it to undo the link.
    """
    is_clicked = [False]

    def clicked(change: Any) -> None:
        run = None if change["new"] is None else run_of(change["new"], table.runs)
        if run is None:
            return  # another client's, or one of a run that is not in the table
        is_clicked[0] = True
        try:
            table.selected = (run,)
        finally:
            is_clicked[0] = False

    def selected(change: Any) -> None:
        if is_clicked[0]:  # it is in view already
            chart.marked = tuple(change["new"])
        else:
            chart.show_runs(*change["new"])

    chart.observe(clicked, "clicked")
    table.observe(selected, "selected")

    def unlink() -> None:
        chart.unobserve(clicked, "clicked")
        table.unobserve(selected, "selected")

    return unlink
