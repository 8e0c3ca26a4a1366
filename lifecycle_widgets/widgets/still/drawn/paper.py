"""The paper: panels with their axes, the title and the legend above, all within a light card."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import FancyBboxPatch
from matplotlib.transforms import Bbox

from lifecycle_widgets.experiments.figures.style import CARD
from lifecycle_widgets.widgets.still.drawn.bars import bars_of, error_ends
from lifecycle_widgets.widgets.still.drawn.ink import DPI, POINT, color, letters, written
from lifecycle_widgets.widgets.still.drawn.marks import Stacks, draw_bars, draw_scatter, handle
from lifecycle_widgets.widgets.still.drawn.notes import UNKNOWN, Panels, draw_notes, draw_shapes
from lifecycle_widgets.widgets.still.drawn.reading import LOG, Axis, Read, axes_of, words
from lifecycle_widgets.widgets.still.drawn.scales import limits, ticks

WIDTH_PX = 560  # of the card, in pixels of a page: a notebook in a narrow window
_PAD_PX, _CORNER_PX, _GAP_PX = 14.0, 8.0, 6.0
_TITLE_PX = 13.5
_EDGE = "#d9dce1"
_GRID = "#dcdfe4"
_LEAST_PX, _USUAL_PX = 120.0, 340.0  # heights, of the panels and of a figure that tells none
_PER_TICK_PX = {"x": 58.0, "y": 34.0}
_TICK_PAD_PX = {"x": 8.0, "y": 4.0}  # the lowest number at y stands on the lower edge, too
_ROUNDS = 3  # of making room for what stands around the panels


def paper(read: Read) -> Figure:
    """Draw a figure."""
    told = read.layout.get("height")
    height = float(told) if told else _USUAL_PX
    figure = Figure(figsize=(WIDTH_PX / DPI, height / DPI), dpi=DPI)
    figure.set_layout_engine("none")  # whatever its user has chosen for figures of their own
    FigureCanvasAgg(figure)
    figure.patch.set_alpha(0.0)
    below, above = (figure.add_axes((0.2, 0.2, 0.7, 0.6), zorder=z) for z in (0, 2))
    below.set_axis_off()
    above.set_axis_off()
    for trace in read.traces:
        if trace.get("type") != "bar":
            _reach(read, trace)
    bars = bars_of(read)
    pairs = read.pairs()
    drawn = {(x.name, y.name): _panel(figure, x, y) for x, y in pairs}
    stacks: Stacks = defaultdict(dict)
    for order, trace in enumerate(read.traces, start=2):
        x, y = (read.axes[name] for name in axes_of(trace))
        axes = drawn[x.name, y.name]
        with suppress(*UNKNOWN):  # a picture without it is better than none
            if trace.get("type") == "bar":
                draw_bars(axes, next(b for b in bars if b.trace is trace), order)
            else:
                draw_scatter(axes, trace, x, y, order, stacks)
    for x, y in pairs:
        _limit(read, drawn[x.name, y.name], x, y)
    panels = Panels(read, figure, below, above, drawn)
    draw_shapes(panels)
    draw_notes(panels)
    top = _head(figure, read)
    _fit(figure, read, panels, pairs, top)
    return figure


def _reach(read: Read, trace: dict[str, object]) -> None:
    """The axes are to show the intervals of a trace of points, too."""
    x, y = (read.axes[name] for name in axes_of(trace))
    for axis, error in ((x, trace.get("error_x")), (y, trace.get("error_y"))):
        values = axis.numbers(trace.get(axis.name[0]))
        ends = error_ends(error if isinstance(error, dict) else None, values)
        axis.reach([value - low for value, (low, _) in zip(values, ends, strict=False)])
        axis.reach([value + high for value, (_, high) in zip(values, ends, strict=False)])


# --- panels --------------------------------------------------------------------------------------


def _panel(figure: Figure, x: Axis, y: Axis) -> Axes:
    axes = figure.add_axes((0, 0, 1, 1), zorder=1, label=f"{x.name} {y.name}", facecolor="none")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xscale("log" if x.kind == LOG else "linear")
    axes.set_yscale("log" if y.kind == LOG else "linear")
    axes.set_axisbelow(True)
    return axes


def _limit(read: Read, axes: Axes, x: Axis, y: Axis) -> None:
    axes.set_xlim(*limits(read, x))
    axes.set_ylim(*limits(read, y))


def _axis_texts(axes: Axes, x: Axis, y: Axis, width_px: float, height_px: float) -> None:
    """Ticks, and what stands at them: as many as there is room for."""
    for axis, other, ends, size_px in (
        (x, y, axes.get_xlim(), width_px),
        (y, x, axes.get_ylim(), height_px),
    ):
        mine = axes.xaxis if axis is x else axes.yaxis
        found = ticks(axis, ends, max(2, int(size_px / _PER_TICK_PX[axis.name[0]])))
        look = axis.look
        named = look.get("showticklabels", True) and axis.anchor in (other.name, "free")
        mine.set_ticks([value for value, _ in found], minor=False)
        mine.set_ticklabels(
            [written(text) if named else "" for _, text in found],
            fontproperties=letters(), color=color(None), linespacing=1.1,
        )  # fmt: skip
        mine.set_ticks([], minor=True)
        mine.set_tick_params(length=0, pad=_TICK_PAD_PX[axis.name[0]] * POINT)
        if look.get("showgrid", True):
            mine.grid(True, color=_GRID, linewidth=0.8, linestyle="-", alpha=1.0)
        else:
            mine.grid(False)
        title = words(look.get("title"))
        if title and axis.anchor in (other.name, "free"):
            mine.set_label_text(written(title), fontproperties=letters(), color=color(None))
            mine.labelpad = 4 * POINT


# --- around them ---------------------------------------------------------------------------------


def _head(figure: Figure, read: Read) -> float:
    """The title and the legend from the top down; returns how many pixels they take."""
    top = _PAD_PX
    height = figure.bbox.height
    title = words(read.layout.get("title"))
    if title:
        lines = textwrap.wrap(title, width=int((WIDTH_PX - 2 * _PAD_PX) / (0.60 * _TITLE_PX)))
        said = figure.text(
            _PAD_PX / WIDTH_PX, 1 - top / height, written("\n".join(lines)), va="top", ha="left",
            fontproperties=letters(_TITLE_PX, is_bold=True), color=color(None), linespacing=1.15,
        )  # fmt: skip
        top += said.get_window_extent().height + _GAP_PX
    named = read.legend()
    if named:
        legend = _legend(figure, [written(words(t.get("name"))) for t in named],
                         [handle(t) for t in named], top)  # fmt: skip
        top += legend.get_window_extent().height + _GAP_PX
    return top + _GAP_PX


def _legend(figure: Figure, names: list[str], handles: list[object], top: float) -> Legend:
    """As many columns as there is room for."""
    room = WIDTH_PX - 2 * _PAD_PX
    for columns in range(len(names), 0, -1):
        legend = figure.legend(
            handles=handles, labels=names, ncols=columns, loc="upper left", frameon=False,
            bbox_to_anchor=(_PAD_PX / WIDTH_PX, 1 - top / figure.bbox.height), borderaxespad=0,
            borderpad=0, handlelength=1.5, handletextpad=0.5, columnspacing=1.4, labelspacing=0.35,
            prop=letters(), labelcolor=color(None), scatterpoints=1, numpoints=1,
        )  # fmt: skip
        if columns == 1 or legend.get_window_extent().width <= room:
            return legend
        legend.remove()
    raise AssertionError("a legend has one column at least")


def _fit(
    figure: Figure, read: Read, panels: Panels, pairs: list[tuple[Axis, Axis]], top: float
) -> None:
    """Make the paper as high as it has to be, and place the panels so that nothing is cut off."""
    told = read.layout.get("margin") or {}
    before = figure.bbox.height
    inner = max(before - float(told.get("t", 80)) - float(told.get("b", 50)), _LEAST_PX)
    left, right, bottom, above = 60.0, 10.0, 40.0, 0.0
    for _ in range(_ROUNDS):
        height = top + above + inner + bottom + _PAD_PX
        _resize(figure, height)
        width = WIDTH_PX - 2 * _PAD_PX - left - right
        box = Bbox.from_bounds(_PAD_PX + left, _PAD_PX + bottom, max(width, 50.0), inner)
        _place(panels, pairs, box, height)
        found = list(_extents(figure, panels))
        around = Bbox.union(found) if found else box
        left += max(_PAD_PX - around.x0, -left)
        right += max(around.x1 - (WIDTH_PX - _PAD_PX), -right)
        bottom += max(_PAD_PX - around.y0, -bottom)
        above += max(around.y1 - (height - top), -above)
    height = top + above + inner + bottom + _PAD_PX
    _resize(figure, height)
    width = max(WIDTH_PX - 2 * _PAD_PX - left - right, 50.0)
    _place(panels, pairs, Bbox.from_bounds(_PAD_PX + left, _PAD_PX + bottom, width, inner), height)
    _card(figure)


def _resize(figure: Figure, height: float) -> None:
    """Another height; what hangs from the top keeps its distance to it."""
    before = figure.bbox.height
    down = [before - legend.get_bbox_to_anchor().y0 for legend in figure.legends]
    figure.set_size_inches(WIDTH_PX / DPI, height / DPI)
    for text in figure.texts:
        text.set_y(1 - (1 - text.get_position()[1]) * before / height)
    for legend, px in zip(figure.legends, down, strict=True):
        legend.set_bbox_to_anchor((_PAD_PX / WIDTH_PX, 1 - px / height), figure.transFigure)


def _place(panels: Panels, pairs: list[tuple[Axis, Axis]], box: Bbox, height: float) -> None:
    def part(x: tuple[float, float], y: tuple[float, float]) -> tuple[float, float, float, float]:
        return (
            (box.x0 + x[0] * box.width) / WIDTH_PX,
            (box.y0 + y[0] * box.height) / height,
            (x[1] - x[0]) * box.width / WIDTH_PX,
            (y[1] - y[0]) * box.height / height,
        )

    for axes in (panels.below, panels.above):
        axes.set_position(part((0, 1), (0, 1)))
    for x, y in pairs:
        axes = panels.drawn[x.name, y.name]
        axes.set_position(part(x.domain, y.domain))
        width = (x.domain[1] - x.domain[0]) * box.width
        _axis_texts(axes, x, y, width, (y.domain[1] - y.domain[0]) * box.height)


def _extents(figure: Figure, panels: Panels) -> Iterator[Bbox]:
    """What the panels take with all that stands on them and around them."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    for axes in panels.drawn.values():
        found = axes.get_tightbbox(renderer)
        if found is not None and np.isfinite(found.extents).all():
            yield found
    for text in panels.above.texts:
        box = text.get_window_extent(renderer)
        if np.isfinite(box.extents).all():
            yield box


def _card(figure: Figure) -> None:
    """The ground, in inches: it grows with the dots."""
    width, height = figure.get_size_inches()
    corner, edge = _CORNER_PX / DPI, 0.5 / DPI
    card = FancyBboxPatch(
        (edge + corner, edge + corner), width - 2 * (edge + corner), height - 2 * (edge + corner),
        boxstyle=f"round,pad={corner}", transform=figure.dpi_scale_trans,
        facecolor=CARD, edgecolor=_EDGE, linewidth=POINT, zorder=-10,
    )  # fmt: skip
    figure.add_artist(card)
