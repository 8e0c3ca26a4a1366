"""Ink: colours, letters and line styles of plotly's, as matplotlib has them."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties, get_font

from lifecycle_widgets.experiments.figures.style import LETTERS

POINT = 0.72  # of a pixel at 100 dots per inch: matplotlib counts in points
DPI = 100
LETTER_PX = 12.0

DASHES: dict[str, Any] = {
    "solid": "-", "dot": (0, (1.2, 2)), "dash": (0, (5, 3)), "longdash": (0, (8, 3)),
    "dashdot": (0, (5, 3, 1.2, 3)), "longdashdot": (0, (8, 3, 1.2, 3)),
}  # fmt: skip
# plotly's order: a symbol can be a number, too
SYMBOLS = {
    "circle": "o", "square": "s", "diamond": "D", "cross": "P", "x": "X", "triangle-up": "^",
    "triangle-down": "v", "triangle-left": "<", "triangle-right": ">", "triangle-ne": "^",
    "triangle-se": "v", "triangle-sw": "<", "triangle-nw": ">", "pentagon": "p", "hexagon": "h",
    "hexagon2": "H", "octagon": "8", "star": "*", "line-ns": "|", "line-ew": "_",
}  # fmt: skip
_RGBA = re.compile(r"rgba?\(([^)]*)\)")
_UNKNOWN = "\ufffd"

Color = tuple[float, float, float, float]


def color(told: Any, default: str = LETTERS, opacity: float | None = None) -> Color:
    """A colour as plotly takes it; the default for what is none."""
    red, green, blue, alpha = _parsed(told, default)
    return red, green, blue, alpha * (1.0 if opacity is None else float(opacity))


def _parsed(told: Any, default: str) -> Color:
    text = str(told or default).strip()
    try:
        if found := _RGBA.match(text):
            parts = [float(part) for part in found[1].split(",")]
            red, green, blue = (min(max(part / 255, 0.0), 1.0) for part in parts[:3])
            return red, green, blue, parts[3] if len(parts) > 3 else 1.0
        return to_rgba(text)
    except ValueError:
        return to_rgba(default)


def symbol(told: Any) -> tuple[str, bool]:
    """Matplotlib's mark for plotly's, and whether it is open."""
    names = list(SYMBOLS)
    if isinstance(told, (int, float)):
        number = int(told)
        return SYMBOLS[names[number % 100 % len(names)]], number % 200 >= 100
    name = str(told or "circle")
    return SYMBOLS.get(name.removesuffix("-open").removesuffix("-dot"), "o"), "-open" in name


@lru_cache(maxsize=2)
def _file(is_bold: bool) -> str:
    name = "DejaVuSans-Bold.ttf" if is_bold else "DejaVuSans.ttf"
    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name)


def letters(size_px: float = LETTER_PX, *, is_bold: bool = False) -> FontProperties:
    """The font, which matplotlib brings along: the same on every machine."""
    return FontProperties(fname=_file(is_bold), size=size_px * POINT)


def written(text: str) -> str:
    """A text that is drawn as it stands: no formula, and a mark for letters that the font lacks."""
    font = get_font(_file(False))
    known = (c if c == "\n" or font.get_char_index(ord(c)) else _UNKNOWN for c in text)
    return "".join(known).replace("$", r"\$")
