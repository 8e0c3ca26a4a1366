"""Style: the package's one style sheet, and what it cannot do for keyboards and screen readers."""

from __future__ import annotations

import re
from pathlib import Path

import anywidget

STATIC = Path(__file__).parent / "static"
_ACCESS = ("names", "said", "focus", "rows")


# in JavaScript whole lines only: an address in a text has two slashes, too
_COMMENTS = re.compile(r"^[ ]*//[^\n]*\n|^[ ]*/\*.*?\*/[ ]*\n", re.MULTILINE | re.DOTALL)
_INDENTS = re.compile(r"^[ ]+", re.MULTILINE)
_CSS_COMMENTS = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_SPACE = re.compile(r"\s*([{};])\s*")


def static(name: str) -> str:
    """A file of the page's side, as text: given the path, anywidget would watch the file, and for
    that keep every widget, closed ones too, with all that it holds.

    Without the comments and indents: every saved notebook keeps it, once for each such widget.
    """
    text = (STATIC / name).read_text(encoding="utf-8")
    if name.endswith(".css"):
        return _CSS_SPACE.sub(r"\1", _CSS_COMMENTS.sub("", text))
    return _INDENTS.sub("", _COMMENTS.sub("", text))


class Style(anywidget.AnyWidget):
    """Brings the package's style sheet to the page; shows nothing itself.

    Everything is drawn with JupyterLab's own colours and fonts, so it follows its theme. Every
    composite widget includes one.

    Examples
    --------
    >>> Style().layout.display
    'none'
    """

    _esm = "\n".join(static(f"access/{part}.js") for part in _ACCESS)
    _esm += static("kernel.js") + static("still.js") + static("style.js")
    _css = static("lab.css")

    def __init__(self) -> None:
        super().__init__()
        self.layout.display = "none"
