"""Fit: keeps the chart as wide as its place on the page."""

from __future__ import annotations

import anywidget

from lifecycle_widgets.widgets.style import static


class Fit(anywidget.AnyWidget):
    """Stands in a chart's column, takes no room, and has plotly fit the chart to the column.

    Examples
    --------
    >>> Fit().layout.height
    '0'
    """

    _esm = static("fit.js")

    def __init__(self) -> None:
        super().__init__()
        self.layout.height, self.layout.margin = "0", "0"
