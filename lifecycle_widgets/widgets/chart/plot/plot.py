"""Plot: one picture after another on the page, which is sent only what has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from lifecycle_widgets.widgets.chart.picture import Picture
from lifecycle_widgets.widgets.chart.plot.difference import difference
from lifecycle_widgets.widgets.chart.requests.bars import PHASE_COLORS
from lifecycle_widgets.widgets.style import static

_PARTS = ("svg", "times", "draw", "texts", "tip", "hands", "save", "plot")
_SAVED_EVERY = 20  # updates, where no page shows it


class Plot(anywidget.AnyWidget):
    """Shows one `Picture` after another; may be told to from any thread.

    A page tells which stretch of time its reader wants to see, and which bar was clicked; nothing
    else of it comes back. It is drawn as SVG by some 20 kB of JavaScript: an update takes a page a
    few milliseconds, where plotly's takes 20 to 40, and it is seen without a kernel, too.

    Parameters
    ----------
    first:
        The picture to begin with.
    spoken:
        What it shows, in sentences.
    heard:
        Called with what a page tells: ``{"view": [from, until] or None}``, in seconds as
        `Scene.place` has them, or ``{"clicked": key}``.
    """

    _esm = "\n".join(static(f"plot/{part}.js") for part in _PARTS)
    _picture = traitlets.Dict().tag(sync=True)

    def __init__(
        self, first: Picture, heard: Callable[[dict[str, Any]], None], spoken: str = ""
    ) -> None:
        self._lock, self._heard = threading.RLock(), heard
        self._now = _plain(first, said="", spoken=spoken, number=0, seen=0.0)
        self._is_seen, self._seen = False, 0.0  # whether a page shows it; what it has told last
        super().__init__(_picture=self._now)
        self.on_msg(self._told)

    def show_picture(self, new: Picture, said: str = "", spoken: str = "") -> None:
        """Send the difference between the picture that is shown and the new one.

        ``said`` stands beside the times: that the view is held. ``spoken`` says in sentences what
        the picture shows.
        """
        with self._lock:
            before = self._now
            self._now = _plain(new, said, spoken, before["number"], self._seen)
            change = difference(before, self._now)
            if not change:
                return
            change["number"] = self._now["number"] = before["number"] + 1
            self.send({"change": change, "after": before["number"]})
            if self._now["number"] % _SAVED_EVERY == 0 and not self._is_seen:
                self.send_state("_picture")  # what a notebook run without a browser keeps of it

    def save_on_page(self, name: str) -> None:
        """Have a page that shows it save it, as PNG or SVG by the ending of the name."""
        self.send({"save": name})

    def give(self, name: str, text: str, kind: str = "text/csv") -> None:
        """Have a page save a text as a file."""
        self.send({"file": name, "text": text, "type": kind})

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """The state for a page that comes later, with the picture as it is now."""
        with self._lock:
            if key is None:
                self._is_seen = False  # until it says so again
            state: dict[str, Any] = super().get_state(key, drop_defaults)
            if "_picture" in state:
                state["_picture"] = self._now
            return state

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take nothing in: the picture is drawn from Python alone."""

    def _told(self, _: Any, content: dict[str, Any], __: Any) -> None:
        if content.get("wants") == "picture":
            with self._lock:
                self._is_seen = True
                self.send({"picture": self._now})
            return
        with self._lock:
            self._seen = max(self._seen, float(content.get("number", 0)))
        self._heard(content)


def _plain(picture: Picture, said: str, spoken: str, number: int, seen: float) -> dict[str, Any]:
    return {
        "traces": picture.traces,
        "bars": vars(picture.bars),
        "phases": PHASE_COLORS,
        "layout": picture.layout,
        "said": said,
        "spoken": spoken,
        "number": number,
        "seen": seen,
    }
