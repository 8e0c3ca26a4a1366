"""Shapes and annotations: what stands on a picture beside its traces."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.transforms import Transform, blended_transform_factory, offset_copy

from lifecycle_widgets.widgets.still.drawn.ink import (
    DASHES,
    DPI,
    LETTER_PX,
    POINT,
    color,
    letters,
    written,
)
from lifecycle_widgets.widgets.still.drawn.reading import LOG, Read, is_bold, listed, plain

UNKNOWN = (ValueError, TypeError, KeyError, IndexError, AttributeError)
"""What a feature of plotly's that is not known here ends in: it is left out."""

_TEXT = 9.0  # on all lines and boxes
_SIDES = {"left": "left", "right": "right", "center": "center", "auto": "center"}
_HEIGHTS = {"top": "top", "bottom": "bottom", "middle": "center", "auto": "center"}


@dataclass(frozen=True)
class Panels:
    """The drawn panels by their two axes, and the paper below and above them."""

    read: Read
    figure: Figure
    below: Axes
    above: Axes
    drawn: Mapping[tuple[str, str], Axes]

    def panel(self, name: str) -> Axes | None:
        """The first panel with that axis."""
        return next((axes for pair, axes in self.drawn.items() if name in pair), None)

    def ways(self, ref: str, which: str) -> Transform | None:
        """How a place along x or y becomes a place on the picture; None where no panel has it."""
        if ref == "paper":
            return self.below.transAxes
        axes = self.panel(ref.removesuffix(" domain"))
        if axes is None:
            return None
        return axes.transAxes if ref.endswith("domain") else axes.transData

    def transform(self, thing: Mapping[str, Any]) -> Transform | None:
        x = self.ways(thing.get("xref") or "x", "x")
        y = self.ways(thing.get("yref") or "y", "y")
        return None if x is None or y is None else blended_transform_factory(x, y)

    def place(self, value: Any, ref: str, *, is_note: bool = False) -> float:
        """A place as a number; on a logarithm, notes are placed by its power (as plotly has it)."""
        if ref == "paper" or ref.endswith("domain"):
            return float(value)
        axis = self.read.axes[ref]
        if is_note and axis.kind == LOG:
            return float(10.0 ** float(value))
        return axis.number(value)

    def within(self, value: float, ref: str, which: str) -> float:
        """Cut at the end of its axis: a shape on the paper is not clipped by a panel."""
        axes = None if ref == "paper" or ref.endswith("domain") else self.panel(ref)
        if axes is None:
            return value
        low, high = sorted(axes.get_xlim() if which == "x" else axes.get_ylim())
        return min(max(value, low), high)


def draw_shapes(panels: Panels) -> None:
    """Rectangles and lines."""
    for shape in listed(list(panels.read.layout.get("shapes") or ())):
        with suppress(*UNKNOWN):
            _draw_shape(panels, shape)


def _draw_shape(panels: Panels, shape: Mapping[str, Any]) -> None:
    way = panels.transform(shape)
    if way is None or shape.get("type") not in ("rect", "line"):
        return
    paper = panels.below if shape.get("layer") == "below" else panels.above
    refs = {"x": shape.get("xref") or "x", "y": shape.get("yref") or "y"}
    x0, y0, x1, y1 = (
        panels.within(panels.place(shape[end], refs[end[0]]), refs[end[0]], end[0])
        for end in ("x0", "y0", "x1", "y1")
    )
    line, opacity = shape.get("line") or {}, shape.get("opacity", 1.0)
    if shape["type"] == "line":
        made = Line2D(
            [x0, x1], [y0, y1], color=color(line.get("color"), opacity=opacity),
            linewidth=line.get("width", 2) * POINT, transform=way,
            linestyle=DASHES.get(line.get("dash", "solid"), "-"),
        )  # fmt: skip
        paper.add_line(made)
        return
    width = line.get("width", 2) * POINT
    box = Rectangle(
        (x0, y0), x1 - x0, y1 - y0, transform=way, linewidth=width,
        facecolor=color(shape.get("fillcolor") or "rgba(0,0,0,0)", opacity=opacity),
        edgecolor=color(line.get("color"), opacity=opacity) if width else "none",
    )  # fmt: skip
    paper.add_patch(box)


def draw_notes(panels: Panels) -> None:
    """Annotations; their arrows are left out."""
    for note in listed(list(panels.read.layout.get("annotations") or ())):
        with suppress(*UNKNOWN):
            _draw_note(panels, note)


def _draw_note(panels: Panels, note: Mapping[str, Any]) -> None:
    way = panels.transform(note)
    if way is None or note.get("visible") is False:
        return
    font, text = note.get("font") or {}, note.get("text")
    refs = (note.get("xref") or "x", note.get("yref") or "y")
    x = panels.place(note.get("x", 0.5), refs[0], is_note=True)
    y = panels.place(note.get("y", 0.5), refs[1], is_note=True)
    shift = (note.get("xshift") or 0) / DPI, (note.get("yshift") or 0) / DPI
    panels.above.text(
        x, y, written(plain(text)), color=color(font.get("color")), zorder=_TEXT,
        transform=offset_copy(way, panels.figure, *shift), clip_on=False,
        rotation=-float(note.get("textangle") or 0), rotation_mode="default",
        ha=_SIDES[note.get("xanchor") or "auto"], va=_HEIGHTS[note.get("yanchor") or "auto"],
        multialignment=note.get("align") or "center", linespacing=1.1,
        fontproperties=letters(LETTER_PX, is_bold=is_bold(text)), bbox=_ground(note),
    )  # fmt: skip


def _ground(note: Mapping[str, Any]) -> dict[str, Any] | None:
    if not note.get("bgcolor"):
        return None
    return {"facecolor": color(note["bgcolor"]), "linewidth": 0, "pad": 1.5}
