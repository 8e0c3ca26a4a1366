"""The figures can be read in every theme, and their legends name every mark that is used."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
import pytest

from lifecycle_widgets.experiments.figures.style import CARD, COLORS, END, MARK, faint
from lifecycle_widgets.model_colors import COLORS as OF_MODELS
from lifecycle_widgets.widgets.chart.bands import BAR_OPACITY, ink_on
from tests.chromium import chromium
from tests.widgets.still.figures_of_ours import FIGURES

Color = tuple[float, float, float]
TEXT, THING = 4.5, 3.0  # the least contrast of letters, and of what else has to be seen (WCAG AA)
LEAST_PX = 11
FINE = 2.0  # of a thin line on a pale ground, whose ends are seen beside it
THEMES = ("#ffffff", "#111111")  # what is behind the outputs of JupyterLab, light and dark
JS = Path(plotly.__file__).parent / "package_data/plotly.min.js"


@pytest.fixture(scope="module", params=sorted(FIGURES))
def figure(request: pytest.FixtureRequest) -> go.Figure:
    return FIGURES[request.param]()


def parsed(told: str) -> tuple[Color, float]:
    if told.startswith("#"):
        return tuple(int(told[i : i + 2], 16) / 255 for i in (1, 3, 5)), 1.0  # type: ignore[return-value]
    red, green, blue, *alpha = (float(n) for n in re.findall(r"[\d.]+", told))
    return (red / 255, green / 255, blue / 255), alpha[0] if alpha else 1.0


def over(told: str, ground: Color, opacity: float = 1.0) -> Color:
    color, alpha = parsed(told)
    alpha *= opacity
    return tuple(alpha * c + (1 - alpha) * g for c, g in zip(color, ground, strict=True))  # type: ignore[return-value]


def luminance(color: Color) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one: Color, other: Color) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# --- contrast ------------------------------------------------------------------------------------


def letters(layout: Any) -> Iterator[str]:
    """The colours of all that is written beside the panels."""
    yield layout["font"]["color"]
    for name, part in layout.items():
        if name.startswith(("xaxis", "yaxis")) or name in ("title", "legend"):
            fonts = (part.get("font"), part.get("tickfont"), (part.get("title") or {}).get("font"))
            yield from (font["color"] for font in fonts if font and "color" in font)


def grounds(note: Any, layout: Any, card: Color) -> Iterator[Color]:
    """What a note stands on: the card, and what is drawn where it is (any, where that moves)."""
    color = (note.get("font") or {}).get("color", "")
    own = [s for s in layout.get("shapes", ()) if s.get("opacity") == BAR_OPACITY]
    if color in ("#000000", "#ffffff"):  # on a bar
        yield from (over(s["fillcolor"], card) for s in own if ink_on(s["fillcolor"]) == color)
        return
    yield card
    for shape in layout.get("shapes", ()):
        if shape["type"] == "rect" and shape.get("opacity", 1) < BAR_OPACITY:
            yield over(shape["fillcolor"], card, shape["opacity"])


def test_what_is_written_reads_on_its_own_ground(figure: go.Figure) -> None:
    layout = figure.to_dict()["layout"]
    card, alpha = parsed(layout["paper_bgcolor"])
    assert alpha == 1, "no theme is seen through it"
    for color in letters(layout):
        assert contrast(over(color, card), card) >= TEXT
    usual = layout["font"]["color"]
    for note in layout.get("annotations", ()):
        ink = (note.get("font") or {}).get("color", usual)
        assert min(contrast(over(ink, g), g) for g in grounds(note, layout, card)) >= TEXT, note


def test_nothing_is_written_on_a_bar_of_a_trace(figure: go.Figure) -> None:
    """There it would have the theme's colour in our widgets, and the bar's own ground."""
    for trace in figure.data:
        if trace.type == "bar" and trace.text is not None:
            assert trace.textposition in ("none", "outside")


def test_what_is_written_on_a_bar_of_a_model_reads_whatever_its_colour() -> None:
    for color in OF_MODELS:
        assert contrast(parsed(ink_on(color))[0], parsed(color)[0]) >= TEXT


def test_lines_and_marks_are_seen_in_every_theme() -> None:
    for ground in (*THEMES, CARD):
        for color in (*COLORS, MARK, END):
            assert contrast(parsed(color)[0], parsed(ground)[0]) >= THING, (color, ground)


def test_an_interval_is_seen_on_its_bar() -> None:
    for ground in (*THEMES, CARD):
        for color in COLORS:
            bar = over(faint(color)["color"], parsed(ground)[0])
            assert contrast(parsed(END)[0], bar) >= FINE, (color, ground)


# --- legends -------------------------------------------------------------------------------------


def looks(trace: Any) -> Iterator[tuple[str, str]]:
    """What of a trace is to be told apart: its marks, its dashes, its intervals."""
    if trace.type == "bar":
        yield "bar", ""
        yield from intervals(trace.error_x, trace.error_y)
        return
    mode = trace.mode or ""
    symbol = trace.marker.symbol if "markers" in mode else None
    many = symbol if isinstance(symbol, (tuple, list)) or hasattr(symbol, "tolist") else [symbol]
    yield from (("mark", str(one)) for one in set(many) if one is not None)
    if "lines" in mode and (trace.line.width is None or trace.line.width):
        yield "line", trace.line.dash or "solid"
    if trace.fillpattern.shape:
        yield "striped", ""
    yield from intervals(trace.error_x, trace.error_y)


def intervals(*errors: Any) -> Iterator[tuple[str, str]]:
    for error in errors:
        told = [] if error.array is None else list(error.array)
        if any(one is not None and not math.isnan(one) for one in told):
            yield "interval", ""


def is_drawn(trace: Any) -> bool:
    return trace.x is not None and any(x is not None for x in trace.x)


def test_the_legend_names_every_mark(figure: go.Figure) -> None:
    named = {look for t in figure.data if t.showlegend is not False and t.name for look in looks(t)}
    used = {look for trace in figure.data if is_drawn(trace) for look in looks(trace)}
    if ("mark", "line-ew") in named or ("mark", "line-ns") in named:
        named.add(("interval", ""))
    if ("mark", "square") in named:  # the key to bars of several colours
        named.add(("bar", ""))
    rows = {"solid"}  # of the chart: each row has a title, and one line
    assert {look for look in used if look != ("line", *rows)} <= named


# --- on a page -----------------------------------------------------------------------------------

FAULTS = """() => {
  const found = [], texts = [];
  const page = document.querySelector('#figure').getBoundingClientRect();
  for (const text of document.querySelectorAll('#figure text')) {
    const box = text.getBoundingClientRect();
    if (!text.textContent.trim() || box.width < 1) continue;
    const said = text.textContent;
    if (parseFloat(getComputedStyle(text).fontSize) < LEAST) found.push(['small', said]);
    if (box.left < page.left - 1 || box.right > page.right + 1 || box.top < page.top - 1 ||
        box.bottom > page.bottom + 1) found.push(['cut off', said]);
    for (const [other, its] of texts) {
      const across = Math.min(box.right, its.right) - Math.max(box.left, its.left);
      const down = Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top);
      if (across > 1 && down > 3) found.push(['one on the other', said, other]);
    }
    texts.push([said, box]);
  }
  return found;
}""".replace("LEAST", str(LEAST_PX))
DRAW = """async ([figure, width]) => {
  const place = document.querySelector('#figure');
  place.style.width = `${width}px`;
  Plotly.purge(place);
  await Plotly.newPlot(place, figure.data, {...figure.layout, width}, {displayModeBar: false});
}"""


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1")
def test_nothing_overlaps_on_a_narrow_and_on_a_wide_page() -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_content('<body style="margin: 0"><div id="figure"></div></body>')
        page.add_script_tag(path=str(JS))
        for name, make in FIGURES.items():
            made = json.loads(make().to_json())
            for width in (550, 1400):
                page.evaluate(DRAW, [made, width])
                assert page.evaluate(FAULTS) == [], (name, width)
