"""Style: the package's one style sheet, and Ctrl+Enter."""

from __future__ import annotations

from pathlib import Path

import anywidget

STATIC = Path(__file__).parent / "static"


def static(name: str) -> str:
    """A file of the page's side, as text: given the path, anywidget would watch the file, and for
    that keep every widget, closed ones too, with all that it holds."""
    return (STATIC / name).read_text(encoding="utf-8")


class Style(anywidget.AnyWidget):
    """Brings the package's style sheet to the page; shows nothing itself.

    Everything is drawn with JupyterLab's own colours and fonts, so it follows its theme. Every
    composite widget includes one.

    Examples
    --------
    >>> Style().layout.display
    'none'
    """

    _esm = static("style.js")
    _css = static("lab.css")

    def __init__(self) -> None:
        super().__init__()
        self.layout.display = "none"
