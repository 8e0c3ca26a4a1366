"""The picture of `Downstream`: times, memory, page cache and disk reads, side by side."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lifecycle_widgets.experiments.figures.style import (
    COLORS,
    POINT,
    bars,
    faint,
    finish,
    interval_key,
    key,
)
from lifecycle_widgets.experiments.statistics import Interval

_MARK: dict[str, Any] = {"symbol": "circle", **POINT, "size": 6}


def draw(
    frame: pd.DataFrame,
    model: str,
    seconds: Mapping[str, Interval],
    *,
    conditions: Sequence[str],
    is_short: bool,
) -> go.Figure:
    """One row per condition on one axis; bars are medians, points are the measurements.

    The times have the intervals that the verdict rests on.

    Parameters
    ----------
    frame:
        Of a `DownstreamResult`.
    model:
        Its name, escaped.
    seconds:
        The task's steady run in each condition that was measured.
    conditions:
        All there are, in their order from above.
    is_short:
        Whether memory and page cache are those of a budget; else they are the machine's.
    """
    whose = "of the budget" if is_short else "of the machine"
    columns = (
        ("steady_s", "the task's<br>second run, s", 1.0),
        ("runner_bytes", "the model's<br>memory, GB", 1e9),
        ("page_cache_bytes", f"page cache<br>{whose},<br>GB", 1e9),
        ("steady_disk_bytes", "read from<br>the disk, GB", 1e9),
    )
    figure = make_subplots(cols=len(columns), shared_yaxes=True, horizontal_spacing=0.04)
    for place, (name, title, unit) in enumerate(columns, start=1):
        ends = seconds if name == "steady_s" else {}
        _column(figure, place, frame, name, unit, conditions, ends)
        figure.update_xaxes(title={"text": title, "standoff": 6}, rangemode="tozero", col=place)
    names = {c: html.escape(c).replace(" by ", " by<br>") for c in conditions}
    figure.update_yaxes(tickvals=list(names), ticktext=list(names.values()))
    figure.update_xaxes(nticks=4, tickangle=0)
    figure.add_trace(key("median", "square"), row=1, col=1)
    figure.add_trace(key("each measurement", **_MARK), row=1, col=1)
    if any(interval.has_ends for interval in seconds.values()):
        figure.add_trace(interval_key(), row=1, col=1)
    return finish(figure, f"The downstream task after {model}", height=330)


def _column(
    figure: go.Figure,
    place: int,
    frame: pd.DataFrame,
    name: str,
    unit: float,
    conditions: Sequence[str],
    ends: Mapping[str, Interval],
) -> None:
    if frame.empty or frame[name].isna().all():
        return
    # plotly draws upwards
    conditions = [c for c in reversed(conditions) if c in set(frame["condition"])]
    medians = frame.groupby("condition")[name].median().loc[conditions] / unit
    figure.add_bar(
        x=medians.tolist(),
        y=conditions,
        orientation="h",
        marker=faint(COLORS[place - 1]),
        showlegend=False,
        error_x=bars([ends[c] for c in conditions]) if ends else None,
        row=1,
        col=place,
    )
    figure.add_scatter(
        x=(frame[name] / unit).tolist(),
        y=frame["condition"].tolist(),
        mode="markers",
        marker=_MARK,
        showlegend=False,
        cliponaxis=False,
        row=1,
        col=place,
    )
