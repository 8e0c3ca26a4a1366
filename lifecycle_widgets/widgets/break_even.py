"""BreakEven: the reader's own price for memory, and the break-even gap that follows from it."""

from __future__ import annotations

import math
from typing import Any

import ipywidgets as widgets
import pandas as pd
import plotly.graph_objects as go
import traitlets

from lifecycle_widgets.experiments import ColdAndWarmResult, InARowResult
from lifecycle_widgets.experiments.break_even import checked_price
from lifecycle_widgets.experiments.statistics import Interval, digits
from lifecycle_widgets.widgets.base import Composite, Message, close_all
from lifecycle_widgets.widgets.break_even_figure import draw, empty_figure
from lifecycle_widgets.widgets.fit import Fit
from lifecycle_widgets.widgets.formats import escaped, size_text
from lifecycle_widgets.widgets.frame_html import frame_html
from lifecycle_widgets.widgets.log_steps import same_step
from lifecycle_widgets.widgets.still.sheet import Sheet

_LOWEST, _HIGHEST = -2, 2.3  # powers of ten of the slider's ends: 0.01 to 200
_HINT = "Nothing is measured yet: run the experiment."
_STEP = 0.05  # of the slider, in powers of ten
_ASK = "What is a GB in memory for a minute worth to you? Move the slider, or type it."
_OWN = -1  # in the list of histories: the result's own (for ipywidgets None is "nothing chosen")
_START = 1.0  # where the slider stands before it is moved


