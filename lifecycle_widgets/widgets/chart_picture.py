"""One picture of the chart as plain plotly JSON: traces and layout, the same live and static."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lifecycle_widgets.widgets import chart_bands
from lifecycle_widgets.widgets.chart_bands import FONT_SIZE, TEXT_COLOR
from lifecycle_widgets.widgets.chart_scene import COLORS, Scene
from lifecycle_widgets.widgets.chart_series import columns
from lifecycle_widgets.widgets.chart_words import end_text
from lifecycle_widgets.widgets.decimate import keep
from lifecycle_widgets.widgets.formats import escaped

MAX_POINTS = 240
"""The most points of a trace, however long the session."""

NEUTRAL = "#8a8a8a"
_GRID = "rgba(128, 128, 128, 0.25)"
_MARGIN = {"l": 158, "r": 12, "t": 6, "b": 26}
_GAP, _LANE = 17, 22  # pixels
_HEIGHT, _HEIGHT_WITH_GPU = 370, 470
_NAME_LETTERS = 24  # of a model's name, that fit the margin


@dataclass(frozen=True)
class Picture:
    """Traces by key, in drawing order, and the layout."""

    traces: dict[str, dict[str, Any]]
    layout: dict[str, Any]


@dataclass(frozen=True)
class _Row:
    """A strip of the chart. ``floor`` and ``top`` are its bounds, 0 to 1 from below."""

    axis: str
    height: int
    floor: float = 0.0
    top: float = 1.0


def picture(scene: Scene) -> Picture:
    """Draw a scene. Every trace has at most `MAX_POINTS` points."""
    values = columns(scene.seen, is_local=scene.is_local)
    rows = _rows(max(len(scene.lanes), 1), has_gpu=any(s.gpus for s in scene.seen))
    traces = dict(_lines(scene, values, rows))
    traces["ends"] = _ends(scene)
    return Picture(traces, _layout(scene, values, rows))


def _rows(lanes: int, *, has_gpu: bool) -> dict[str, _Row]:
    """Lanes on top, then the runners' memory, which takes what the others leave."""
    fixed = {"ram": _Row("y3", 58), "cpu": _Row("y4", 50)}
    if has_gpu:
        fixed |= {"gpu": _Row("y5", 50), "vram": _Row("y6", 58)}
    total = (_HEIGHT_WITH_GPU if has_gpu else _HEIGHT) - _MARGIN["t"] - _MARGIN["b"]
    rest = total - lanes * _LANE - sum(r.height + _GAP for r in fixed.values()) - _GAP
    rows = {"lanes": _Row("y", lanes * _LANE), "memory": _Row("y2", rest), **fixed}
    placed, top = {}, 0
    for name, row in rows.items():
        bounds = 1 - (top + row.height) / total, 1 - top / total
        placed[name] = _Row(row.axis, row.height, max(round(bounds[0], 4), 0.0), round(bounds[1], 4))
        top += row.height + _GAP
    return placed


# --- lines ---------------------------------------------------------------------------------------


def _lines(
    scene: Scene, values: dict[str, list[float]], rows: dict[str, _Row]
) -> Iterator[tuple[str, dict[str, Any]]]:
    times = [sample.at.timestamp() for sample in scene.seen]
    places = [scene.place(sample.at) for sample in scene.seen]
    unit_bytes, unit = _unit(values)
    for key, ys in values.items():
        kind, _, name = key.partition(":")
        scale, style = 1.0, dict[str, Any]()
        if kind == "memory":
            color = scene.colors.get(name, NEUTRAL)
            style = {"name": escaped(name), "stackgroup": "memory", "stackgaps": "interpolate"}
            style |= {"fillcolor": _rgba(color, 0.55), "line": {"width": 0, "color": color}}
            scale, style["hovertemplate"] = unit_bytes, f"%{{y:.{0 if unit == 'MB' else 2}f}} {unit}"
        elif kind in ("cpu", "gpu"):
            style = _thin(f"GPU {name}" if name else "CPU", name, "%{y:.0f} %")
            scale = 0.01
        else:
            style = _thin(f"VRAM {name}" if name else "RAM used", name, "%{y:.2f} GB")
            scale = 1e9
        kept = keep(times, ys, MAX_POINTS)
        yield key, {**_trace(rows[kind].axis, kept, places, ys, scale), **style}


