"""One of our plotly figures as a PNG, without a browser: what stays when no kernel answers."""

from __future__ import annotations

import io
import threading
from typing import Any

import numpy as np

_COLORS = 128  # of the PNG: it stays small
_ONE_AT_A_TIME = threading.Lock()  # matplotlib promises nothing about threads


def png_of(figure: Any, width_px: int = 900) -> bytes:
    """Draw a figure of ours as a PNG, by matplotlib.

    It stands on a light card with round corners, so it reads on every page, light or dark. It is
    laid out for a page 560 pixels wide, and is sharp up to ``width_px``.

    Parameters
    ----------
    figure:
        A plotly figure, or its dict. Lines, steps, areas, bars, marks, texts, intervals, shapes,
        annotations, panels, date, log and category axes and the legend are drawn; the rest is
        left out.
    width_px:
        How many pixels wide the PNG is.

    Examples
    --------
    >>> png_of({"data": [{"x": [1, 2], "y": [3, 4]}]})[:4]
    b'\\x89PNG'
    """
    # matplotlib comes with the first picture: most sessions need none
    from lifecycle_widgets.widgets.still.drawn.paper import WIDTH_PX, paper
    from lifecycle_widgets.widgets.still.drawn.reading import read

    with _ONE_AT_A_TIME:
        drawn = paper(read(figure))
        drawn.set_dpi(drawn.dpi * width_px / WIDTH_PX)
        return _png(drawn)


def svg_of(figure: Any) -> bytes:
    """The same picture as SVG: sharp at every size."""
    from lifecycle_widgets.widgets.still.drawn.paper import paper
    from lifecycle_widgets.widgets.still.drawn.reading import read

    file = io.BytesIO()
    with _ONE_AT_A_TIME:
        paper(read(figure)).savefig(file, format="svg", bbox_inches=None, transparent=True)
    return file.getvalue()


def _png(drawn: Any) -> bytes:
    from PIL import Image

    drawn.canvas.draw()
    picture = Image.fromarray(np.asarray(drawn.canvas.buffer_rgba()))
    picture = picture.quantize(_COLORS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()
