"""The picture as a plotly figure: to print, to save, and where no widget can be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import plotly.graph_objects as go

from lifecycle_widgets.widgets.chart.picture import Picture
from lifecycle_widgets.widgets.chart.requests.bars import PHASE_COLORS, Bars
from lifecycle_widgets.widgets.formats import escaped

_CLEAR = "rgba(0, 0, 0, 0)"


def as_plotly(picture: Picture) -> go.Figure:
    """The same picture; where one points at the end of a request's bar, all is told of it."""
    traces = [{**trace, "x": _texts(trace["x"])} for trace in picture.traces.values()]
    traces += _requests(picture.bars)
    layout = dict(picture.layout)
    layout["xaxis"] = {**layout["xaxis"], "range": _texts(layout["xaxis"]["range"])}
    layout["shapes"] = [_placed(shape, "x0", "x1") for shape in layout["shapes"]]
    layout["annotations"] = [_placed(said, "x") for said in layout["annotations"]]
    return go.Figure(data=traces, layout=layout)


def time_text(place: float) -> str:
    """A place on the time axis, in text: plotly shows numbers by the clock of the browser."""
    at = datetime.fromtimestamp(place, timezone.utc).replace(tzinfo=None)
    return at.isoformat(" ", "milliseconds")[:21]


def _texts(places: list[float]) -> list[str]:
    return [time_text(place) for place in places]


def _placed(thing: dict[str, Any], *names: str) -> dict[str, Any]:
    if thing["xref"] != "x":
        return thing
    return {**thing, **{name: time_text(thing[name]) for name in names}}


def _requests(bars: Bars) -> Iterator[dict[str, Any]]:
    """One filled trace for each look, and a mark for each request."""
    looks = list(zip(bars.phase, bars.hatched, strict=True))
    for look in dict.fromkeys(looks):
        mine = [i for i, one in enumerate(looks) if one == look]
        yield _filled(bars, mine, *look)
    last = {of: i for i, of in enumerate(bars.of)}
    yield {
        "type": "scatter",
        "mode": "markers",
        "yaxis": "y",
        "name": "",
        "x": [time_text(bars.x1[i]) for i in last.values()],
        "y": [(bars.y0[i] + bars.y1[i]) / 2 for i in last.values()],
        "text": [escaped(bars.texts[of]).replace("\n", "<br>") for of in last],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "symbol": "line-ns-open",
            "size": 6,
            "line": {"width": [3 if of in set(bars.marked) else 1 for of in last]},
            "color": "#555555",
        },
    }


def _filled(bars: Bars, which: list[int], phase: str, hatched: bool) -> dict[str, Any]:
    x: list[str | None] = []
    y: list[float | None] = []
    for i in which:
        begin, end = time_text(bars.x0[i]), time_text(bars.x1[i])
        x += [begin, begin, end, end, None]
        y += [bars.y0[i], bars.y1[i], bars.y1[i], bars.y0[i], None]
    color = PHASE_COLORS[phase]
    stripes = {"shape": "/", "fgcolor": color, "bgcolor": _CLEAR, "size": 5, "solidity": 0.5}
    pattern = {"fillpattern": stripes} if hatched else {}
    return {
        "type": "scatter",
        "mode": "lines",
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": color,
        **pattern,
        "yaxis": "y",
        "name": phase,
        "x": x,
        "y": y,
        "hoverinfo": "skip",
    }
