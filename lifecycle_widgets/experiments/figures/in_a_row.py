"""The picture of `InARow`: what each arm waited and held, and each call by its pause, with T*."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lifecycle_widgets.experiments.figures.style import (
    COLORS,
    MARK,
    bars,
    finish,
    interval_key,
    key,
)
from lifecycle_widgets.experiments.statistics import Interval, digits

_BAND = 0.25  # opacity


def draw(
    frame: pd.DataFrame,
    table: pd.DataFrame,
    waiting_s: Mapping[Any, Interval],
    t_star: Interval | None,
    model: str,
) -> go.Figure:
    """Left: waiting against GB-seconds, one point per arm. Right: time to first token by pause.

    Parameters
    ----------
    frame, table:
        Of an `InARowResult`.
    waiting_s:
        Of each arm, with its interval.
    t_star:
        The break-even in seconds; None where it is not known.
    model:
        Its name.
    """
    figure = make_subplots(rows=1, cols=2, column_widths=[0.42, 0.58], horizontal_spacing=0.14)
    for i, arm in enumerate(table.index):
        color, name = COLORS[i % len(COLORS)], html.escape(str(arm))
        group = {"legendgroup": name, "name": name}
        row = table.loc[arm]
        figure.add_scatter(
            x=[row["gb_s"]], y=[row["waiting_s"]], mode="markers", row=1, col=1, **group,
            marker={"color": color, "size": 14, "symbol": i}, error_y=bars([waiting_s[arm]]),
            hovertemplate="%{x:.1f} GB-seconds, %{y:.1f} s of waiting",
        )  # fmt: skip
        calls = frame[(frame["arm"].astype(str) == str(arm)) & frame["gap_s"].notna()]
        figure.add_scatter(
            x=calls["gap_s"].tolist(), y=calls["ttft_s"].tolist(), mode="markers", row=1, col=2,
            **group, showlegend=False, opacity=0.85,
            marker={"color": color, "size": 10, "symbol": i},
            hovertemplate="after %{x:.1f} s: first token after %{y:.2f} s",
        )  # fmt: skip
    if any(interval.has_ends for interval in waiting_s.values()):
        figure.add_trace(interval_key(is_lying=False), row=1, col=1)
    if t_star is not None and math.isfinite(t_star.high) and t_star.low > 0:
        _mark(figure, t_star)
    figure.update_xaxes(title="memory held, GB-seconds", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title="waiting for first tokens, s", rangemode="tozero", row=1, col=1)
    figure.update_xaxes(
        title="pause before the call, s", type="log", row=1, col=2, range=_decades(frame, t_star),
        tickvals=[0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000],
    )  # fmt: skip
    figure.update_yaxes(title="time to first token, s", rangemode="tozero", row=1, col=2)
    title = f"{html.escape(model)}: the same calls under each keep_alive"
    return finish(figure, title, height=410)


def _decades(frame: pd.DataFrame, t_star: Interval | None) -> list[float]:
    """The ends of the axis of pauses, as powers of ten: every pause, and T* where it is known."""
    pauses = [s for s in frame["gap_s"].dropna() if s > 0] or [1.0]
    ends = [*pauses, t_star.low, t_star.high] if t_star is not None else pauses
    shown = [s for s in ends if 1e-2 <= s <= 1e5] or [1.0]
    return [math.log10(min(shown) / 1.5), math.log10(max(shown) * 1.5)]


def _mark(figure: go.Figure, t_star: Interval) -> None:
    """The line at T*, with its interval."""
    place = {"xref": "x2", "yref": "y2 domain"}
    band = f"T*: {digits(t_star.low)} to {digits(t_star.high)} s"
    figure.add_trace(key(band, "square", opacity=_BAND, size=12), row=1, col=2)
    figure.add_shape(
        type="rect", x0=t_star.low, x1=t_star.high, y0=0, y1=1, fillcolor=MARK, opacity=_BAND,
        line_width=0, **place,
    )  # fmt: skip
    figure.add_shape(
        type="line", x0=t_star.median, x1=t_star.median, y0=0, y1=1,
        line={"color": MARK, "dash": "dash", "width": 1.5}, **place,
    )  # fmt: skip
    figure.add_annotation(  # plotly wants the logarithm here, and only here
        x=math.log10(t_star.median), y=0.98, text=f"T* {digits(t_star.median)} s", textangle=-90,
        xanchor="right", yanchor="top", showarrow=False, **place,
    )  # fmt: skip
