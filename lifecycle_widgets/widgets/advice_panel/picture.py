"""The cost curve on the page: today's keep_alive, the recommended one, the floor, and T*."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from lifecycle_widgets.experiments.figures.style import COLORS, MARK, finish
from lifecycle_widgets.experiments.statistics import digits
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import counted
from lifecycle_widgets.widgets.advice_panel.curve import LONGEST_S, SHORTEST_S, Curve, Point
from lifecycle_widgets.widgets.formats import escaped
from lifecycle_widgets.widgets.light_figure import LightFigure

# a logarithm has no room for 0 and for ever: they stand beside its ends
_AT_0, _AT_FOREVER = SHORTEST_S / 2.5, LONGEST_S * 2.5
_TICKS = {
    _AT_0: "0",
    1: "1s",
    10: "10s",
    60: "1m",
    600: "10m",
    3600: "1h",
    24 * 3600: "24h",
    _AT_FOREVER: "forever",
}
_STEPS = (1, 2, 5)  # of the axis of costs, in each power of ten
_LITTLE = 4  # times the least: below it there is room for one more, 1.5
_CURVE, _FLOOR, _T_STAR, _TODAY, _THEN = range(5)
_HOVER = "%{customdata}<extra></extra>"


def empty_figure() -> LightFigure:
    """The figure, with nothing drawn yet."""
    figure = LightFigure(
        [
            go.Scatter(mode="lines", line={"color": COLORS[0], "width": 2}),
            go.Scatter(mode="lines", line={"color": MARK, "width": 1.5, "dash": "dash"}),
            go.Scatter(mode="lines", line={"color": COLORS[3], "width": 1.5, "dash": "dot"}),
            _marker("circle-open", COLORS[1], 18),  # around the other where they are the same
            _marker("diamond", COLORS[2], 10),
        ]
    )
    figure.update_xaxes(
        type="log",
        title="keep_alive",
        tickangle=0,
        tickvals=list(_TICKS),
        ticktext=list(_TICKS.values()),
        range=[math.log10(_AT_0) - 0.1, math.log10(_AT_FOREVER) + 0.15],
    )
    figure.update_yaxes(type="log", title="cost, × the least")
    finish(figure, "", height=400)
    return figure


def draw(
    figure: LightFigure, curve: Curve, model: str, today: KeepAlive | None, then: KeepAlive | None
) -> None:
    """Draw a model's curve into the figure.

    Parameters
    ----------
    today, then:
        The keep_alive in force and the recommended one; None, or the server's default: not known,
        so it is not drawn.
    """
    points = list(curve.points())
    top = max(point.over for point in points)
    low, high = 0.93, max(top * 1.15, 1.6)
    with figure.batch_update():
        _fill(figure.data[_CURVE], points, "any one value")
        floor = figure.data[_FLOOR]
        floor.x, floor.y = [_AT_0, _AT_FOREVER], [1, 1]
        floor.name = "the least: each gap known beforehand"
        _hover(
            floor,
            [f"{digits(curve.least)} reloads' worth, with each idle gap known beforehand"] * 2,
        )
        t_star = figure.data[_T_STAR]
        t_star.x, t_star.y = [_place(curve.t_star_s)] * 2, [low, high]
        t_star.name = f"T* {digits(curve.t_star_s)} s"
        _hover(t_star, ["T*: a reload is worth so much of the idle model"] * 2)
        for number, word, value in ((_TODAY, "today", today), (_THEN, "advice", then)):
            known = value is not None and value.seconds is not None
            _fill(
                figure.data[number],
                [curve.at(value.seconds)] if known else [],  # type: ignore[union-attr, arg-type]
                f"{word}: {value}",
            )
            figure.data[number].visible = known
        figure.layout.title.text = f"What {escaped(model)} would have cost, by its keep_alive"
        figure.layout.yaxis.range = [math.log10(low), math.log10(high)]
        ticks = [step * 10**power for power in range(5) for step in _STEPS]
        ticks = sorted([*ticks, 1.5, 3]) if high < _LITTLE else ticks
        # where all is dear they would stand on each other
        ticks = [
            tick for tick in ticks if tick <= high and (high < 30 or math.log10(tick) % 1 == 0)
        ]
        figure.layout.yaxis.tickvals = ticks
        figure.layout.yaxis.ticktext = [f"{tick:g} ×" for tick in ticks]


def _marker(symbol: str, color: str, size: int) -> go.Scatter:
    marker = {
        "symbol": symbol,
        "size": size,
        "color": color,
        "line": {"width": 2.5, "color": color},
    }
    return go.Scatter(mode="markers", marker=marker)


def _place(ttl_s: float) -> float:
    """Where it stands on the axis."""
    return min(max(ttl_s, _AT_0), _AT_FOREVER)


def _fill(trace: go.Scatter, points: Sequence[Point], name: str) -> None:
    trace.name = name
    trace.x, trace.y = [_place(p.ttl_s) for p in points], [p.over for p in points]
    _hover(trace, [_said(point) for point in points])


def _hover(trace: go.Scatter, texts: Sequence[str]) -> None:
    trace.customdata, trace.hovertemplate = list(texts), _HOVER


def _said(point: Point) -> str:
    ttl = "forever" if math.isinf(point.ttl_s) else f"{digits(point.ttl_s)} s"
    return (
        f"{ttl}: {digits(point.over)} × the least<br>{counted(point.reloads, 'reload')}, "
        f"{digits(point.held_s / 3600)} h in memory without work"
    )