class BreakEven(Composite):
    """Sets a price for memory, and shows the break-even gap T* and what each keep_alive costs.

    Everything is computed from what the experiment measured; nothing is asked of the server.

    Parameters
    ----------
    result:
        Of `InARow`; None: not there yet. It can be linked to that of an `ExperimentPanel`.
    price_s_per_gb_min:
        What one GB (1e9 bytes) in memory for one minute is worth, in seconds of waiting: 0 or
        more. None: the experiment's own; if it has none either, the widget asks. It can be set and
        observed; ``break_even_s`` follows (NaN where what is needed was not measured).
    reloads:
        Of `ColdAndWarm` with several histories: then one of them can be chosen, and what a reload
        costs is that of a conversation of this length. None: the result's own.
    history_tokens:
        The length of conversation that is chosen, in tokens, about; None: the result's own.

    Raises
    ------
    TypeError
        When the result is not one of `InARow`, or reloads are not of `ColdAndWarm`.
    ValueError
        For a price below 0, or not finite; for a history that was not measured.

    Examples
    --------
    >>> widget = BreakEven(InARow().run(), price_s_per_gb_min=1.0)  # doctest: +SKIP
    >>> widget.break_even_s  # doctest: +SKIP
    118.2
    """

    _is_pictured = True

    result = traitlets.Instance(InARowResult, allow_none=True)
    price_s_per_gb_min = traitlets.Float(None, allow_none=True)
    reloads = traitlets.Instance(ColdAndWarmResult, allow_none=True)
    history_tokens = traitlets.Int(None, allow_none=True)
    break_even_s = traitlets.Float(math.nan, help="T*, in seconds; for reading.")
    _drawing: tuple[widgets.Widget, ...] = ()
    _history_shown = _is_mistaken = False
    _told: tuple[str, str, pd.DataFrame | None] = "", _HINT, None  # what is shown

    def __init__(
        self,
        result: InARowResult | None = None,
        price_s_per_gb_min: float | None = None,
        reloads: ColdAndWarmResult | None = None,
        history_tokens: int | None = None,
        **keywords: Any,
    ) -> None:
        _check("result", result, InARowResult, "lw.InARow(...).run()")
        _check("reloads", reloads, ColdAndWarmResult, "lw.ColdAndWarm(history=(0, 1000)).run()")
        self.set_trait("result", result)
        self.set_trait("reloads", reloads)
        self.set_trait("history_tokens", history_tokens)
        self.price_s_per_gb_min = price_s_per_gb_min
        super().__init__(self._parts(), keywords)
        self.add_class("lw-break-even")
        self._slider.observe(self._slid, "value")
        self._field.observe(self._typed, "value")
        self._history.observe(self._chosen, "value")
        self.observe(self._show, ["price_s_per_gb_min", "result", "reloads", "history_tokens"])
        self._show()

    def _parts(self) -> list[widgets.Widget]:
        self._slider = widgets.FloatLogSlider(
            value=self._on_slider(),
            min=_LOWEST,
            max=_HIGHEST,
            step=_STEP,
            readout=False,  # on the page it is on a step, and beside it stands what was set
            tooltip="What one GB in memory for one minute is worth, in seconds of waiting",
            layout={"width": "360px"},
        )
        label = widgets.HTML("One GB held for one minute is worth")
        unit = widgets.HTML("s of waiting").add_class("lw-unit")
        self._field = widgets.FloatText(
            value=self._slider.value,
            continuous_update=False,
            tooltip="What one GB in memory for one minute is worth, in seconds of waiting: typed",
            layout={"width": "90px"},
        )
        row = widgets.HBox([label, self._slider, self._field, unit]).add_class("lw-row")
        self._history = widgets.Dropdown(
            description="The conversation is",
            style={"description_width": "initial"},
            layout={"width": "max-content"},
        )
        self._message, self._sentence = Message(), widgets.HTML()
        self._table = widgets.HTML()
        self._figure = empty_figure()
        self._drawing = (self._figure, Fit())
        self._chart = widgets.VBox().add_class("lw-chart")
        return [row, self._history, self._sentence, self._message, self._chart, self._table]

    @traitlets.validate("price_s_per_gb_min")
    def _checked(self, proposal: Any) -> float | None:
        value = proposal["value"]
        price = None if value is None else checked_price(value)
        if self._is_mistaken and price is not None:  # what is set takes the place of a mistake
            self._field.value = price
        return price

    @traitlets.validate("history_tokens")
    def _measured(self, proposal: Any) -> int | None:
        value, there = proposal["value"], self.reloads.histories if self.reloads else ()
        if value is not None and value not in there:
            known = ", ".join(map(str, there)) or "none"
            raise ValueError(f"history_tokens is {value}; measured with reloads: {known}.")
        return None if value is None else int(value)

    @traitlets.observe("reloads")
    def _others_measured(self, _: Any) -> None:
        there = self.reloads.histories if self.reloads else ()
        if self.history_tokens not in there:
            self.history_tokens = None

    def _price(self) -> float | None:
        """The one that was set, else the experiment's own, if it has one."""
        if self.price_s_per_gb_min is not None or self.result is None:
            return self.price_s_per_gb_min
        own = self.result.facts["price_s_per_gb_min"]
        return None if own is None else float(own)

    def _on_slider(self) -> float:
        return float(min(max(self._shown_price(), 10**_LOWEST), 10**_HIGHEST))

    def _slid(self, change: Any) -> None:
        if not same_step(change["new"], self._on_slider(), _STEP):  # else nobody moved it
            self.price_s_per_gb_min = float(digits(change["new"], 2))

    def _typed(self, change: Any) -> None:
        was_mistaken, self._is_mistaken = self._is_mistaken, False
        if change["new"] == self._shown_price():  # nobody typed it, or it is as it was
            if was_mistaken:
                self._show()
            return
        try:
            self.price_s_per_gb_min = change["new"]
        except ValueError as fault:
            self._is_mistaken = True
            self._message.show(str(fault))

    def _shown_price(self) -> float:
        price = self._price()
        return _START if price is None else price

    def _chosen(self, change: Any) -> None:
        if self._history_shown:  # else the list is being filled, which chooses its first entry
            self.history_tokens = None if change["new"] in (None, _OWN) else change["new"]

    def _show(self, _: Any = None) -> None:
        self._slider.value, self._field.value = self._on_slider(), self._shown_price()
        self._show_histories()
        price, lost, t_star, costs, notes = self._price(), None, None, None, []
        if self.result is None or price is None:
            notes = [_HINT if self.result is None else _ASK]
        else:
            # too little for one of the two may be enough for the other; it says what is lacking
            try:
                lost = self._reload_s(self.result)
                t_star = self.result.break_even(price, reload_s=lost)
            except ValueError as lacking:
                notes.append(str(lacking))
            try:
                costs = self.result.costs(price)
            except ValueError as lacking:
                notes.append(str(lacking))
        self.break_even_s = math.nan if t_star is None else t_star.median
        said, lacks = self._in_words(price, lost, t_star, costs), " ".join(dict.fromkeys(notes))
        self._told = said, lacks, costs
        self._message.show(lacks, is_error=False)
        self._sentence.value = (
            f'<p class="lw-verdict" role="status">{escaped(said)}</p>' if said else ""
        )
        # not on the page until it is to be seen: plotly cannot tell how wide a hidden place is
        self._chart.children = () if costs is None else self._drawing
        self._table.value = "" if costs is None else frame_html(_shown(costs), index=True)
        if costs is not None:
            draw(self._figure, costs)

    def _show_histories(self) -> None:
        there = self.reloads.histories if self.reloads else ()
        options = [("as in the calls that were measured", _OWN)]
        options += [(f"about {tokens:,} tokens long", tokens) for tokens in there]
        self._history_shown = False
        if list(self._history.options) != options:
            self._history.options = options
        self._history.value = _OWN if self.history_tokens is None else self.history_tokens
        self._history_shown = True
        self._history.layout.display = None if there else "none"

    def _reload_s(self, result: InARowResult) -> Interval:
        """L of the conversation that is chosen."""
        if self.reloads is None or self.history_tokens is None:
            return result.reload_s
        return self.reloads.reload_s(self.history_tokens)

    def _in_words(
        self,
        price: float | None,
        lost: Interval | None,
        t_star: Interval | None,
        costs: pd.DataFrame | None,
    ) -> str:
        if self.result is None or price is None or lost is None or t_star is None:
            return ""
        words = _words(self.result.held_bytes, price, lost, t_star)
        if costs is not None:
            words += f"For these calls the cheapest was {self.result.best_text(price)}."
        return words

    def close(self) -> None:
        """Remove it from the page."""
        for part in self._drawing:
            close_all(part)
        super().close()

    def _in_short(self) -> str:
        price = self._price()
        told = "None" if price is None else f"{price:.3g}"
        return f"price_s_per_gb_min={told}, T*={self.break_even_s:.3g} s"

    def _still(self, sheet: Sheet) -> None:
        price, (said, lacks, costs) = self._price(), self._told
        if price is not None:
            sheet.say(f"One GB held for one minute is worth {price:.3g} s of waiting.")
        sheet.say(said)
        sheet.say(lacks)
        if costs is not None:
            sheet.table(_shown(costs), index=True)
            sheet.draw(lambda: go.Figure(self._figure), said or lacks, (id(costs), price))

    def _still_sources(self) -> tuple[traitlets.HasTraits, ...]:
        return self, self._sentence, self._table


