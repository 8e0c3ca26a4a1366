"""The rows of the chart: where each one is, its axis with readable numbers, and its title."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lifecycle_widgets.monitor import Sample
from lifecycle_widgets.widgets.chart.bands import FONT_SIZE, TEXT_COLOR
from lifecycle_widgets.widgets.chart.scene import Scene
from lifecycle_widgets.widgets.chart.words import NO_NAME
from lifecycle_widgets.widgets.formats import escaped

MARGIN = {"l": 158, "r": 12, "t": 6, "b": 24}  # pixels, as all heights here
GRID = "rgba(128, 128, 128, 0.25)"

_GAP = 15
_LANE, _NARROW_LANE = 29, 23  # a band, and the requests below it
_WIDE_LANES = 6  # more of them are narrower
_HEIGHT, _HEIGHT_WITH_GPU = 340, 440
_DISK = 30
_READS_BYTES_PER_S = 1e6  # disks that read less have no row
_LEAST_MEMORY, _LEAST_FOR_MANY = 69, 110  # the memory row's; many lanes make the chart higher
_NAME_LETTERS = 24  # of a model's name, that fit the margin
_STEPS_GB = [round(s * 10.0**power, 3) for power in range(-1, 6) for s in (1, 2, 5)]

Values = dict[str, list[float]]  # of `series.columns`


@dataclass(frozen=True)
class Row:
    """A strip of the chart. ``floor`` and ``top`` are its bounds, 0 to 1 from below."""

    axis: str
    height: int
    floor: float = 0.0
    top: float = 1.0


def chart_height(rows: dict[str, Row]) -> int:
    """The height of the whole chart."""
    return _inner_height(rows) + MARGIN["t"] + MARGIN["b"]


def _inner_height(rows: dict[str, Row]) -> int:
    return sum(row.height for row in rows.values()) + _GAP * (len(rows) - 1)


def lane_height(lanes: int) -> int:
    """The height of one lane, when there are so many."""
    return _LANE if lanes <= _WIDE_LANES else _NARROW_LANE


def chart_rows(scene: Scene, values: Values) -> dict[str, Row]:
    """Lanes on top, then the models' memory, which takes what the others leave.

    A GPU has rows for what it tells.
    """
    lanes = len(lane_names(scene))
    rows = {"lanes": Row("y", lanes * lane_height(lanes)), "memory": Row("y2", 0)}
    rows |= {"ram": Row("y3", 58), "cpu": Row("y4", 50)}
    if any(key.startswith("gpu:") for key in values):
        rows["gpu"] = Row("y5", 50)
    if any(key.startswith("vram:") for key in values):
        rows["vram"] = Row("y6", 58)
    usual = _HEIGHT if len(rows) == 4 else _HEIGHT_WITH_GPU
    if largest(values.get("disk", [])) >= _READS_BYTES_PER_S:  # in view
        rows["disk"] = Row("y7", _DISK)
    least = _LEAST_MEMORY if lanes <= _WIDE_LANES else _LEAST_FOR_MANY
    rows["memory"] = Row("y2", max(usual - chart_height(rows), least))
    total, above = _inner_height(rows), 0
    for name, row in rows.items():
        floor, top = 1 - (above + row.height) / total, 1 - above / total
        rows[name] = replace(row, floor=max(round(floor, 4), 0.0), top=round(top, 4))
        above += row.height + _GAP
    return rows


def lane_names(scene: Scene) -> list[str]:
    """What stands at the lanes: the models, and how many have none. At least one."""
    names = [_short(model) or NO_NAME for model in scene.lanes]
    if scene.not_shown:
        names.append(f"and {scene.not_shown} more, not shown")
    return names or [""]


def largest(values: Sequence[float]) -> float:
    """The largest that is known; 0 where none is."""
    return max((value for value in values if not math.isnan(value)), default=0.0)


def total_memory(values: Values) -> float:
    """The most bytes that all models together held at one time."""
    stacks = [ys for key, ys in values.items() if key.startswith("memory:")]
    if not stacks or not stacks[0]:
        return 0.0
    return float(np.nansum(np.array(stacks, dtype=float), axis=0).max())


def memory_unit(values: Values) -> tuple[float, str]:
    """The unit of the memory row: its size in bytes, and its name."""
    return (1e9, "GB") if total_memory(values) >= 1e9 else (1e6, "MB")


# --- axes ----------------------------------------------------------------------------------------


def row_axes(
    scene: Scene, values: Values, rows: dict[str, Row]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row's y axis, by its name in the layout."""
    for name, row in rows.items():
        common = {
            "domain": [row.floor, row.top],
            "anchor": "x",
            "fixedrange": True,
            "zeroline": False,
            "gridcolor": GRID,
            "tickmode": "array",
        }
        yield "yaxis" + row.axis[1:], {**common, **_scale(name, scene, values)}


