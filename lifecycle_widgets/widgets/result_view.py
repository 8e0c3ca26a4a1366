"""What an experiment gave: the verdict, the figure, the tables. A part of ExperimentPanel."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import pandas as pd
import plotly.graph_objects as go

from lifecycle_widgets.experiments import Result
from lifecycle_widgets.widgets.base import close_all
from lifecycle_widgets.widgets.fit import Fit
from lifecycle_widgets.widgets.formats import escaped
from lifecycle_widgets.widgets.frame_html import frame_html
from lifecycle_widgets.widgets.light_figure import LightFigure
from lifecycle_widgets.widgets.still.sheet import Sheet
from lifecycle_widgets.widgets.terms_html import reading_html


class ResultView(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Shows one `Result` after another; empty, it takes no room."""

    children: tuple[widgets.Widget, ...]

    def __init__(self) -> None:
        super().__init__([])
        self.layout.display = "none"

    def clear(self) -> None:
        """Show nothing."""
        last = list(self.children)
        self.children = ()
        self.layout.display = "none"
        for child in last:
            close_all(child)

    def show(self, result: Result) -> None:
        """Show the verdict, the figure (when there is one to draw) and the measurements."""
        verdict = widgets.HTML(f'<p class="lw-verdict" role="status">{escaped(result.verdict)}</p>')
        parts: list[widgets.Widget] = [verdict]
        if reading := reading_html(result.verdict):
            parts.append(widgets.HTML(reading))
        if not result.frame.empty:
            try:
                parts.append(_drawn(result.figure))
            except (ValueError, KeyError, IndexError):
                pass  # stopped so early that there is nothing to draw yet
            parts.append(widgets.HTML(_tables(result)))
        self.clear()
        self.children = tuple(parts)
        self.layout.display = None

    def close(self) -> None:
        """Remove it and its parts."""
        self.clear()
        super().close()


def result_on(sheet: Sheet, result: Result) -> None:
    """The same on paper: the verdict, the summary (else the measurements), and the figure."""
    sheet.say(result.verdict)
    summary: Any = getattr(result, "table", None)
    if isinstance(summary, pd.DataFrame):
        sheet.table(summary, index=any(summary.index.names))
    sheet.say(f"{len(result.frame)} measurements.")
    sheet.table(result.frame, rows="measurements")
    if not result.frame.empty and _can_be_drawn(result):
        sheet.draw(lambda: result.figure, result.verdict, id(result))


def _can_be_drawn(result: Result) -> bool:
    """Not one that was stopped so early that there is nothing to draw yet."""
    try:
        return result.figure is not None
    except (ValueError, KeyError, IndexError):
        return False


def _drawn(figure: go.Figure) -> widgets.VBox:
    return (
        widgets.VBox([LightFigure(figure), Fit()])
        .add_class("lw-chart")
        .add_class("lw-result-figure")
    )


def _tables(result: Result) -> str:
    """The summary where the result has one, and every measurement folded away under it."""
    summary: Any = getattr(result, "table", None)
    count = f"{len(result.frame)} measurements"
    if not isinstance(summary, pd.DataFrame):
        return frame_html(result.frame) if len(result.frame) <= 12 else _folded(count, result.frame)
    named = any(summary.index.names)
    return frame_html(summary, index=named) + _folded(count, result.frame)


def _folded(title: str, frame: pd.DataFrame) -> str:
    return f"<details><summary>{escaped(title)}</summary>{frame_html(frame)}</details>"
