"""What a trace draws on its panel: lines, areas, bars, marks, texts and intervals."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from lifecycle_widgets.widgets.still.drawn.bars import Bars, error_ends
from lifecycle_widgets.widgets.still.drawn.ink import DASHES, POINT, color, letters, symbol, written
from lifecycle_widgets.widgets.still.drawn.reading import Axis, each, is_bold, listed, plain

_STEPS = {"hv": "steps-post", "vh": "steps-pre", "hvh": "steps-mid"}
_MARK_PX, _LINE_PX = 6.0, 2.0
_BESIDE_PX = 4.0  # between a mark and its text

Stacks = defaultdict[tuple[str, str], dict[float, float]]


def draw_scatter(
    axes: Axes, trace: Mapping[str, Any], x: Axis, y: Axis, order: float, stacks: Stacks
) -> None:
    """A trace of points: areas below lines below marks below texts."""
    xs, ys = x.numbers(trace.get("x")), y.numbers(trace.get("y"))
    ys = ys[: len(xs)] + [math.nan] * (len(xs) - len(ys))
    mode, line = _mode(trace, len(xs)), trace.get("line") or {}
    if trace.get("stackgroup"):
        ys = _stacked(axes, trace, xs, ys, order, stacks[y.name, trace["stackgroup"]])
    elif trace.get("fill") == "toself":
        _outlined(axes, trace, xs, ys, order)
    elif trace.get("fill") == "tozeroy":
        axes.fill_between(xs, ys, 0.0, facecolor=_fill(trace), linewidth=0, zorder=order)
    if "lines" in mode and line.get("width", _LINE_PX) > 0:
        axes.plot(
            xs, ys, color=line_color(trace), linewidth=line.get("width", _LINE_PX) * POINT,
            linestyle=DASHES.get(line.get("dash", "solid"), "-"), zorder=order + 0.1, marker="",
            drawstyle=_STEPS.get(line.get("shape", ""), "default"), label="_",
        )  # fmt: skip
    for error, at, flips in ((trace.get("error_x"), xs, True), (trace.get("error_y"), ys, False)):
        draw_errors(axes, error, at, ys if flips else xs, is_lying=flips, order=order + 0.2)
    if "markers" in mode:
        for look, places in looks(trace, xs, ys):
            px, py = zip(*places, strict=True)
            axes.plot(px, py, linestyle="", zorder=order + 0.3, label="_", **look)
    if "text" in mode:
        _texts(axes, trace, xs, ys, order)


def _mode(trace: Mapping[str, Any], count: int) -> str:
    return str(trace.get("mode") or ("lines+markers" if count < 20 else "lines"))


def line_color(trace: Mapping[str, Any]) -> Any:
    told = (trace.get("line") or {}).get("color") or (trace.get("marker") or {}).get("color")
    told = trace["color"] if isinstance(told, list) or not told else told
    return color(told, trace["color"], trace.get("opacity"))


def _fill(trace: Mapping[str, Any]) -> Any:
    own = trace.get("fillcolor")
    opacity = trace.get("opacity", 1.0) if own else 0.5
    return color(own or (trace.get("line") or {}).get("color"), trace["color"], opacity)


def _outlined(
    axes: Axes, trace: Mapping[str, Any], xs: Sequence[float], ys: Sequence[float], order: float
) -> None:
    """Areas, each by its outline; striped where plotly has a pattern."""
    points = list(zip(xs, ys, strict=True))
    pattern = trace.get("fillpattern") or {}
    stripes = pattern.get("shape")
    for is_gap, part in groupby(points, key=lambda p: math.isnan(p[0]) or math.isnan(p[1])):
        if is_gap:
            continue
        px, py = zip(*part, strict=True)
        if stripes:
            ink = color(pattern.get("fgcolor"), trace["color"])
            axes.fill(
                px, py, facecolor="none", edgecolor=ink, linewidth=0.5, hatch=str(stripes) * 5,
                zorder=order,
            )  # fmt: skip
        else:
            axes.fill(px, py, facecolor=_fill(trace), linewidth=0, zorder=order)


def _stacked(
    axes: Axes, trace: Mapping[str, Any], xs: Sequence[float], ys: Sequence[float], order: float,
    below: dict[float, float],
) -> list[float]:  # fmt: skip
    """An area on what was stacked before it; the line is its upper edge."""
    under = [below.get(x, 0.0) for x in xs]
    upper = [u + (0.0 if math.isnan(y) else y) for u, y in zip(under, ys, strict=True)]
    axes.fill_between(xs, under, upper, facecolor=_fill(trace), linewidth=0, zorder=order)
    below.update(zip(xs, upper, strict=True))
    return upper


# --- marks ---------------------------------------------------------------------------------------


def looks(
    trace: Mapping[str, Any], xs: Sequence[float], ys: Sequence[float]
) -> Iterator[tuple[dict[str, Any], list[tuple[float, float]]]]:
    """The marks of a trace: each look with its places."""
    count, marker = len(xs), trace.get("marker") or {}
    line = marker.get("line") or {}
    rows = zip(
        each(marker.get("symbol"), count, "circle"), each(marker.get("size"), count, _MARK_PX),
        each(marker.get("color"), count, trace["color"]), each(line.get("color"), count, ""),
        each(line.get("width"), count, 0.0), xs, ys, strict=True,
    )  # fmt: skip
    found: dict[tuple[Any, ...], list[tuple[float, float]]] = {}
    for *told, x, y in rows:
        if math.isfinite(x) and math.isfinite(y):
            found.setdefault(tuple(told), []).append((x, y))
    opacity = (marker.get("opacity") or 1.0) * trace.get("opacity", 1.0)
    clips = trace.get("cliponaxis", True)
    for look, places in found.items():
        yield {**_look(look, trace, opacity), "clip_on": clips}, places


def _look(told: tuple[Any, ...], trace: Mapping[str, Any], opacity: float) -> dict[str, Any]:
    which, size, ink, edge, width = told
    mark, is_open = symbol(which)
    own = color(ink, trace["color"], opacity)
    is_line = mark in "|_"
    round_it = color(edge or ink, trace["color"], opacity) if not is_open or edge else own
    width = max(float(width), 1.2) if is_line or is_open else float(width)
    return {
        "marker": mark,
        "markersize": float(size) * POINT * (0.85 if mark == "D" else 1.0),
        "markerfacecolor": "none" if is_open else own,
        "markeredgecolor": round_it if is_open or is_line or width else own,
        "markeredgewidth": width * POINT,
    }


def _texts(
    axes: Axes, trace: Mapping[str, Any], xs: Sequence[float], ys: Sequence[float], order: float
) -> None:
    font = trace.get("textfont") or {}
    ink = color(font.get("color") if isinstance(font.get("color"), str) else None)
    places = each(trace.get("textposition"), len(xs), "middle center")
    for text, where, x, y in zip(listed(trace.get("text")), places, xs, ys, strict=False):
        if not plain(text).strip() or not (math.isfinite(x) and math.isfinite(y)):
            continue
        up, _, side = str(where).partition(" ")
        axes.annotate(
            written(plain(text).strip()), (x, y), color=ink, zorder=order + 0.4,
            xytext=({"right": _BESIDE_PX, "left": -_BESIDE_PX}.get(side, 0.0) * POINT,
                    {"top": _BESIDE_PX, "bottom": -_BESIDE_PX}.get(up, 0.0) * POINT),
            textcoords="offset points", annotation_clip=False,
            ha={"right": "left", "left": "right"}.get(side, "center"),
            va={"top": "bottom", "bottom": "top"}.get(up, "center"),
            fontproperties=letters(is_bold=is_bold(text)),
        )  # fmt: skip


# --- bars ----------------------------------------------------------------------------------------


def draw_bars(axes: Axes, bars: Bars, order: float) -> None:
    """The bars of a trace with their intervals, and their texts where they have any."""
    trace, marker = bars.trace, bars.trace.get("marker") or {}
    colors = each(marker.get("color"), len(bars.places), trace["color"])
    rows = zip(bars.places, bars.widths, bars.begins, bars.ends, colors, strict=False)
    for place, width, begin, end, ink in rows:
        if math.isfinite(end - begin):
            corner, sizes = (begin, place - width / 2), (end - begin, width)
            if not bars.is_lying:
                corner, sizes = corner[::-1], sizes[::-1]
            axes.add_patch(Rectangle(corner, *sizes, zorder=order, **_filled(trace, ink)))
    error = trace.get("error_x" if bars.is_lying else "error_y")
    draw_errors(axes, error, bars.ends, bars.places, is_lying=bars.is_lying, order=order + 0.2)
    if trace.get("textposition") != "none" and trace.get("text") is not None:
        at = (bars.ends, bars.places) if bars.is_lying else (bars.places, bars.ends)
        beside = {**trace, "textposition": "middle right" if bars.is_lying else "top center"}
        _texts(axes, beside, *at, order)


def _filled(trace: Mapping[str, Any], ink: Any) -> dict[str, Any]:
    """The look of a bar: its ground and its edge."""
    marker = trace.get("marker") or {}
    line = marker.get("line") or {}
    opacity = trace.get("opacity", 1.0) * (marker.get("opacity") or 1.0)
    width = line.get("width") or 0.0
    edge = color(line.get("color") or ink, trace["color"], opacity) if width else "none"
    ground = color(ink, trace["color"], opacity)
    return {"facecolor": ground, "edgecolor": edge, "linewidth": float(width) * POINT}


def draw_errors(
    axes: Axes, error: Mapping[str, Any] | None, ends: Sequence[float], places: Sequence[float],
    *, is_lying: bool, order: float,
) -> None:  # fmt: skip
    """Intervals; along x where they are lying."""
    told = error_ends(error, ends)
    rows = [(e, p, *t) for e, p, t in zip(ends, places, told, strict=False)]
    rows = [row for row in rows if all(math.isfinite(v) and v >= 0 for v in row[2:])]
    rows = [row for row in rows if math.isfinite(row[0])]
    if not rows or error is None:
        return
    at, along = [row[0] for row in rows], [row[1] for row in rows]
    sizes = [[row[2] for row in rows], [row[3] for row in rows]]
    ink = color(error.get("color"))
    axes.errorbar(
        at if is_lying else along, along if is_lying else at,
        xerr=sizes if is_lying else None, yerr=None if is_lying else sizes, fmt="none", ecolor=ink,
        elinewidth=error.get("thickness", 1.5) * POINT, capsize=error.get("width", 4) * POINT,
        capthick=error.get("thickness", 1.5) * POINT, zorder=order, label="_",
    )  # fmt: skip


def handle(trace: Mapping[str, Any]) -> Patch | Line2D:
    """What stands for a trace in the legend."""
    if trace.get("type") == "bar":
        marker = trace.get("marker") or {}
        ink = next(each(marker.get("color"), 1, trace["color"]))
        return Patch(**_filled(trace, ink))
    if pattern := trace.get("fillpattern"):
        ink = color(pattern.get("fgcolor"), trace["color"])
        return Patch(facecolor="none", edgecolor=ink, linewidth=0.5, hatch="////")
    if trace.get("fill") in ("toself", "tozeroy", "tonexty") or trace.get("stackgroup"):
        return Patch(facecolor=_fill(trace), linewidth=0)
    mode, line = _mode(trace, len(listed(trace.get("x")))), trace.get("line") or {}
    look: dict[str, Any] = {"linestyle": "", "marker": ""}
    if "lines" in mode:
        look["linestyle"] = DASHES.get(line.get("dash", "solid"), "-")
        look |= {"color": line_color(trace), "linewidth": line.get("width", _LINE_PX) * POINT}
    if "markers" in mode:
        look |= next((mark for mark, _ in looks(trace, [0.0], [0.0])), {})
        look["markersize"] = min(look.get("markersize", 6.0), 9.0)
        look.pop("clip_on", None)
    return Line2D([], [], **look)