def _trace(
    axis: str, kept: list[int], places: list[str], ys: list[float], scale: float
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "xaxis": "x",
        "yaxis": axis,
        "x": [places[i] for i in kept],
        "y": np.array([ys[i] / scale for i in kept], dtype="float32"),
    }


def _thin(name: str, index: str, hover: str) -> dict[str, Any]:
    """A thin neutral line; several GPUs are told apart by colour."""
    color = COLORS[int(index) % len(COLORS)] if index and index != "0" else NEUTRAL
    return {"name": name, "hovertemplate": hover, "line": {"width": 1.3, "color": color}}


def _ends(scene: Scene) -> dict[str, Any]:
    """A mark where a band ends: what one points at to read why."""
    gone = [stay for stay in scene.bands if stay.until is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "xaxis": "x",
        "yaxis": "y",
        "name": "",
        "x": [scene.place(s.until) for s in gone if s.until],
        "y": np.array([scene.lanes[s.model] for s in gone], dtype="float32"),
        "text": [escaped(end_text(stay)) for stay in gone],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "symbol": "line-ns-open",
            "size": 0.8 * _LANE,
            "line": {"width": 2},
            "color": [scene.colors[stay.model] for stay in gone],
        },
    }


def _rgba(color: str, opacity: float) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


# --- axes ----------------------------------------------------------------------------------------


def _layout(scene: Scene, values: dict[str, list[float]], rows: dict[str, _Row]) -> dict[str, Any]:
    has_gpu, lowest = "gpu" in rows, list(rows.values())[-1]
    layout: dict[str, Any] = {
        "height": _HEIGHT_WITH_GPU if has_gpu else _HEIGHT,
        "autosize": True,
        "margin": _MARGIN,
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "font": {"size": FONT_SIZE, "color": TEXT_COLOR},
        "showlegend": False,
        "dragmode": False,
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverlabel": {"font": {"size": FONT_SIZE}},
        "xaxis": {
            "type": "date",
            "anchor": lowest.axis,
            "range": [scene.place(scene.start), scene.place(scene.end)],
            "tickformat": "%H:%M:%S",
            "hoverformat": "%H:%M:%S",
            "nticks": 9,
            "gridcolor": _GRID,
            "fixedrange": True,
            "zeroline": False,
            "ticks": "outside",
            "ticklen": 3,
            "tickcolor": _GRID,
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikedash": "dot",
            "spikecolor": NEUTRAL,
        },
    }
    for name, axis in _axes(scene, values, rows):
        layout["yaxis" + rows[name].axis[1:]] = axis
    layout["shapes"] = chart_bands.shapes(scene, lanes_bottom=rows["memory"].top)
    layout["annotations"] = [*chart_bands.annotations(scene), *_titles(scene, rows)]
    return layout


def _axes(
    scene: Scene, values: dict[str, list[float]], rows: dict[str, _Row]
) -> Iterator[tuple[str, dict[str, Any]]]:
    names = [escaped(_short(model)) for model in scene.lanes]
    lanes = {"range": [max(len(names), 1) - 0.5, -0.5], "tickvals": list(range(len(names)))}
    yield "lanes", {**_axis(rows["lanes"]), **lanes, "ticktext": names, "showgrid": False}
    unit_bytes, unit = _unit(values)
    yield "memory", _scaled(rows["memory"], _total_memory(values) / unit_bytes, unit)
    ram = _known(values["ram"])
    yield "ram", _around(rows["ram"], [y / 1e9 for y in ram])
    for name in ("cpu", "gpu"):
        if name in rows:
            yield name, _scaled(rows[name], 100, "%", tight=True)
    if "vram" in rows:
        total = max((g.memory_total_bytes or 0 for s in scene.seen for g in s.gpus), default=0)
        yield "vram", _scaled(rows["vram"], total / 1e9, "GB", tight=True)