def _scale(name: str, scene: Scene, values: Values) -> dict[str, Any]:
    if name == "lanes":
        names = [escaped(name) for name in lane_names(scene)]
        places = {"range": [len(names) - 0.5, -0.5], "tickvals": list(range(len(names)))}
        return {**places, "ticktext": names, "showgrid": False}
    if name == "memory":
        unit_bytes, unit = memory_unit(values)
        return _from_zero(_round_up(total_memory(values) / unit_bytes * 1.12), unit)
    if name == "ram":
        return _around([y / 1e9 for y in values["ram"]])
    if name == "disk":
        return _from_zero(_round_up(largest(values["disk"]) / 1e6), "MB/s", only_top=True)
    if name == "vram":
        cards = [gpu for sample in scene.seen for gpu in sample.gpus]
        sizes = [size for gpu in cards for size in (gpu.memory_total_bytes, gpu.memory_used_bytes)]
        total = max((size for size in sizes if size is not None), default=0)
        return _from_zero(_round_up(total / 1e9), "GB", margin=0.04)
    return _from_zero(100, "%", margin=0.04)


def _from_zero(
    top: float, unit: str, *, margin: float = 0.0, only_top: bool = False
) -> dict[str, Any]:
    """0, the half and the top; ``margin`` (of it) lets a line at the very edge be seen whole."""
    ticks = [0, top] if only_top else [0, top / 2, top]
    texts = [f"{tick:g} {unit}" for tick in ticks]
    return {"range": [-margin * top, top * (1 + margin)], "tickvals": ticks, "ticktext": texts}


def _around(gigabytes: list[float]) -> dict[str, Any]:
    """Round GB just below and above the values: RAM has its own readable scale, not from 0."""
    known = [gigabyte for gigabyte in gigabytes if not math.isnan(gigabyte)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    step = next(s for s in _STEPS_GB if math.ceil(high / s) - math.floor(low / s) <= 3)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = [round(n * step, 6) for n in range(first, max(last, first + 1) + 1)]
    texts = [f"{tick:g} GB" for tick in ticks]
    return {"range": [ticks[0], ticks[-1]], "tickvals": ticks, "ticktext": texts}


def _round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten; 100 for nothing."""
    if value <= 0:
        return 100.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((s * power for s in (1, 1.5, 2, 3, 4, 5, 6, 8) if s * power >= value), 10 * power)


def _short(name: str) -> str:
    """A long model name without its beginning, which is the part that says least."""
    return name if len(name) <= _NAME_LETTERS else "…" + name[1 - _NAME_LETTERS :]


# --- titles --------------------------------------------------------------------------------------


def row_titles(scene: Scene, rows: dict[str, Row]) -> list[dict[str, Any]]:
    """What each row shows, at the left edge, beside its numbers."""
    here = "<br>this machine" if scene.is_elsewhere else ""
    texts = {
        "memory": memory_title(scene.seen),
        "ram": _ram_title(scene),
        "cpu": f"CPU{here}",
        "gpu": f"GPU{here}",
        "vram": f"VRAM used{here}",
        "disk": "disks read",
    }
    style = {"showarrow": False, "font": {"size": FONT_SIZE, "color": TEXT_COLOR}}
    left = {"xref": "paper", "x": 0, "xanchor": "left", "xshift": 4 - MARGIN["l"], "align": "left"}
    middle = {"yref": "paper", "yanchor": "middle"}
    return [
        {"text": texts[name], **left, **middle, "y": (row.floor + row.top) / 2, **style}
        for name, row in rows.items()
        if name in texts
    ]


def memory_title(samples: Sequence[Sample]) -> str:
    """What the memory row shows: what was seen of the runners, or what Ollama tells instead."""
    samples = [s for s in samples if s.runners is not None or s.residents is not None] or samples
    if not samples or all(sample.runners is not None for sample in samples):
        return "runner memory"
    if any(sample.runners is not None for sample in samples):
        return "runner memory,<br>in part as<br>Ollama tells"
    residents = samples[-1].residents
    if residents is None:
        return "model memory<br>not told"
    if residents and all(resident.size_bytes is None for resident in residents):
        return "model memory<br>size not told"
    return "model memory<br>as Ollama tells"


def _ram_title(scene: Scene) -> str:
    if scene.latest is None:
        return "RAM used"
    total_bytes = scene.latest.ram_total_bytes
    total = "" if total_bytes is None else f"<br>of {total_bytes / 1e9:.0f} GB"
    is_container = scene.latest.ram_of != "this machine"
    here = f"<br>{scene.latest.ram_of}" if scene.is_elsewhere or is_container else ""
    return f"RAM used{total}{here}"
