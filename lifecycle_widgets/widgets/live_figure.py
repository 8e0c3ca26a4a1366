"""A plotly FigureWidget that is drawn from Python alone, and is sent only what has changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd  # noqa: F401  # plotly looks for it: let it never find it half imported
import plotly.graph_objects as go
from plotly.serializers import custom_serializers

from lifecycle_widgets.widgets.chart_picture import Picture

CONFIG = {"displayModeBar": False, "displaylogo": False, "responsive": True}
_SAVED_EVERY = 20  # updates
_EMPTY = {"x": [], "y": np.empty(0)}  # a trace that is no longer in the picture


class LiveFigure(go.FigureWidget):  # type: ignore[misc]
    """Shows one `Picture` after another; may be told to from any thread.

    Parameters
    ----------
    first:
        The picture to begin with.
    """

    def __init__(self, first: Picture) -> None:
        self._lock = threading.RLock()
        self._keys = list(first.traces)
        self._shown = first
        self._updates = 0
        super().__init__(data=list(first.traces.values()), layout=first.layout)
        self._config = CONFIG

    def show_picture(self, new: Picture) -> None:
        """Send the difference between the picture that is shown and the new one."""
        with self._lock:
            old, self._shown = self._shown, new
            added = [key for key in new.traces if key not in self._keys]
            if added:
                self.add_traces([new.traces[key] for key in added])
                self._keys += added
            with self.batch_update():  # one message for all of it
                for trace, key in zip(self.data, self._keys, strict=True):
                    before, after = old.traces.get(key, _EMPTY), new.traces.get(key, _EMPTY)
                    for name, value in after.items():
                        if not _same(before.get(name), value):
                            trace[name] = value
                for path, value in _differences(old.layout, new.layout):
                    self.layout[path] = value
            self._updates += 1
            if self._updates % _SAVED_EVERY == 0:
                # what a notebook that is run without a browser keeps of the widget
                self.send_state(["_widget_data", "_widget_layout"])

    def get_state(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The state for a page that comes later, with the picture as it is now.

        FigureWidget would send the one it was made with, to which later differences do not fit.
        """
        with self._lock:
            state: dict[str, Any] = super().get_state(*args, **kwargs)
            for name, now in (("_widget_data", "_data"), ("_widget_layout", "_layout")):
                if state.get(name):
                    state[name] = custom_serializers["to_json"](getattr(self, now), self)
            return state

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Drop what the browser reports: after every update, the defaults plotly has filled in.

        Nothing here needs them, and taking them in while another thread draws could lose an
        update (ipywidgets holds all notifications meanwhile, and merges them).
        """


def _differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a layout that have changed, as plotly paths such as ``shapes[2].x1``."""
    for name, value in new.items():
        place, before = path + name, old.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            yield from _differences(before, value, f"{place}.")
        elif _alike(before, value):
            for i, (one, other) in enumerate(zip(before, value, strict=True)):
                yield from _differences(one, other, f"{place}[{i}].")
        elif not _same(before, value):
            yield place, value


def _alike(old: Any, new: Any) -> bool:
    """True for two lists of objects that differ at most in values: one by one is then less to send.

    An object that has moved to another axis does not count: plotly would convert its place.
    """
    if not (isinstance(old, list) and isinstance(new, list) and len(old) == len(new)):
        return False
    pairs = list(zip(old, new, strict=True))
    return all(
        isinstance(a, dict)
        and isinstance(b, dict)
        and a.keys() == b.keys()
        and all(a.get(ref) == b.get(ref) for ref in ("xref", "yref"))
        for a, b in pairs
    )


def _same(old: Any, new: Any) -> bool:
    if isinstance(new, np.ndarray):
        return isinstance(old, np.ndarray) and np.array_equal(old, new, equal_nan=True)
    return bool(old == new)
