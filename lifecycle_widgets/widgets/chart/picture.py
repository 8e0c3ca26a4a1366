"""One picture of the chart as plain plotly JSON: traces and layout, the same live and static."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lifecycle_widgets.widgets.chart.bands import (
    FONT_SIZE,
    TEXT_COLOR,
    band_labels,
    band_shapes,
)
from lifecycle_widgets.widgets.chart.decimate import keep
from lifecycle_widgets.widgets.chart.rows import (
    GRID,
    MARGIN,
    Row,
    Values,
    chart_height,
    chart_rows,
    lane_height,
    memory_unit,
    row_axes,
    row_titles,
)
from lifecycle_widgets.widgets.chart.scene import COLORS, Scene
from lifecycle_widgets.widgets.chart.series import columns
from lifecycle_widgets.widgets.chart.words import NO_NAME, end_text
from lifecycle_widgets.widgets.formats import escaped

MAX_POINTS = 240
"""The most points of a trace, however long the session: two minutes at two samples a second."""

_NEUTRAL = "#8a8a8a"


@dataclass(frozen=True)
class Picture:
    """Traces by key, in drawing order, and the layout."""

    traces: dict[str, dict[str, Any]]
    layout: dict[str, Any]


def picture(scene: Scene) -> Picture:
    """Draw a scene. Every trace has at most `MAX_POINTS` points."""
    values = columns(scene.seen)
    rows = chart_rows(scene, values)
    traces = dict(_lines(scene, values, rows))
    traces["ends"] = _ends(scene)
    layout = _look(chart_height(rows)) | {"xaxis": _time_axis(scene, rows)}
    layout |= dict(row_axes(scene, values, rows))
    layout["shapes"] = band_shapes(scene, lanes_bottom=rows["memory"].top)
    layout["annotations"] = band_labels(scene) + row_titles(scene, rows)
    return Picture(traces, layout)


# --- traces --------------------------------------------------------------------------------------


def _lines(
    scene: Scene, values: Values, rows: dict[str, Row]
) -> Iterator[tuple[str, dict[str, Any]]]:
    times = [sample.at.timestamp() for sample in scene.seen]
    places = [scene.place(sample.at) for sample in scene.seen]
    memory_bytes, memory = memory_unit(values)
    for key, ys in values.items():
        kind, _, name = key.partition(":")
        if kind == "memory":
            unit, style = memory_bytes, _area(name, scene.colors.get(name, _NEUTRAL), memory)
        elif kind in ("cpu", "gpu"):
            unit, style = 0.01, _thin(kind.upper(), name, "%{y:.0f} %")
        else:
            unit, style = 1e9, _thin("RAM used" if kind == "ram" else "VRAM", name, "%{y:.2f} GB")
        kept = keep(times, ys, MAX_POINTS)
        yield (
            key,
            {
                "type": "scatter",
                "mode": "lines",
                "xaxis": "x",
                "yaxis": rows[kind].axis,
                "x": [places[i] for i in kept],
                "y": np.array([ys[i] / unit for i in kept], dtype="float32"),
                **style,
            },
        )


def _area(model: str, color: str, unit: str) -> dict[str, Any]:
    """The models' memory: one on the other, so that the height is what they hold together."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return {
        "name": escaped(model) or NO_NAME,
        "hovertemplate": f"%{{y:.{0 if unit == 'MB' else 2}f}} {unit}",
        "stackgroup": "memory",
        "stackgaps": "interpolate",  # each trace keeps points of its own
        "fillcolor": f"rgba({red}, {green}, {blue}, 0.55)",
        "line": {"width": 0, "color": color},
    }


def _thin(name: str, index: str, hover: str) -> dict[str, Any]:
    """A thin neutral line; several GPUs are told apart by colour."""
    color = COLORS[int(index) % len(COLORS)] if index and index != "0" else _NEUTRAL
    line = {"width": 1.3, "color": color}
    return {"name": f"{name} {index}".strip(), "hovertemplate": hover, "line": line}


def _ends(scene: Scene) -> dict[str, Any]:
    """A mark where a band ends: what one points at to read why."""
    gone = [(stay, stay.until) for stay in scene.bands if stay.until is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "xaxis": "x",
        "yaxis": "y",
        "name": "",
        "x": [scene.place(until) for _, until in gone],
        "y": np.array([scene.lanes[stay.model] for stay, _ in gone], dtype="float32"),
        "text": [escaped(end_text(stay)) for stay, _ in gone],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "symbol": "line-ns-open",
            "size": 0.8 * lane_height(len(scene.lanes)),
            "line": {"width": 2},
            "color": [scene.colors[stay.model] for stay, _ in gone],
        },
    }


# --- layout --------------------------------------------------------------------------------------


def _look(height: int) -> dict[str, Any]:
    return {
        "height": height,
        "autosize": True,
        "margin": MARGIN,
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "font": {"size": FONT_SIZE, "color": TEXT_COLOR},
        "showlegend": False,
        "dragmode": False,
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverlabel": {
            "bgcolor": "#f4f4f4",
            "font": {"size": FONT_SIZE, "color": "#222222"},
            "namelength": -1,
        },
    }


def _time_axis(scene: Scene, rows: dict[str, Row]) -> dict[str, Any]:
    return {
        "type": "date",
        "anchor": list(rows.values())[-1].axis,
        "range": [scene.place(scene.start), scene.place(scene.end)],
        "tickformat": "%H:%M:%S",
        "hoverformat": "%H:%M:%S",
        "nticks": 9,
        "ticks": "outside",
        "ticklen": 3,
        "tickcolor": GRID,
        "gridcolor": GRID,
        "zeroline": False,
        "fixedrange": True,
        "showspikes": True,
        "spikemode": "across",
        "spikethickness": 1,
        "spikedash": "dot",
        "spikecolor": _NEUTRAL,
    }