def _check(name: str, value: object, kind: type, how: str) -> None:
    if not (value is None or isinstance(value, kind)):
        raise TypeError(f"{name} is a {type(value).__name__}. Give the result of {how}.")


def _words(held_bytes: float, price: float, lost: Interval, t_star: Interval) -> str:
    """What a reload costs, and T*, in sentences."""
    cost_per_s = held_bytes / 1e9 * price / 60
    words = (
        f"The resident model takes {size_text(held_bytes)}, so a second of holding it costs "
        f"{cost_per_s:.2g} s of waiting. A reload, with the prompt read again, costs {lost} s. "
    )
    if not lost.has_ends:
        return words + "That is too little measured for a T*. "
    if lost.low <= 0:
        return words + "Loaded or not is not distinguishable here, so T* is not known. "
    if math.isinf(t_star.median):
        return words + "Holding costs nothing, so T* is endless: keep it for ever. "
    return words + (
        f"Break-even T* = {digits(t_star.median)} s ({digits(t_star.low)} to "
        f"{digits(t_star.high)} s): let it go for pauses longer than that, hold it for shorter "
        "ones. "
    )


def _shown(costs: pd.DataFrame) -> pd.DataFrame:
    between = [
        f"{low:.2f} to {high:.2f}" if math.isfinite(high - low) else "not known"
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
