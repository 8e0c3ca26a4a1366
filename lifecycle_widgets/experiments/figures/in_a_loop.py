"""The picture of `InALoop`: what a run holds while it goes on; reloads, seconds and GB x s."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lifecycle_widgets.experiments.figures.style import MARK, POINT, finish, interval_key, key
from lifecycle_widgets.experiments.figures.style import bars as error_bars
from lifecycle_widgets.experiments.statistics import Interval, digits
from lifecycle_widgets.model_colors import MODEL_COLORS

_BAR = "rgba(125, 125, 125, 0.35)"  # an interval is to be seen on it
_RUN: dict[str, Any] = {"symbol": "circle", **POINT, "size": 5}
_LANE = 0.8  # of the room between two lanes, at the most that is held
_ROW_PX, _REST_PX = 170, 190
_COLUMNS = (("reloads", "reloads"), ("total_s", "seconds"), ("gb_s", "GB x s"))

Values = Mapping[str, Mapping[str, Sequence[float]]]


def draw(
    typical: Mapping[str, Mapping[str, Mapping[str, Any]]],
    columns: Mapping[str, Values],
    ends: Mapping[str, Mapping[str, Mapping[str, Interval]]],
) -> go.Figure:
    """A row per structure, in it a line per way. Left: the memory of one round over time.

    Beside it reloads, seconds and GB x s: bars are medians, points are the runs.

    Parameters
    ----------
    typical:
        Structure -> way -> what was held: `InALoopResult.typical`.
    columns:
        Structure -> ``reloads``, ``total_s``, ``gb_s`` -> way -> the values of its runs.
    ends:
        The same with the intervals, of what has any.
    """
    count = len(typical)
    figure = make_subplots(
        rows=count, cols=1 + len(_COLUMNS), shared_yaxes=True, horizontal_spacing=0.03,
        vertical_spacing=0.3 / count, column_widths=[0.46, 0.18, 0.18, 0.18],
        row_titles=None, shared_xaxes="columns",
    )  # fmt: skip
    names = [m for ways in typical.values() for one in ways.values() for m in one["held"]]
    models = list(dict.fromkeys(names))
    shown: set[str] = set()
    for row, (structure, ways) in enumerate(typical.items(), start=1):
        places = {way: i for i, way in enumerate(ways)}
        for trace in _areas(ways, places, models, shown):
            figure.add_trace(trace, row=row, col=1)
        for mark in _marks(ways, places, is_first=row == 1):
            figure.add_trace(mark, row=row, col=1)
        for place, (name, _) in enumerate(_COLUMNS, start=2):
            of_it = columns[structure][name], ends[structure].get(name, {})
            for trace in _bars(*of_it, places):
                figure.add_trace(trace, row=row, col=place)
        figure.update_yaxes(
            tickvals=list(places.values()), ticktext=[html.escape(way) for way in places],
            range=[len(places) - 0.4, -0.6], showgrid=False, zeroline=False, row=row,
        )  # fmt: skip
        figure.add_annotation(
            text=f"<b>{html.escape(structure)}</b>", x=0, xref="x domain", xanchor="left",
            y=1, yref=f"y{'' if row == 1 else 1 + (row - 1) * (1 + len(_COLUMNS))} domain",
            yanchor="bottom", showarrow=False,
        )  # fmt: skip
    for mark in _keys(ends):
        figure.add_trace(mark, row=1, col=1)
    figure.update_xaxes(showticklabels=True, rangemode="tozero", title_standoff=6, tickangle=0)
    figure.update_xaxes(nticks=4)
    figure.update_xaxes(title_text="seconds since the run began", row=count, col=1)
    for place, (name, title) in enumerate(_COLUMNS, start=2):
        figure.update_xaxes(range=[0, _room(columns, ends, name)], col=place)
        figure.update_xaxes(title_text=title, row=count, col=place)
    if _room(columns, ends, "reloads") < 6:
        figure.update_xaxes(dtick=1, col=2)  # a number of times has no halves
    figure.update_layout(barmode="overlay")
    title = "The same run with each keep_alive: what it holds and takes"
    finish(figure, title, height=_REST_PX + _ROW_PX * count)
    # the name of the first structure stands between the title and its pictures
    return figure.update_layout(margin={"t": 70})


def _areas(
    ways: Mapping[str, Mapping[str, Any]],
    places: Mapping[str, int],
    models: Sequence[str],
    shown: set[str],
) -> Iterator[go.Scatter]:
    """What each model held, one upon the other, in the lane of its way."""
    most = max((_most(one["held"]) for one in ways.values()), default=0.0) or 1.0
    colors = MODEL_COLORS.of("", models)
    for way, one in ways.items():
        low: list[tuple[float, float]] = []
        for model in (m for m in models if m in one["held"]):
            line = _until(one["held"][model], one["window_s"])
            times = sorted({t for t, _ in (*line, *low)})
            under = [_at(low, t) if low else 0.0 for t in times]
            above = [u + _at(line, t) for u, t in zip(under, times, strict=True)]
            floor = places[way] + _LANE / 2
            y = [floor - _LANE * size / most for size in (*above, *reversed(under))]
            yield go.Scatter(
                x=[*times, *reversed(times)], y=y, fill="toself", mode="lines", opacity=0.6,
                line={"width": 0}, fillcolor=colors[model],
                name=html.escape(model), legendgroup=model, showlegend=model not in shown,
                hoverinfo="text", text=f"{html.escape(model)}: up to "
                f"{digits(max((s for _, s in line), default=0.0) / 1e9, 2)} GB",
            )  # fmt: skip
            shown.add(model)
            low = list(zip(times, above, strict=True))


def _most(held: Mapping[str, Sequence[Sequence[float]]]) -> float:
    """The most that the models held together, in bytes."""
    times = sorted({t for points in held.values() for t, _ in points})
    return max((sum(_at(points, t) for points in held.values()) for t in times), default=0.0)


def _until(points: Sequence[Sequence[float]], end_s: float) -> list[tuple[float, float]]:
    """The line from 0 to ``end_s``; what was there at the last look stays."""
    inner = [(t, size) for t, size in points if 0 < t < end_s]
    return [(0.0, _at(points, 0.0)), *inner, (end_s, _at(points, end_s))]


def _at(points: Sequence[Sequence[float]], t_s: float) -> float:
    """What was held then; nothing before the first look."""
    times, sizes = zip(*points, strict=True)
    return float(np.interp(t_s, times, sizes, left=0.0))


def _marks(
    ways: Mapping[str, Mapping[str, Any]], places: Mapping[str, int], *, is_first: bool
) -> Iterator[go.Scatter]:
    """When each run had its answer, and which models stay after the end of the picture."""
    stay = [way for way, one in ways.items() if _last(one) > 0]
    line = {"symbol": "line-ns", "size": 22, "line": {"width": 2, "color": MARK}}
    for name, at, marker in (
        ("the answer is complete", {way: one["total_s"] for way, one in ways.items()}, line),
        (
            "stays in memory",
            {way: ways[way]["window_s"] for way in stay},
            {"symbol": "triangle-right", "size": 11, "color": MARK},
        ),
    ):
        yield go.Scatter(
            x=list(at.values()), y=[places[way] for way in at], mode="markers", name=name,
            showlegend=is_first, legendgroup=name, marker=marker, cliponaxis=False,
            legendrank=2000, hovertemplate=f"{name}, %{{x:.2f}} s<extra></extra>",
        )  # fmt: skip


def _last(one: Mapping[str, Any]) -> float:
    """What is held at the end of the window, in bytes."""
    return sum(_at(points, one["window_s"]) for points in one["held"].values())


def _bars(
    values: Mapping[str, Sequence[float]], ends: Mapping[str, Interval], places: Mapping[str, int]
) -> Iterator[go.Bar | go.Scatter]:
    """The medians as bars with their intervals, the runs as points, and beside these the median."""
    known = {way: [v for v in values[way] if not math.isnan(v)] for way in places}
    ways = [way for way in places if known[way]]
    at, medians = [places[way] for way in ways], [median(known[way]) for way in ways]
    yield go.Bar(
        x=medians, y=at, orientation="h", marker_color=_BAR, width=0.6, showlegend=False,
        error_x=error_bars([ends[way] for way in ways]) if ends else None,
        hovertemplate="median %{x:.2f}<extra></extra>",
    )  # fmt: skip
    yield go.Scatter(
        x=[v for way in ways for v in known[way]],
        y=[places[way] for way in ways for _ in known[way]],
        mode="markers", marker=_RUN, showlegend=False, cliponaxis=False,
        hovertemplate="%{x:.2f}<extra></extra>",
    )  # fmt: skip
    yield go.Scatter(
        x=[max(*known[way], _high(ends.get(way))) for way in ways], y=at, mode="text",
        text=[f"\u2002{digits(value, 2)}" for value in medians], textposition="middle right",
        showlegend=False, cliponaxis=False, hoverinfo="skip",
    )  # fmt: skip


def _keys(ends: Mapping[str, Mapping[str, Mapping[str, Interval]]]) -> Iterator[go.Scatter]:
    """What stands in the columns on the right."""
    yield key("median of the runs", "square", opacity=0.35)
    yield key("each run", **_RUN)
    known = (one for of in ends.values() for ways in of.values() for one in ways.values())
    if any(interval.has_ends for interval in known):
        yield interval_key()


def _high(interval: Interval | None) -> float:
    return interval.high if interval is not None and interval.has_ends else 0.0


def _room(columns: Mapping[str, Values], ends: Any, name: str) -> float:
    """The end of a column's axis: the most there is, and room for a number beside it."""
    found = [v for one in columns.values() for vs in one[name].values() for v in vs]
    found += [_high(one) for of in ends.values() for one in of.get(name, {}).values()]
    return 1.35 * max((v for v in found if not math.isnan(v)), default=1.0) or 1.0
