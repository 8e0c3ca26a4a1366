"""What the pictures share: colours that go with JupyterLab's light and dark, and the layout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lifecycle_widgets.experiments.statistics import Interval

# readable on light and dark alike, told apart by the colour-blind (Okabe and Ito 2008, adapted)
COLORS = ("#3b82c4", "#e08a1e", "#2aa37c", "#c45a9b", "#8a6fd1", "#c9503f", "#7d8a2e")
TEXT = "#7d7d7d"  # reads on white and on black
NEUTRAL = TEXT
POINT = {"size": 9, "color": "#f4f4f4", "line": {"width": 1.5, "color": "#444"}}  # on any ground
_GRID = "rgba(128, 128, 128, 0.25)"
_FONT_SIZE = 12


def finish(figure: go.Figure, title: str, *, height: int = 360, **layout: Any) -> go.Figure:
    """Put the house's layout on a figure, and return it.

    Parameters
    ----------
    title:
        What is to be seen, in a line; escaped by the caller where names of models are in it.
    height:
        In pixels.
    """
    figure.update_layout(
        template="none",
        title={
            "text": title,
            "x": 0,
            "xanchor": "left",
            "xref": "paper",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 12},
            "font": {"size": 14},
        },
        height=height,
        margin={"l": 70, "r": 20, "t": 80, "b": 50},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": _FONT_SIZE, "color": NEUTRAL},
        # above the picture, where no title of an axis is in the way
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        hoverlabel={"font": {"size": _FONT_SIZE}},
        **layout,
    )
    figure.update_xaxes(gridcolor=_GRID, zeroline=False, automargin=True)
    figure.update_yaxes(gridcolor=_GRID, zerolinecolor=_GRID, automargin=True)
    return figure


def bars(intervals: Sequence[Interval]) -> dict[str, Any]:
    """Error bars from the ends of intervals, for ``error_x`` or ``error_y``; none without ends."""
    # nothing is drawn for NaN; for 0 (and for NaN in a list, which JSON makes null, and plotly 0)
    # there would be a mark, as of a value that is known exactly
    above = np.array([i.high - i.median if i.has_ends else math.nan for i in intervals])
    below = np.array([i.median - i.low if i.has_ends else math.nan for i in intervals])
    return {
        "type": "data",
        "symmetric": False,
        "array": above,
        "arrayminus": below,
        "color": TEXT,
        "thickness": 1.5,
        "width": 4,
    }
