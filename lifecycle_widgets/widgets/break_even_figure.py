"""The picture of BreakEven: what the same calls cost under each keep_alive, at one's own price."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from lifecycle_widgets.experiments.figures.style import COLORS, bars, faint, finish, interval_key
from lifecycle_widgets.experiments.statistics import Interval
from lifecycle_widgets.widgets.formats import escaped
from lifecycle_widgets.widgets.light_figure import LightFigure

_PARTS = {"waiting_s": "waiting for first tokens", "memory_s": "memory held, at your price"}
_REST_PX, _BAR_PX = 190, 30


def empty_figure() -> LightFigure:
    """The figure, with nothing drawn yet."""
    parts = [
        go.Bar(name=title, orientation="h", marker=faint(color), hovertemplate="%{x:.2f} s")
        for title, color in zip(_PARTS.values(), COLORS, strict=False)
    ]
    figure = LightFigure([*parts, interval_key("95 % interval of both together")])
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title="cost of these calls, s", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", type="category")
    finish(figure, "What these calls cost under each keep_alive, at your price")
    return figure


def draw(figure: LightFigure, costs: pd.DataFrame) -> None:
    """Draw what each keep_alive costs (`InARowResult.costs`) into the figure."""
    names = [escaped(arm) for arm in costs.index]
    *first, last = figure.data[: len(_PARTS)]
    with figure.batch_update():
        for trace, column in zip((*first, last), _PARTS, strict=True):
            trace.x, trace.y = costs[column].tolist(), names
        last.error_x = bars(  # at the end of both, where the sum is
            [Interval(row.low_s, row.cost_s, row.high_s, 0) for row in costs.itertuples()]
        )
        figure.layout.height = _REST_PX + _BAR_PX * len(names)
