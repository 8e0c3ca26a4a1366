"""LiveFigure: one picture after another; the page is sent only what has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lifecycle_widgets.widgets.chart.picture import Picture
from lifecycle_widgets.widgets.light_figure import LightFigure

_SAVED_EVERY = 20  # updates
_OFFERED_AFTER = (2, 10)  # updates: a page that has opened meanwhile takes it
_EMPTY = {"x": [], "y": np.empty(0)}  # a trace that is no longer in the picture


class LiveFigure(LightFigure):
    """Shows one `Picture` after another; may be told to from any thread.

    Parameters
    ----------
    first:
        The picture to begin with.
    """

    def __init__(self, first: Picture) -> None:
        self._keys = list(first.traces)
        self._shown = first
        self._updates = self._updates_of_page = 0
        super().__init__(list(first.traces.values()), first.layout)

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
                self.send_picture()  # what a notebook that is run without a browser keeps of it

    def offer_at_times(self) -> None:
        """Offer the library after the first few updates of a page: to be called after each."""
        self._updates_of_page += 1
        if self._updates_of_page in _OFFERED_AFTER:
            self.offer()

    def _page_came(self) -> None:
        super()._page_came()
        self._updates_of_page = 0


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
