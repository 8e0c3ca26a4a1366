"""TStar: the break-even T* as a slider."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.widgets.log_steps import same_step

_LOWEST, _HIGHEST = 0, 4.5  # powers of ten of its ends: 1 s to 8.8 h
_STEP = 0.02  # of them
_START_S = 60.0  # where it stands before it is moved


class TStar(widgets.HBox):  # type: ignore[misc]  # ipywidgets has no types
    """A slider for T*, in seconds, in equal steps of its logarithm; what is beyond it holds, too.

    Examples
    --------
    >>> slider = TStar()
    >>> slider.t_star_s is None
    True
    >>> slider.show(120.0)
    >>> slider.t_star_s, slider.slider.value
    (None, 120.0)
    >>> slider.slider.value = 120.2  # the page puts it on a step of its own: nobody has moved it
    >>> slider.t_star_s is None
    True
    >>> slider.slider.value = 60.0
    >>> slider.t_star_s
    60.0
    """

    t_star_s = traitlets.Float(None, allow_none=True, help="As it was moved; None: not yet.")

    def __init__(self) -> None:
        self._at_s = _START_S
        self.slider = widgets.FloatLogSlider(
            value=_START_S,
            min=_LOWEST,
            max=_HIGHEST,
            step=_STEP,
            readout_format=".3g",
            tooltip="For how many seconds an idle model in memory costs as much as one reload",
            layout={"width": "340px"},
        )
        label = widgets.HTML("A reload is worth")
        unit = widgets.HTML("s of the idle model (T*)").add_class("lw-unit")
        super().__init__([label, self.slider, unit])
        self.add_class("lw-row")
        self.slider.observe(self._slid, "value")

    def show(self, t_star_s: float) -> None:
        """Stand there, without having been moved."""
        self._at_s = float(min(max(t_star_s, 10**_LOWEST), 10**_HIGHEST))
        self.slider.value = self._at_s

    def _slid(self, change: Any) -> None:
        now_s = change["new"]
        if not same_step(now_s, self._at_s, _STEP):
            self._at_s = self.t_star_s = now_s
