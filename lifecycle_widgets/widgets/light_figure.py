"""LightFigure: a plotly figure on the page, without plotly's JavaScript in every saved notebook."""

from __future__ import annotations

import threading
from typing import Any

import pandas as pd  # noqa: F401  # plotly looks for it: let it never find it half imported
import plotly
import plotly.graph_objects as go
from plotly.serializers import custom_serializers

from lifecycle_widgets.widgets.light import Light
from lifecycle_widgets.widgets.still.sheet import Sheet

_CONFIG = {"displayModeBar": False, "displaylogo": False, "responsive": True}
_PICTURE = {"_widget_data": "_data", "_widget_layout": "_layout"}


class LightFigure(Light, go.FigureWidget):  # type: ignore[misc]
    """A FigureWidget whose JavaScript comes to the page when it asks, once for all figures.

    FigureWidget keeps plotly's 5 MB in the state of each figure, and a notebook that is saved with
    its widgets' state keeps them too. Here they come in a message, which nothing saves; where no
    kernel answers, a sentence stands in place of the figure. It is drawn from Python alone: what
    the browser reports is dropped.

    Parameters
    ----------
    figure:
        What `plotly.graph_objects.FigureWidget` takes: a figure, or traces.
    layout:
        The layout, where ``figure`` has none.

    Examples
    --------
    >>> LightFigure(go.Figure(go.Scatter(y=[1, 3, 2])))  # doctest: +SKIP
    """

    _heavy, _version = go.FigureWidget, plotly.__version__
    _is_pictured = True

    def __init__(self, figure: Any = None, layout: Any = None) -> None:
        self._lock = threading.RLock()
        super().__init__(data=figure, layout=layout)
        self._config = _CONFIG

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """The state for a page that comes later, with the picture as it is now.

        FigureWidget would send the one it was made with, to which later differences do not fit.
        """
        with self._lock:
            state: dict[str, Any] = super().get_state(key, drop_defaults)
            for name, now in _PICTURE.items():
                if state.get(name):
                    state[name] = custom_serializers["to_json"](getattr(self, now), self)
            return state

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take nothing in: it could meet another thread's drawing.

        (ipywidgets holds all notifications meanwhile, and merges them: an update could be lost.)
        """

    def send_picture(self) -> None:
        """Send the whole picture as it is now, to whoever shows it next or saves the notebook."""
        with self._lock:
            self.send_state(list(_PICTURE))

    def _asked(self, _: Any, content: dict[str, Any], __: Any) -> None:
        super()._asked(_, content, __)
        if content.get("wants") == "picture":
            with self._lock:
                self.send_picture()
                self.send({"has": "picture"})

    def _still(self, sheet: Sheet) -> None:
        with self._lock:
            key = hash(self.to_json())
        title = self.layout.title.text or "a figure"
        sheet.draw(self._copied, str(title), key)

    def _copied(self) -> go.Figure:
        with self._lock:
            return go.Figure(self)
