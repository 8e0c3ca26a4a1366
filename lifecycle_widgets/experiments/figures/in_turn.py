"""The picture of `InTurn`: who was in memory when, and what each arm waited and held."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lifecycle_widgets.experiments.figures.style import bars as error_bars
from lifecycle_widgets.experiments.figures.style import finish, interval_key, key
from lifecycle_widgets.experiments.statistics import Interval
from lifecycle_widgets.model_colors import MODEL_COLORS
from lifecycle_widgets.server import same_name

_LANE, _BETWEEN = 1.0, 0.7  # heights, of a model's lane and between two arms
_LANE_PX = 17
_BAR = "rgba(125, 125, 125, 0.35)"  # an interval is to be seen on it
_ROOM = 1.55  # of an axis: the longest bar, and a number beside it
_EACH_PX = 18  # of the legend, in rows


def draw(
    frame: pd.DataFrame,
    residencies: pd.DataFrame,
    table: pd.DataFrame,
    waiting: Mapping[str, Interval],
) -> go.Figure:
    """Left: a lane per model and arm, with its calls. Right: waiting, and GB-seconds, per arm.

    Parameters
    ----------
    frame, residencies, table:
        Of an `InTurnResult`.
    waiting:
        For the first tokens of all calls, in seconds, per arm.
    """
    figure = make_subplots(
        rows=1, cols=3, shared_yaxes=True, column_widths=[0.62, 0.19, 0.19],
        horizontal_spacing=0.025,
    )  # fmt: skip
    arms = [str(arm) for arm in table.index]
    models = list(dict.fromkeys(frame["model"])) if len(frame) else []
    step = len(models) * _LANE + _BETWEEN
    middle = {arm: i * step + (len(models) - 1) / 2 * _LANE for i, arm in enumerate(arms)}
    colors = MODEL_COLORS.of("", models)
    for j, model in enumerate(models):
        lanes = {arm: i * step + j * _LANE for i, arm in enumerate(arms)}
        color = colors[model]
        figure.add_trace(_stays(residencies, table, model, lanes, color), row=1, col=1)
        figure.add_trace(_calls(frame, model, lanes, color), row=1, col=1)
    for mark in _keys(any(interval.has_ends for interval in waiting.values())):
        figure.add_trace(mark, row=1, col=1)
    ends = {"waiting_s": error_bars([waiting[arm] for arm in arms])}
    for column, name in ((2, "waiting_s"), (3, "gb_s")):
        bars = go.Bar(
            x=table[name].tolist(), y=list(middle.values()), orientation="h", marker_color=_BAR,
            error_x=ends.get(name), width=0.55 * step, showlegend=False,
            hovertemplate="%{x:.1f}<extra></extra>",
        )  # fmt: skip
        figure.add_trace(bars, row=1, col=column)
        highs = [_high(waiting[arm]) if name in ends else 0.0 for arm in arms]
        beside, top = _beside(table[name].tolist(), highs, list(middle.values()))
        figure.add_trace(beside, row=1, col=column)
        figure.update_xaxes(range=[0, top], nticks=3, row=1, col=column)
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(
        tickvals=list(middle.values()), ticktext=[html.escape(arm) for arm in arms], showgrid=False,
        range=[len(arms) * step - _BETWEEN, -_LANE], zeroline=False,
    )  # fmt: skip
    titles = ("seconds since the first call", "waiting, s", "GB-seconds")
    for column, title in enumerate(titles, 1):
        figure.update_xaxes(title=title, rangemode="tozero", tickangle=0, row=1, col=column)
    height = 190 + _EACH_PX * len(models) + round(_LANE_PX * step * max(1, len(arms)))
    title = "Who is in memory when, under each keep_alive"
    return finish(figure, title, height=height)


def _stays(
    residencies: pd.DataFrame, table: pd.DataFrame, model: str, lanes: dict[str, float], color: str
) -> go.Bar:
    """The times in memory; a stay that had not ended goes on to the arm's end."""
    mine = residencies.loc[[same_name(name, model) for name in residencies["model"]]]
    ends = mine["arm"].map(table["span_s"] + table["late_s"])
    left = [f"left: {why}" if isinstance(why, str) else "still in memory" for why in mine["why"]]
    return go.Bar(
        base=mine["start_s"].tolist(),
        x=(mine["end_s"].fillna(ends) - mine["start_s"]).tolist(),
        y=[lanes[str(arm)] for arm in mine["arm"]],
        orientation="h", width=0.8 * _LANE, marker={"color": color, "line": {"width": 0}},
        name=html.escape(model), text=left, textposition="none", opacity=0.6,
        hovertemplate=html.escape(model)
        + " from %{base:.1f} s, for %{x:.1f} s, %{text}<extra></extra>",
    )  # fmt: skip


def _calls(frame: pd.DataFrame, model: str, lanes: dict[str, float], color: str) -> go.Scatter:
    mine = frame[frame["model"] == model]
    resident = mine["was_resident"].astype(bool)
    return go.Scatter(
        x=mine["start_s"].tolist(),
        y=[lanes[str(arm)] for arm in mine["arm"]],
        mode="markers", showlegend=False, cliponaxis=False,
        marker={
            "symbol": ["circle-open" if warm else "x" for warm in resident],
            "size": [6 if warm else 7 for warm in resident],
            "color": color, "line": {"width": 1.5, "color": color},
        },
        customdata=mine["ttft_s"].tolist(),
        hovertemplate="called at %{x:.1f} s: first token after %{customdata:.2f} s<extra></extra>",
    )  # fmt: skip


def _beside(
    values: list[float], highs: list[float], places: list[float]
) -> tuple[go.Scatter, float]:
    """The numbers beside their bars and intervals, and how far the axis has to go for them."""
    ends = [max(value, high) for value, high in zip(values, highs, strict=True)]
    known = [end for end in ends if not math.isnan(end)]
    numbers = go.Scatter(
        x=ends, y=places, mode="text", text=[f"\u2002{_figure(value)}" for value in values],
        textposition="middle right", showlegend=False, cliponaxis=False, hoverinfo="skip",
    )  # fmt: skip
    return numbers, _ROOM * max(known, default=1.0) or 1.0


def _high(interval: Interval) -> float:
    return interval.high if interval.has_ends else 0.0


def _figure(value: float) -> str:
    """Beside a bar; nothing where it is not told."""
    if math.isnan(value):
        return ""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _keys(with_interval: bool) -> Iterator[go.Scatter]:
    """What the marks mean: each is used, in a model's colour."""
    yield key("a call that had to load its model", "x", size=7)
    yield key("a call that found it in memory", "circle-open", size=6, line={"width": 1.5})
    if with_interval:
        yield interval_key()
