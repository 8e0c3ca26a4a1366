"""The picture as a plotly figure: to print, to save, and where no widget can be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import plotly.graph_objects as go

from lifecycle_widgets.experiments.figures.style import CARD, LEGEND, MARK, key
from lifecycle_widgets.widgets.chart.bands import BAR_OPACITY
from lifecycle_widgets.widgets.chart.picture import Picture
from lifecycle_widgets.widgets.chart.requests.bars import BUSY, PHASE_COLORS, REST, Bars
from lifecycle_widgets.widgets.formats import escaped

_CLEAR = "rgba(0, 0, 0, 0)"
_ROW_PX, _A_ROW, _MOST_TIMES = 19, 3, 5  # of the legend, on a page of 550 pixels
_LEGEND = {**LEGEND, "entrywidth": 115}
_PHASES = {REST: "rest of a request", BUSY: "at work, in part"}
"""How the legend calls a phase whose own word says too little there."""


def as_plotly(picture: Picture) -> go.Figure:
    """The same picture; where one points at the end of a request's bar, all is told of it."""
    traces = [_line(key, trace) for key, trace in picture.traces.items()]
    traces += _keys(picture)
    traces += _requests(picture.bars)
    layout = dict(picture.layout)
    named = sum(trace.get("showlegend", False) for trace in traces)
    layout["height"] += _ROW_PX * math.ceil(named / _A_ROW) + _ROW_PX
    layout |= {"paper_bgcolor": CARD, "showlegend": True, "legend": _LEGEND}
    few = {"nticks": _MOST_TIMES, "tickangle": 0}  # for a page of 550 pixels
    layout["xaxis"] = {**layout["xaxis"], **few, "range": _texts(layout["xaxis"]["range"])}
    layout["shapes"] = [_placed(shape, "x0", "x1") for shape in layout["shapes"]]
    layout["annotations"] = [_placed(said, "x") for said in layout["annotations"]]
    return go.Figure(data=traces, layout=layout)


def time_text(place: float) -> str:
    """A place on the time axis, in text: plotly shows numbers by the clock of the browser."""
    at = datetime.fromtimestamp(place, timezone.utc).replace(tzinfo=None)
    return at.isoformat(" ", "milliseconds")[:21]


def _line(name: str, trace: dict[str, Any]) -> dict[str, Any]:
    """A row's line; two in one row are told apart by the legend."""
    is_named = name == "pressure" and trace["line"]["width"] > 0
    return {**trace, "x": _texts(trace["x"]), "showlegend": is_named}


def _keys(picture: Picture) -> Iterator[dict[str, Any]]:
    """What the legend names beside the phases: bars in memory, where they end, and stripes."""
    bands = [s for s in picture.layout["shapes"] if s["yref"] == "y" and s["type"] == "rect"]
    held = [s["fillcolor"] for s in bands if s["opacity"] == BAR_OPACITY]
    ahead = [s["fillcolor"] for s in bands if s["opacity"] != BAR_OPACITY]
    if held:
        yield _key("in memory", "square", color=held[0], size=12)
    if ahead:
        yield _key("time left", "square", color=ahead[0], size=12, opacity=0.3)
    if picture.traces["ends"]["x"]:
        line = {"width": 2}
        yield _key("has left", "line-ns-open", color=held[0] if held else MARK, size=12, line=line)
    if picture.bars.x0:
        yield _key("a request's end", "line-ns-open", color="#555555", size=8, line={"width": 1})
    if any(picture.bars.hatched):
        striped = _look(MARK, hatched=True)
        yield {"x": [None], "y": [None], "name": "another client's", "showlegend": True, **striped}


def _key(name: str, symbol: str, **look: Any) -> dict[str, Any]:
    made: dict[str, Any] = key(name, symbol, **look).to_plotly_json()
    return made


def _look(color: str, *, hatched: bool) -> dict[str, Any]:
    """Of a filled outline."""
    stripes = {"shape": "/", "fgcolor": color, "bgcolor": _CLEAR, "size": 5, "solidity": 0.5}
    pattern = {"fillpattern": stripes} if hatched else {}
    outline = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "fill": "toself"}
    return {**outline, "fillcolor": color, **pattern, "hoverinfo": "skip"}


def _texts(places: list[float]) -> list[str]:
    return [time_text(place) for place in places]


def _placed(thing: dict[str, Any], *names: str) -> dict[str, Any]:
    if thing["xref"] != "x":
        return thing
    return {**thing, **{name: time_text(thing[name]) for name in names}}


def _requests(bars: Bars) -> Iterator[dict[str, Any]]:
    """One filled trace for each look, and a mark for each request."""
    looks = list(zip(bars.phase, bars.hatched, strict=True))
    named: set[str] = set()
    for phase, hatched in sorted(dict.fromkeys(looks), key=lambda look: look[1]):
        mine = [i for i, one in enumerate(looks) if one == (phase, hatched)]
        yield _filled(bars, mine, phase, hatched, is_first=phase not in named)
        named.add(phase)
    last = {of: i for i, of in enumerate(bars.of)}
    yield {
        "type": "scatter",
        "mode": "markers",
        "yaxis": "y",
        "name": "",
        "showlegend": False,
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


def _filled(
    bars: Bars, which: list[int], phase: str, hatched: bool, *, is_first: bool
) -> dict[str, Any]:
    x: list[str | None] = []
    y: list[float | None] = []
    for i in which:
        begin, end = time_text(bars.x0[i]), time_text(bars.x1[i])
        x += [begin, begin, end, end, None]
        y += [bars.y0[i], bars.y1[i], bars.y1[i], bars.y0[i], None]
    return {
        **_look(PHASE_COLORS[phase], hatched=hatched),
        "yaxis": "y",
        "name": _PHASES.get(phase, phase),
        "legendgroup": phase,
        "showlegend": is_first,
        "x": x,
        "y": y,
    }
