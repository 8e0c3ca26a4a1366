"""Style: the package's one style sheet, and Ctrl+Enter."""

from __future__ import annotations

from pathlib import Path

import anywidget

STATIC = Path(__file__).parent / "static"


class Style(anywidget.AnyWidget):
    """Brings the package's style sheet to the page; shows nothing itself.

    Everything is drawn with JupyterLab's own colours and fonts, so it follows its theme. Every
    composite widget includes one.

    Examples
    --------
    >>> Style().layout.display
    'none'
    """

    _esm = STATIC / "style.js"
    _css = STATIC / "lab.css"

    def __init__(self) -> None:
        super().__init__()
        self.layout.display = "none"
