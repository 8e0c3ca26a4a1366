"""BreakEven: the reader's own price for memory, and the break-even gap that follows from it."""

from __future__ import annotations

import math
from typing import Any

import ipywidgets as widgets
import pandas as pd
import plotly.graph_objects as go
import traitlets

from lifecycle_widgets.experiments import InARowResult
from lifecycle_widgets.experiments.arm_costs import checked_price
from lifecycle_widgets.experiments.figures.style import COLORS, finish
from lifecycle_widgets.experiments.statistics import Interval, digits
from lifecycle_widgets.widgets.base import Composite, Message, close_all
from lifecycle_widgets.widgets.fit import Fit
from lifecycle_widgets.widgets.formats import escaped, seconds_text, size_text
from lifecycle_widgets.widgets.frame_html import frame_html
from lifecycle_widgets.widgets.light_figure import LightFigure

_LOWEST, _HIGHEST = -2, 2.3  # powers of ten of the slider's ends: 0.01 to 200
_HINT = "Nothing is measured yet: run the experiment."
_PARTS = {"waiting_s": "waiting for first tokens", "memory_s": "memory held, at your price"}


class BreakEven(Composite):
    """Sets a price for memory, and shows the break-even gap T* and what each keep_alive costs.

    Everything is computed from what the experiment measured; nothing is asked of the server.

    Parameters
    ----------
    result:
        Of `InARow`; None: not there yet. It can be linked to that of an `ExperimentPanel`.
    price_s_per_gb_min:
        What one GB (1e9 bytes) in memory for one minute is worth, in seconds of waiting: 0 or
        more. None: the experiment's own. It can be set and observed; ``break_even_s`` follows (NaN
        where what is needed was not measured).

    Raises
    ------
    TypeError
        When the result is not one of `InARow`.
    ValueError
        For a price below 0, or not finite.

    Examples
    --------
    >>> widget = BreakEven(InARow().run(), price_s_per_gb_min=1.0)  # doctest: +SKIP
    >>> widget.break_even_s  # doctest: +SKIP
    118.2
    """

    result = traitlets.Instance(InARowResult, allow_none=True)
    price_s_per_gb_min = traitlets.Float(1.0)
    break_even_s = traitlets.Float(math.nan, help="T*, in seconds; for reading.")
    _drawing: tuple[widgets.Widget, ...] = ()

    def __init__(
        self,
        result: InARowResult | None = None,
        price_s_per_gb_min: float | None = None,
        **keywords: Any,
    ) -> None:
        if not (result is None or isinstance(result, InARowResult)):
            raise TypeError(
                f"result is a {type(result).__name__}. Give the result of lw.InARow(...).run()."
            )
        self.set_trait("result", result)
        if price_s_per_gb_min is None:
            price_s_per_gb_min = result.facts["price_s_per_gb_min"] if result else 1.0
        self.price_s_per_gb_min = price_s_per_gb_min
        super().__init__(self._parts(), keywords)
        self.add_class("lw-break-even")
        self._slider.observe(self._slid, "value")
        self.observe(self._show, ["price_s_per_gb_min", "result"])
        self._show()

    def _parts(self) -> list[widgets.Widget]:
        self._slider = widgets.FloatLogSlider(
            value=self._on_slider(),
            min=_LOWEST,
            max=_HIGHEST,
            step=0.05,
            readout_format=".3g",
            tooltip="What one GB in memory for one minute is worth, in seconds of waiting",
            layout={"width": "360px"},
        )
        label = widgets.HTML("One GB held for one minute is worth")
        unit = widgets.HTML("s of waiting")
        row = widgets.HBox([label, self._slider, unit]).add_class("lw-row")
        self._message, self._sentence = Message(), widgets.HTML()
        self._table = widgets.HTML()
        self._figure = _empty_figure()
        self._drawing = (self._figure, Fit())
        self._chart = widgets.VBox().add_class("lw-chart")
        return [row, self._sentence, self._message, self._chart, self._table]

    @traitlets.validate("price_s_per_gb_min")
    def _checked(self, proposal: Any) -> float:
        return checked_price(proposal["value"])

    def _on_slider(self) -> float:
        return float(min(max(self.price_s_per_gb_min, 10**_LOWEST), 10**_HIGHEST))

    def _slid(self, change: Any) -> None:
        if change["new"] != self._on_slider():  # not our own doing
            self.price_s_per_gb_min = change["new"]

    def _show(self, _: Any = None) -> None:
        self._slider.value = self._on_slider()
        price, t_star, costs, message = self.price_s_per_gb_min, None, None, _HINT
        if self.result is not None:
            try:
                costs, message = self.result.costs(price), ""
                t_star = self.result.break_even(price)
            except ValueError as fault:  # too little was measured; it says what is lacking
                message = str(fault)
        self.break_even_s = math.nan if t_star is None else t_star.median
        self._message.show(message, is_error=False)
        self._sentence.value = (
            _paragraph(self.result, price, t_star) if self.result and t_star else ""
        )
        # not on the page until it is to be seen: plotly cannot tell how wide a hidden place is
        self._chart.children = () if costs is None else self._drawing
        self._table.value = "" if costs is None else frame_html(_shown(costs), index=True)
        if costs is not None:
            self._draw(costs)

    def close(self) -> None:
        """Remove it from the page."""
        for part in self._drawing:
            close_all(part)
        super().close()

    def _draw(self, costs: pd.DataFrame) -> None:
        names = [escaped(arm) for arm in costs.index]
        with self._figure.batch_update():
            for trace, column in zip(self._figure.data, _PARTS, strict=True):
                trace.x, trace.y = costs[column].tolist(), names
            self._figure.layout.height = 130 + 30 * len(names)

    def _in_short(self) -> str:
        return f"price_s_per_gb_min={self.price_s_per_gb_min:.3g}, T*={self.break_even_s:.3g} s"


