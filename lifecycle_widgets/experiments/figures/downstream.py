"""The picture of `Downstream`: times, memory, page cache and disk reads, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lifecycle_widgets.experiments.figures.style import COLORS, POINT, bars, finish
from lifecycle_widgets.experiments.statistics import Interval

_FAINT = 0.5  # so that an interval is seen on its bar, on light and on dark


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
        ("page_cache_bytes", f"page cache<br>{whose}, GB", 1e9),
        ("steady_disk_bytes", "read from<br>the disk, GB", 1e9),
    )
    figure = make_subplots(cols=len(columns), shared_yaxes=True, horizontal_spacing=0.04)
    for place, (name, title, unit) in enumerate(columns, start=1):
        ends = seconds if name == "steady_s" else {}
        _column(figure, place, frame, name, unit, conditions, ends)
        figure.update_xaxes(title={"text": title, "standoff": 6}, rangemode="tozero", col=place)
    finish(figure, f"The downstream task after {model}", height=280, showlegend=False)
    return figure.update_layout(margin={"t": 50})


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
        marker={"color": COLORS[place - 1], "opacity": _FAINT},
        error_x=bars([ends[c] for c in conditions]) if ends else None,
        row=1,
        col=place,
    )
    figure.add_scatter(
        x=(frame[name] / unit).tolist(),
        y=frame["condition"].tolist(),
        mode="markers",
        marker={**POINT, "size": 6},
        cliponaxis=False,
        row=1,
        col=place,
    )
