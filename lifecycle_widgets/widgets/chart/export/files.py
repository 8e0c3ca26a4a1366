"""What the chart shows, written to a file; and how such a file is called."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from lifecycle_widgets.whole_files import write_whole
from lifecycle_widgets.widgets.still.picture import png_of, svg_of

ENDINGS = (".csv", ".svg", ".png", ".html")
_WIDTH_PX = 1400  # of a PNG


def file_name(server: str, at: datetime, ending: str) -> str:
    """A name with the server and the time in it.

    Examples
    --------
    >>> file_name("http://127.0.0.1:11434", datetime(2026, 1, 1, 12, 30), ".png")
    'ollama-127.0.0.1-11434-2026-01-01-123000.png'
    """
    where = re.sub(r"[^\w.]+", "-", server.partition("://")[2] or server).strip("-")
    return f"ollama-{where}-{at:%Y-%m-%d-%H%M%S}{ending}"


def checked_path(path: str | Path) -> Path:
    """A path whose ending says what to write.

    Raises
    ------
    ValueError
        For another ending.
    """
    wanted = Path(path)
    if wanted.suffix.lower() not in ENDINGS:
        known = ", ".join(ENDINGS)
        raise ValueError(f"{wanted.name!r} has none of the endings that can be saved: {known}.")
    return wanted


def save_table(path: Path, frame: pd.DataFrame) -> Path:
    """Write a table as CSV."""
    write_whole(path.parent, {path.name: frame.to_csv(index=False)})
    return path


def save_figure(path: Path, figure: go.Figure) -> Path:
    """Write a figure as a page that needs no network, or as a picture; none needs a browser."""
    ending = path.suffix.lower()
    if ending == ".html":
        write_whole(path.parent, {path.name: figure.to_html()})
        return path
    made = png_of(figure, _WIDTH_PX) if ending == ".png" else svg_of(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made)
    return path
