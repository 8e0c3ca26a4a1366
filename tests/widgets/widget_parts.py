"""Finding one's way in a composite widget, as a person would: by what is shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from lifecycle_widgets.widgets import TextStream


def parts(widget: widgets.Widget, kind: type = widgets.Widget) -> list[Any]:
    """The widget's parts of one kind, however deep."""
    found = [widget] if isinstance(widget, kind) else []
    for child in getattr(widget, "children", ()):
        found += parts(child, kind)
    return found


def button(widget: widgets.Widget, text: str) -> widgets.Button:
    """The button that says so."""
    found = [b for b in parts(widget, widgets.Button) if text in (b.description or b.tooltip)]
    assert len(found) == 1, f"{len(found)} buttons say {text!r}"
    return found[0]


def shown(widget: widgets.Widget) -> str:
    """All HTML that it shows now, and the hints where a text is still empty."""
    seen = [h for h in parts(widget, widgets.HTML) if h.layout.display != "none"]
    hints = [stream.hint for stream in parts(widget, TextStream) if not stream.text]
    return "\n".join([*(h.value for h in seen), *hints])


def until(true: Callable[[], Any], timeout_s: float = 60.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)
