"""What the chart shows, written to a file; and how such a file is called."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from lifecycle_widgets.whole_files import write_whole

ENDINGS = (".csv", ".svg", ".png", ".html")
_DEAF = "or use Export on the page, or save it as .html."


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
    """Write a figure as a page that needs no network, or as a picture on white.

    Raises
    ------
    RuntimeError
        Where pictures cannot be made, in a sentence that says what to do.
    """
    figure = go.Figure(figure).update_layout(
        paper_bgcolor="white", plot_bgcolor="white", font_color="#333333"
    )
    for said in figure.layout.annotations:
        said.font.color = "#333333"
    if path.suffix.lower() == ".html":
        write_whole(path.parent, {path.name: figure.to_html()})
        return path
    try:
        figure.write_image(path, width=1000, scale=2)
    except (ImportError, ValueError) as fault:
        why = "it needs the package kaleido: pip install kaleido,"
        raise RuntimeError(f"The picture could not be made: {why} {_DEAF}") from fault
    except Exception as fault:  # kaleido raises whatever its browser does
        why = f"kaleido could not draw it ({type(fault).__name__}); it needs Chrome or Chromium,"
        raise RuntimeError(f"The picture could not be made: {why} {_DEAF}") from fault
    return path
