"""The pictures of `ColdAndWarm`: one bar per state; or L against the length of the conversation."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from lifecycle_widgets.experiments.figures.style import (
    COLORS,
    POINT,
    bars,
    faint,
    finish,
    interval_key,
)
from lifecycle_widgets.experiments.statistics import Interval

_STATES = ("cold (from disk)", "cold (page cache)", "warm")
_AXIS = "time to first token, s"


def draw(frame: pd.DataFrame, ttft_s: Mapping[str, Interval], model: str) -> go.Figure:
    """Bars of the medians, load and the rest of the time to first token, with every request.

    Parameters
    ----------
    frame:
        Of a `ColdAndWarmResult`.
    ttft_s:
        The time to first token in each state, with its interval.
    model:
        Its name, escaped.
    """
    figure = go.Figure()
    states = [state for state in _STATES if state in ttft_s]
    if states:
        load_s = frame.groupby("state")["load_s"].median().loc[states]
        rest_s = [max(0.0, ttft_s[state].median - load_s[state]) for state in states]
        figure.add_bar(
            x=load_s.tolist(), y=states, name="load", orientation="h", marker=faint(COLORS[1])
        )
        figure.add_bar(
            x=rest_s,
            y=states,
            name="prompt eval and the rest, until the first token",
            orientation="h",
            marker=faint(COLORS[0]),
            error_x=bars([ttft_s[state] for state in states]),
        )
        figure.add_scatter(
            x=frame["ttft_s"].tolist(),
            y=frame["state"].tolist(),
            mode="markers",
            name="each request",
            marker=POINT,
        )
        if any(ttft_s[state].has_ends for state in states):
            figure.add_trace(interval_key("95 % interval of the time to first token"))
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title=_AXIS, rangemode="tozero")
    return finish(figure, f"{model}: what a reload costs", height=330)


def draw_curve(
    frame: pd.DataFrame, ttft_s: Mapping[tuple[str, int], Interval], model: str
) -> go.Figure:
    """The time to first token, cold and warm, against the tokens of the prompt.

    Parameters
    ----------
    frame:
        Of a `ColdAndWarmResult` with several histories.
    ttft_s:
        The time to first token of each state and history, with its interval.
    model:
        Its name, escaped.
    """
    figure = go.Figure()
    tokens = frame.groupby("history_tokens")["prompt_tokens"].median().fillna(0)
    tokens = tokens.where(tokens > 0, pd.Series(tokens.index, index=tokens.index))
    for state, color in zip(_STATES, (COLORS[3], COLORS[1], COLORS[0]), strict=True):
        mine = {history: x for (name, history), x in sorted(ttft_s.items()) if name == state}
        if mine:
            figure.add_scatter(
                x=[tokens[history] for history in mine],
                y=[interval.median for interval in mine.values()],
                error_y=bars(list(mine.values())),
                mode="lines+markers",
                name=state,
                marker={"color": color, "size": 9},
                hovertemplate="%{x:,.0f} tokens: first token after %{y:.2f} s",
            )
    if any(interval.has_ends for interval in ttft_s.values()):
        figure.add_trace(interval_key(is_lying=False))
    figure.update_xaxes(title="tokens of the prompt, history included", rangemode="tozero")
    figure.update_yaxes(title=_AXIS, rangemode="tozero")
    title = f"{model}: what a reload costs, by the length of the conversation"
    return finish(figure, title, height=370)