def _empty_figure() -> LightFigure:
    bars = [
        go.Bar(name=title, orientation="h", marker_color=color, hovertemplate="%{x:.2f} s")
        for title, color in zip(_PARTS.values(), COLORS, strict=False)
    ]
    figure = LightFigure(bars)
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title="cost of these calls, s", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", type="category")
    finish(figure, "What these calls cost under each keep_alive, at your price")
    return figure


def _paragraph(result: InARowResult, price: float, t_star: Interval) -> str:
    held, load = result.held_bytes, result.reload_s
    cost_per_s = held / 1e9 * price / 60
    words = (
        f"The resident model takes {size_text(held)}, so a second of holding it costs "
        f"{cost_per_s:.2g} s of waiting. A load costs {seconds_text(load.median)} "
        f"({load.low:.2f} to {load.high:.2f} s). "
    )
    if load.low <= 0:
        words += "Loaded or not is not distinguishable here, so T* is not known. "
    elif math.isinf(t_star.median):
        words += "Holding costs nothing, so T* is endless: keep it for ever. "
    else:
        words += (
            f"Break-even T* = {seconds_text(t_star.median)} ({digits(t_star.low)} to "
            f"{digits(t_star.high)} s): let it go for pauses longer than that, hold it for shorter "
            "ones. "
        )
    return f'<p class="lw-verdict" role="status">{escaped(words + _cheapest(result, price))}</p>'


def _cheapest(result: InARowResult, price: float) -> str:
    return f"For these calls the cheapest was {result.best_text(price)}."


def _shown(costs: pd.DataFrame) -> pd.DataFrame:
    between = [
        f"{low:.2f} to {high:.2f}"
        for low, high in zip(costs["low_s"], costs["high_s"], strict=True)
    ]
    return pd.DataFrame(
        {
            "waiting, s": costs["waiting_s"],
            "memory, s": costs["memory_s"],
            "cost, s": costs["cost_s"],
            "between": between,
            "cheapest": ["yes" if best else "" for best in costs["is_best"]],
        },
        index=costs.index.rename("keep_alive"),
    )
