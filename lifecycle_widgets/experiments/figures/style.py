"""What the pictures share: colours that go with light and dark, the layout, and keys to marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lifecycle_widgets.experiments.statistics import Interval

# 3:1 at least on white, on the card and in the dark theme, told apart by the colour-blind (Okabe
# and Ito 2008, adapted)
COLORS = ("#3b82c4", "#c47416", "#259270", "#c45a9b", "#8a6fd1", "#c9503f", "#7d8a2e")
CARD = "#f5f6f8"  # what a picture stands on: the same in every theme, and where there is none
LETTERS = "#424852"  # on it; in our widgets the style sheet has both follow the theme
MARK = "#7d7d7d"  # neutral lines and marks: seen on white, on the card and on black
END = "#6b6f76"  # intervals: seen on pale bars, too
POINT = {"size": 9, "color": "#f4f4f4", "line": {"width": 1.5, "color": "#444"}}  # on any ground
INTERVAL = "its 95 % interval"  # as `statistics.CONFIDENCE` has it
_GRID = "rgba(128, 128, 128, 0.25)"
_CLEAR = "rgba(0, 0, 0, 0)"
_FONT_SIZE = 12
_LETTERS_A_LINE, _LINE_PX, _TOP_PX = 66, 18, 50  # of a title


LEGEND = {
    "orientation": "h",
    "yref": "container",
    "y": 0,
    "yanchor": "bottom",
    "xref": "container",
    "x": 0,
    "traceorder": "normal",
    "bgcolor": _CLEAR,
}
"""Below everything: a second row of it takes the room of nothing else."""


def finish(figure: go.Figure, title: str, *, height: int = 360, **layout: Any) -> go.Figure:
    """Put the house's layout on a figure, and return it.

    It goes with a page from 550 pixels on: a long title has several lines, and the legend is below,
    where a second row of it needs none of the title's room.

    Parameters
    ----------
    title:
        What is to be seen, in a line; escaped by the caller where names of models are in it.
    height:
        In pixels, with a title of one line.
    """
    lines = wrap(title, _LETTERS_A_LINE) or [""]
    more = _LINE_PX * (len(lines) - 1)
    figure.update_layout(
        template="none",
        title={
            "text": "<br>".join(lines),
            "x": 0,
            "xanchor": "left",
            "xref": "container",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 14, "l": 14},
            "font": {"size": 14},
        },
        height=height + more,
        margin={"l": 70, "r": 20, "t": _TOP_PX + more, "b": 50},
        paper_bgcolor=CARD,
        plot_bgcolor=_CLEAR,
        font={"size": _FONT_SIZE, "color": LETTERS},
        legend=LEGEND,
        hoverlabel={"font": {"size": _FONT_SIZE}},
        **layout,
    )
    figure.update_xaxes(gridcolor=_GRID, zeroline=False, automargin=True)
    figure.update_yaxes(gridcolor=_GRID, zerolinecolor=_GRID, automargin=True, ticklabelstandoff=4)
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
        "color": END,
        "thickness": 2,
        "width": 4,
    }


def faint(color: str) -> dict[str, Any]:
    """The look of a bar on which an interval is to be seen: a pale ground, and its edge."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return {
        "color": f"rgba({red}, {green}, {blue}, 0.35)",
        "line": {"width": 1, "color": color},
    }


def key(name: str, symbol: str, *, color: str = MARK, size: int = 10, **marker: Any) -> go.Scatter:
    """A mark in the legend alone: what no trace of one colour stands for."""
    look = {"symbol": symbol, "size": size, "color": color, **marker}
    return go.Scatter(
        x=[None], y=[None], mode="markers", name=name, marker=look, legendrank=2000, showlegend=True
    )


def interval_key(name: str = INTERVAL, *, is_lying: bool = True) -> go.Scatter:
    """What an interval looks like, in the legend."""
    line = {"width": 2, "color": END}
    return key(name, "line-ew" if is_lying else "line-ns", size=14, color=END, line=line)
