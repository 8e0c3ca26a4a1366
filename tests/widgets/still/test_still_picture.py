"""png_of: each figure of ours as a picture that can be read, and that nothing can break."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from lifecycle_widgets.experiments.figures.style import CARD
from lifecycle_widgets.widgets.still.drawn.paper import WIDTH_PX, paper
from lifecycle_widgets.widgets.still.drawn.reading import plain, read
from lifecycle_widgets.widgets.still.picture import png_of
from tests.widgets.still.figures_of_ours import FIGURES

SEEN_PX, LEAST_PX = 550, 11  # how wide a narrow page shows it, and how high letters are at least


@pytest.fixture(scope="module", params=sorted(FIGURES))
def figure(request: pytest.FixtureRequest) -> go.Figure:
    return FIGURES[request.param]()


@pytest.fixture(scope="module")
def drawn(figure: go.Figure) -> Any:
    made = paper(read(figure))
    made.canvas.draw()
    return made


def texts(drawn: Any) -> Iterator[Any]:
    for axes in drawn.axes:
        yield from axes.texts
        if axes.axison:
            yield from (*axes.get_xticklabels(), *axes.get_yticklabels())
            yield from (axes.xaxis.label, axes.yaxis.label)
    yield from drawn.texts
    for legend in drawn.legends:
        yield from legend.get_texts()


def written(drawn: Any) -> list[Any]:
    return [text for text in texts(drawn) if text.get_text().strip() and text.get_visible()]


@pytest.mark.parametrize("name", ["loops", "chart"])  # the fullest
def test_it_is_small_and_stands_on_a_card(name: str) -> None:
    made = png_of(FIGURES[name]())
    assert len(made) < 40_000
    picture = Image.open(io.BytesIO(made)).convert("RGBA")
    assert picture.width == 900
    corner, *_ = picture.getpixel((0, 0))[3:]  # type: ignore[index]
    assert corner == 0, "round corners: what is around it is the page"
    ground = picture.getpixel((8, picture.height // 2))
    card = tuple(int(CARD[i : i + 2], 16) for i in (1, 3, 5))
    assert ground[3] == 255  # type: ignore[index]
    assert np.abs(np.subtract(ground[:3], card)).max() <= 6  # type: ignore[index]


def test_each_panel_holds_what_the_figure_has(figure: go.Figure, drawn: Any) -> None:
    panels = [axes for axes in drawn.axes if axes.axison]
    pairs = {(t.xaxis or "x", t.yaxis or "y") for t in figure.data if t.visible is not False}
    assert len(panels) == len(pairs)
    pixels = np.asarray(drawn.canvas.buffer_rgba())
    for axes in panels:
        box = axes.get_window_extent()
        rows = slice(int(pixels.shape[0] - box.y1), int(pixels.shape[0] - box.y0))
        inside = pixels[rows, int(box.x0) : int(box.x1), :3].reshape(-1, 3)
        dark = inside.max(axis=1) < 215  # neither the card nor a line of the grid
        assert dark.sum() > 20, "something is drawn"


def test_the_legend_names_what_plotlys_names(figure: go.Figure, drawn: Any) -> None:
    [legend] = drawn.legends
    names = [plain(t.name) for t in figure.data if t.showlegend is not False and t.name]
    assert sorted(t.get_text() for t in legend.get_texts()) == sorted(names)


def test_all_that_is_written_is_inside_apart_and_large_enough(drawn: Any) -> None:
    boxes = [(text, text.get_window_extent()) for text in written(drawn)]
    page = drawn.bbox
    for text, box in boxes:
        px = text.get_fontsize() * drawn.dpi / 72
        assert px * SEEN_PX / WIDTH_PX >= LEAST_PX, text.get_text()
        assert box.x0 >= 0, text.get_text()
        assert box.y0 >= 0, text.get_text()
        assert box.x1 <= page.x1, text.get_text()
        assert box.y1 <= page.y1, text.get_text()
    for (one, a), (other, b) in combinations(boxes, 2):
        across, down = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across < 2 or down < 3, (one.get_text(), other.get_text())


ODD: dict[str, Any] = {
    "nothing": {},
    "no data": {"data": [], "layout": {"title": {"text": "nothing yet"}}},
    "an unknown trace": {"data": [{"type": "sankey"}, {"x": [1, 2], "y": [1, 2]}]},
    "unknown values": {
        "data": [
            {"x": [1, None, 3], "y": ["a", float("nan"), None], "mode": "markers"},
            {"type": "bar", "x": [None], "y": ["a"], "orientation": "h", "error_x": {"array": []}},
            {"x": [1], "y": ["b"], "mode": "markers", "marker": {"size": "wide", "color": "no"}},
            {"x": [1, 2], "y": [2], "line": {"color": "nocolour", "dash": "5px,2px"}},
        ],
        "layout": {
            "shapes": [{"type": "path"}, {"type": "rect", "x0": "?", "x1": 2, "xref": "x9"}],
            "annotations": [{"text": "$x$ <b>here</b>", "x": "2026-13-45"}, {"text": None}, {}],
            "xaxis": {"tickvals": []},
        },
    },
    "what a notebook keeps": {
        "data": [{"x": {"dtype": "f8", "bdata": "AAAAAAAA8D8AAAAAAAAAQA=="}, "y": [1, 2]}]
    },
    "letters of everywhere": {"data": [{"x": [1], "y": [2], "name": "模型 🦙 $5 $6"}] * 2},
    "an empty logarithm": {"data": [{"x": [0], "y": [1]}], "layout": {"xaxis": {"type": "log"}}},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ODD))
@pytest.mark.filterwarnings("error")
def test_what_is_odd_is_left_out(name: str) -> None:
    assert png_of(ODD[name], 450).startswith(b"\x89PNG")


def test_packed_arrays_are_read() -> None:
    [trace] = read(ODD["what a notebook keeps"]).traces
    assert trace["x"] == [1.0, 2.0]


def test_many_threads_draw_at_once() -> None:
    made: list[bytes] = []
    simple = {"data": [{"x": [1, 2], "y": [3, 4]}]}
    threads = [threading.Thread(target=lambda: made.append(png_of(simple))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 4
    assert len(set(made)) == 1


def test_matplotlib_comes_with_the_first_picture() -> None:
    code = (
        "import sys; import lifecycle_widgets.widgets.still.picture as p; "
        "print('matplotlib' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
    png_of({})
    assert "matplotlib.pyplot" not in sys.modules, "it would choose a window system"
