"""The row over the chart: how wide, pause, back to live, zoom, export."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from lifecycle_widgets.widgets.chart.view import ALL, WINDOWS

EXPORT = "Export…"
EXPORTS = ("PNG", "SVG", "CSV", "CSV of requests")
_LONG = {"2": "2 minutes", "5": "5 minutes", "15": "15 minutes", "6": "6 hours", ALL: "all"}


class Toolbar(widgets.HBox):  # type: ignore[misc]  # ipywidgets has no types
    """Its buttons call what they are given; `show` has it show how things are.

    Parameters
    ----------
    chosen:
        Called with a choice: a name of `WINDOWS`, or ``ALL``.
    zoom:
        Called with a factor: more than 1 shows more.
    pause:
        Called with whether to pause.
    live, export:
        Called for the present, and with one of `EXPORTS`.
    """

    def __init__(
        self,
        *,
        chosen: Callable[[str], None],
        zoom: Callable[[float], None],
        pause: Callable[[bool], None],
        live: Callable[[], None],
        export: Callable[[str], None],
    ) -> None:
        self._is_showing = False
        names = [*WINDOWS, ALL]
        self._windows = widgets.ToggleButtons(
            options=names,
            value=None,
            tooltips=[_LONG.get(name, name) for name in names],
            tooltip="How much time is shown",
        ).add_class("lw-windows")
        wider = _button("−", "Show more (the wheel does it, too, once the chart was clicked)")
        closer = _button("+", "Show less, closer")
        self._pause = widgets.ToggleButton(icon="pause", tooltip="Pause: what is shown stays as is")
        self._live = _button("Back to live", "Follow the present again (a double click does, too)")
        self._export = widgets.Dropdown(
            options=[EXPORT, *EXPORTS], tooltip="Save the chart or its data"
        )
        self._export.add_class("lw-export")
        for part in (wider, closer, self._pause, self._live):
            part.add_class("lw-quiet")
        self._live.add_class("lw-live")
        super().__init__([self._windows, wider, closer, self._pause, self._live, self._export])
        self.add_class("lw-chart-tools")
        wider.on_click(lambda _: zoom(2.0))
        closer.on_click(lambda _: zoom(0.5))
        self._live.on_click(lambda _: live())
        self._hear(self._windows, chosen)
        self._hear(self._pause, pause)
        self._hear(self._export, lambda name: self._exported(name, export))

    def show(self, *, window_s: float, is_paused: bool, is_live: bool) -> None:
        """Show which window is chosen, and whether there is a way back to live."""
        near = [name for name, s in WINDOWS.items() if abs(s - window_s) < 0.5]
        self._is_showing = True
        try:
            self._windows.value = near[0] if near else None
            self._pause.value = is_paused
        finally:
            self._is_showing = False
        self._live.layout.visibility = "hidden" if is_live else "visible"

    def _hear(self, part: widgets.Widget, then: Callable[[Any], None]) -> None:
        """A person's choice; not what `show` sets."""

        def chosen(change: dict[str, Any]) -> None:
            if not self._is_showing and change["new"] is not None:
                then(change["new"])

        part.observe(chosen, "value")

    def _exported(self, name: str, export: Callable[[str], None]) -> None:
        if name == EXPORT:
            return
        self._export.value = EXPORT
        export(name)


def _button(text: str, tooltip: str) -> widgets.Button:
    return widgets.Button(description=text, tooltip=tooltip)
