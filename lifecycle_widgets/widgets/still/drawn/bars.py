"""Bars as rectangles: stacked, side by side, or one over the other."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lifecycle_widgets.widgets.still.drawn.reading import Axis, Read, axes_of, each, listed

_WIDTH = 0.8  # of the room of one, where plotly is not told another


@dataclass(frozen=True)
class Bars:
    """The bars of one trace: where each stands, how wide it is, from where to where it reaches."""

    trace: Mapping[str, Any]
    is_lying: bool
    places: list[float] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    begins: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)


def bars_of(read: Read) -> list[Bars]:
    """All bars of a figure; their axes are told how far they reach."""
    mode = read.layout.get("barmode") or "group"
    traces = [trace for trace in read.traces if trace.get("type") == "bar"]
    stacks: defaultdict[tuple[str, str, float, bool], float] = defaultdict(float)
    beside = {pair: [t for t in traces if axes_of(t) == pair] for pair in map(axes_of, traces)}
    made = []
    for trace in traces:
        mine = beside[axes_of(trace)]
        which = (mine.index(trace), len(mine)) if mode == "group" else (0, 1)
        x, y = (read.axes[name] for name in axes_of(trace))
        bars = _placed(trace, x, y, which)
        if mode in ("stack", "relative"):
            _stack(bars, stacks, axes_of(trace))
        _reached(bars, x, y)
        made.append(bars)
    return made


def _placed(trace: Mapping[str, Any], x: Axis, y: Axis, which: tuple[int, int]) -> Bars:
    is_lying = trace.get("orientation") == "h"
    along, across = (x, y) if is_lying else (y, x)
    sizes = along.numbers(trace.get("x" if is_lying else "y"))
    places = across.numbers(trace.get("y" if is_lying else "x"))[: len(sizes)]
    number, count = which
    room = _WIDTH / count
    shift = (number - (count - 1) / 2) * room
    begins = [float(base) for base in each(trace.get("base"), len(places), 0.0)]
    return Bars(
        trace,
        is_lying,
        [place + shift for place in places],
        [float(width) for width in each(trace.get("width"), len(places), room)],
        begins,
        [begin + size for begin, size in zip(begins, sizes, strict=False)],
    )


def _stack(
    bars: Bars, stacks: defaultdict[tuple[str, str, float, bool], float], pair: tuple[str, str]
) -> None:
    for i, place in enumerate(bars.places):
        size = bars.ends[i] - bars.begins[i]
        if math.isfinite(size):
            key = (*pair, place, size < 0)
            bars.begins[i] = stacks[key]
            bars.ends[i] = stacks[key] = stacks[key] + size


def _reached(bars: Bars, x: Axis, y: Axis) -> None:
    along, across = (x, y) if bars.is_lying else (y, x)
    along.reach([*bars.begins, *bars.ends])
    along.has_bars = True
    errors = error_ends(bars.trace.get("error_x" if bars.is_lying else "error_y"), bars.ends)
    along.reach([end - low for end, (low, _) in zip(bars.ends, errors, strict=False)])
    along.reach([end + high for end, (_, high) in zip(bars.ends, errors, strict=False)])
    if across.kind != "category":
        halves = [width / 2 for width in bars.widths]
        across.reach([p - h for p, h in zip(bars.places, halves, strict=True)])
        across.reach([p + h for p, h in zip(bars.places, halves, strict=True)])


def error_ends(
    error: Mapping[str, Any] | None, values: Sequence[float]
) -> list[tuple[float, float]]:
    """How far each error bar goes below and above; NaN where there is none."""
    if not error or error.get("visible") is False:
        return []
    above = [_size(v) for v in listed(error.get("array"))]
    below = [_size(v) for v in listed(error.get("arrayminus"))]
    below = above if error.get("symmetric", not below) else below
    return [(low, high) for low, high, _ in zip(below, above, values, strict=False)]


def _size(value: Any) -> float:
    return math.nan if value is None else float(value)
