"""One picture of the chart as plain values: lines, bars and layout, the same live and static."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lifecycle_widgets.model_colors import COLORS
from lifecycle_widgets.widgets.chart.bands import (
    FONT_SIZE,
    TEXT_COLOR,
    band_labels,
    band_shapes,
)
from lifecycle_widgets.widgets.chart.decimate import keep
from lifecycle_widgets.widgets.chart.requests.bars import Bars, request_bars
from lifecycle_widgets.widgets.chart.rows import (
    GRID,
    MARGIN,
    Row,
    Values,
    chart_height,
    chart_rows,
    lane_height,
    largest,
    memory_unit,
    row_axes,
    row_titles,
)
from lifecycle_widgets.widgets.chart.scene import Scene
from lifecycle_widgets.widgets.chart.series import columns
from lifecycle_widgets.widgets.chart.words import NO_NAME, end_text
from lifecycle_widgets.widgets.formats import escaped

MAX_POINTS = 240
"""The most points of a trace, however long the session: two minutes at two samples a second."""

_NEUTRAL, _PALE = "#8a8a8a", "#b4b4b4"
_WAITS = 0.05  # of the time: less pressure is not drawn
_ONE_BY_ONE_S = 3600.0  # the axis of a wider picture names days, too

# row, unit, name, how it is read out; those without a line are only read out
_LINES = {
    "ram": ("ram", 1e9, "RAM used", "%{y:.2f} GB", _NEUTRAL),
    "cache": ("ram", 1e9, "page cache", "%{y:.2f} GB", None),
    "swap": ("ram", 1e9, "swap used", "%{y:.2f} GB", None),
    "cpu": ("cpu", 0.01, "CPU", "%{y:.0f} %", _NEUTRAL),
    "pressure": ("cpu", 0.01, "waited", "%{y:.0f} % of the time", _PALE),
    "disk": ("disk", 1e6, "disks read", "%{y:.0f} MB/s", _NEUTRAL),
    "gpu": ("gpu", 0.01, "GPU", "%{y:.0f} %", _NEUTRAL),
    "power": ("gpu", 1.0, "GPU power", "%{y:.0f} W", None),
    "heat": ("gpu", 1.0, "GPU heat", "%{y:.0f} °C", None),
    "vram": ("vram", 1e9, "VRAM", "%{y:.2f} GB", _NEUTRAL),
}


@dataclass(frozen=True)
class Picture:
    """Traces by key, in drawing order, the bars of the requests, and the layout.

    As plotly has them, but for the times, which are numbers (`Scene.place`), and the bars:
    `as_plotly` of the plot's room makes a figure of it.
    """

    traces: dict[str, dict[str, Any]]
    bars: Bars
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
    bars = request_bars(
        scene.asked,
        scene.worked,
        scene.lanes,
        scene.place,
        now=scene.now,
        window_s=scene.window_s,
        marked=scene.marked,
    )
    return Picture(traces, bars, layout)


# --- traces --------------------------------------------------------------------------------------


def _lines(
    scene: Scene, values: Values, rows: dict[str, Row]
) -> Iterator[tuple[str, dict[str, Any]]]:
    places = [scene.place(sample.at) for sample in scene.seen]
    memory_bytes, memory = memory_unit(values)
    stacked = _kept_together(places, [ys for key, ys in values.items() if _is_memory(key)])
    for key, ys in values.items():
        kind, _, index = key.partition(":")
        if _is_memory(key):
            row, unit, kept = "memory", memory_bytes, stacked
            style = _area(index, scene.colors.get(index, _NEUTRAL), memory)
        else:
            row, unit, name, hover, color = _LINES[kind]
            if row not in rows:
                continue
            kept = keep(places, ys, MAX_POINTS)
            is_drawn = kind != "pressure" or largest(ys) >= _WAITS
            style = _thin(name, index, hover, color if is_drawn else None)
        yield (
            key,
            {
                "type": "scatter",
                "mode": "lines",
                "xaxis": "x",
                "yaxis": rows[row].axis,
                "x": [places[i] for i in kept],
                "y": [_short(ys[i] / unit) for i in kept],
                **style,
            },
        )


def _is_memory(key: str) -> bool:
    return key.startswith("memory:")


def _kept_together(places: list[float], stacks: list[list[float]]) -> list[int]:
    """The same points for all models: their areas stand on each other."""
    limit = max(MAX_POINTS // max(len(stacks), 1), 8)
    kept = {i for ys in stacks for i in keep(places, ys, limit)}
    return sorted(kept)[-MAX_POINTS:]


def _short(value: float) -> float | None:
    """As many digits as a screen can show; None where nothing was measured."""
    return None if math.isnan(value) else float(f"{value:.5g}")


def _area(model: str, color: str, unit: str) -> dict[str, Any]:
    """The models' memory: one on the other, so that the height is what they hold together."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return {
        "name": escaped(model) or NO_NAME,
        "hovertemplate": f"%{{y:.{0 if unit == 'MB' else 2}f}} {unit}",
        "stackgroup": "memory",
        "stackgaps": "infer zero",
        "fillcolor": f"rgba({red}, {green}, {blue}, 0.55)",
        "line": {"width": 0, "color": color},
    }


def _thin(name: str, index: str, hover: str, color: str | None) -> dict[str, Any]:
    """A thin neutral line, or none; several GPUs are told apart by colour."""
    if index and index != "0" and color is not None:
        color = COLORS[int(index) % len(COLORS)]
    dash = "dot" if color == _PALE else "solid"  # two lines of a row are not told by shade alone
    line = {"width": 1.3 if color else 0, "color": color or _NEUTRAL, "dash": dash}
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
        "y": [scene.lanes[stay.model] - 0.22 for stay, _ in gone],
        "text": [escaped(end_text(stay)) for stay, _ in gone],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "symbol": "line-ns-open",
            "size": 0.5 * lane_height(len(scene.lanes)),
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
        "tickformat": "%H:%M:%S" if scene.window_s <= _ONE_BY_ONE_S else "",
        "hoverformat": "%H:%M:%S" if scene.window_s <= _ONE_BY_ONE_S else "%-d %b %H:%M:%S",
        "nticks": 9,
        "ticks": "outside",
        "ticklen": 3,
        "tickcolor": GRID,
        "gridcolor": GRID,
        "zeroline": False,
        "fixedrange": True,
    }
