"""The picture of `ColdAndWarm`: one bar per state, one point per request."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from lifecycle_widgets.experiments.figures.style import COLORS, POINT, finish

_STATES = ("cold (from disk)", "cold (page cache)", "warm")


def draw(frame: pd.DataFrame, model: str) -> go.Figure:
    """Bars of the medians, load and the rest of the time to first token, with every request.

    Parameters
    ----------
    frame:
        Of a `ColdAndWarmResult`.
    model:
        Its name, escaped.
    """
    figure = go.Figure()
    if not frame.empty:
        states = [s for s in _STATES if s in set(frame["state"])]
        medians = frame.groupby("state")[["load_s", "ttft_s"]].median().loc[states]
        rest_s = (medians["ttft_s"] - medians["load_s"]).clip(lower=0)
        for name, values, color in (
            ("load", medians["load_s"], COLORS[1]),
            ("prompt eval and the rest, until the first token", rest_s, COLORS[0]),
        ):
            figure.add_bar(
                x=values.tolist(), y=states, name=name, orientation="h", marker_color=color
            )
        figure.add_scatter(
            x=frame["ttft_s"].tolist(),
            y=frame["state"].tolist(),
            mode="markers",
            name="each request",
            marker=POINT,
        )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title="time to first token, s", rangemode="tozero")
    return finish(figure, f"{model}: what a load costs", height=280)