def _axis(row: _Row) -> dict[str, Any]:
    return {
        "domain": [row.floor, row.top],
        "anchor": "x",
        "fixedrange": True,
        "zeroline": False,
        "gridcolor": _GRID,
        "tickmode": "array",
    }


def _scaled(row: _Row, high: float, unit: str, *, tight: bool = False) -> dict[str, Any]:
    """From 0 to a round number above ``high`` (``tight``: to it), with the half marked."""
    top = high if tight and high > 0 else _round_up(high * 1.12)
    ticks = [0, top / 2, top]
    texts = [f"{tick:g} {unit}" for tick in ticks]
    room = 0.04 * top if tight else 0.0  # a line at the very top or bottom is seen whole
    return {**_axis(row), "range": [-room, top + room], "tickvals": ticks, "ticktext": texts}


def _around(row: _Row, known: list[float]) -> dict[str, Any]:
    """Round GB just below and above the values: RAM has its own readable scale, not from 0."""
    low, high = min(known, default=0.0), max(known, default=1.0)
    step = max(_round_up((high - low) / 2), 0.1)
    floor = math.floor(low / step) * step
    top = max(math.ceil(high / step) * step, floor + 2 * step)
    floor, top = round(floor, 6), round(top, 6)
    ticks = [floor, round((floor + top) / 2, 6), top]
    return {
        **_axis(row),
        "range": [floor, top],
        "tickvals": ticks,
        "ticktext": [f"{tick:.2f}".rstrip("0").rstrip(".") + " GB" for tick in ticks],
    }


def _titles(scene: Scene, rows: dict[str, _Row]) -> list[dict[str, Any]]:
    """What each row shows, at the left edge, beside its numbers."""
    here = "" if scene.is_local else "<br>this machine"
    texts = {
        "memory": "runner memory" if scene.is_local else "model memory<br>as Ollama tells",
        "ram": "RAM used" + _of_total(scene) + here,
        "cpu": "CPU" + here,
        "gpu": "GPU" + here,
        "vram": "VRAM used" + here,
    }
    return [
        {
            "text": texts[name],
            "xref": "paper",
            "x": 0,
            "xanchor": "left",
            "xshift": 4 - _MARGIN["l"],
            "yref": "paper",
            "y": (row.floor + row.top) / 2,
            "yanchor": "middle",
            "align": "left",
            "showarrow": False,
            "font": {"size": FONT_SIZE, "color": TEXT_COLOR},
        }
        for name, row in rows.items()
        if name in texts
    ]


def _of_total(scene: Scene) -> str:
    return f"<br>of {scene.seen[-1].ram_total_bytes / 1e9:.0f} GB" if scene.seen else ""


def _total_memory(values: dict[str, list[float]]) -> float:
    stacks = [ys for key, ys in values.items() if key.startswith("memory:")]
    return max((sum(column) for column in zip(*stacks, strict=True)), default=0.0)


def _unit(values: dict[str, list[float]]) -> tuple[float, str]:
    return (1e9, "GB") if _total_memory(values) >= 1e9 else (1e6, "MB")


def _known(ys: list[float]) -> list[float]:
    return [y for y in ys if not math.isnan(y)]


def _round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten; 100 for nothing."""
    if value <= 0:
        return 100.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((s * power for s in (1, 1.5, 2, 3, 4, 5, 6, 8) if s * power >= value), 10 * power)


def _short(name: str) -> str:
    """A long model name without its beginning, which is the part that says least."""
    return name if len(name) <= _NAME_LETTERS else "…" + name[1 - _NAME_LETTERS :]
