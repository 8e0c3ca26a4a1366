"""Shown: one model's advice on the page: the sentence, the curve, all models' table, the code."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import plotly.graph_objects as go

from lifecycle_widgets.advisor.price import Price
from lifecycle_widgets.advisor.recommend.advice import Advice
from lifecycle_widgets.advisor.recommend.values import ModelAdvice
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets.advice_panel.apply import Apply
from lifecycle_widgets.widgets.advice_panel.copying import CopyAs, copy_as, settings_of
from lifecycle_widgets.widgets.advice_panel.curve import Curve
from lifecycle_widgets.widgets.advice_panel.picture import draw, empty_figure
from lifecycle_widgets.widgets.advice_panel.words import (
    price_html,
    sentence_html,
    server_html,
    table,
)
from lifecycle_widgets.widgets.base import Message, close_all
from lifecycle_widgets.widgets.fit import Fit
from lifecycle_widgets.widgets.frame_html import frame_html


class Shown(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """What there is to see of an advice; nothing, where there is none.

    Parameters
    ----------
    apply:
        The buttons that put it to use.
    """

    def __init__(self, apply: Apply) -> None:
        self.figure = empty_figure()
        self._drawing = (self.figure, Fit())
        self._chart = widgets.VBox().add_class("lw-chart")
        self._sentence, self._warnings = widgets.HTML(), Message()
        self._price, self._server, self._table = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._apply = apply
        self.code = CopyAs()
        self._open = widgets.ToggleButton(
            description="Copy as…", tooltip="The code that uses it, in seven forms"
        ).add_class("lw-open")
        self._open_row = widgets.HBox([self._open]).add_class("lw-row")
        self._code = widgets.VBox()
        super().__init__()
        self._open.observe(self._opened, "value")

    def show(self, advice: Advice, one: ModelAdvice, curve: Curve, server: Server | None) -> None:
        """Show it.

        Parameters
        ----------
        one, curve:
            Of the model whose curve is to be seen.
        server:
            The one that the code is for; None: it is left to OLLAMA_HOST.
        """
        self._sentence.value = sentence_html(one)
        self._warnings.show(" ".join(one.warnings), is_error=False)
        self._price.value = price_html(Price.of(advice.price), one)
        self._server.value = server_html(advice)
        self._table.value = frame_html(table(advice))
        self._apply.offer(one.model, one.keep_alive)
        self.code.texts = copy_as(one.model, one.keep_alive, settings_of(advice, one), server)
        self.draw(curve, one)
        self.children = [
            self._sentence,
            self._warnings,
            self._price,
            self._chart,
            self._apply,
            self._server,
            self._table,
            self._open_row,
            self._code,
        ]

    def draw(self, curve: Curve, one: ModelAdvice, *, is_advised: bool = True) -> None:
        """Draw the curve; without the recommended value while that of this T* is not known yet."""
        # not on the page until it is to be seen: plotly cannot tell how wide a hidden place is
        self._chart.children = self._drawing if curve.is_drawn else ()
        if curve.is_drawn:
            then = one.keep_alive if is_advised else None
            draw(self.figure, curve, one.model, one.today, then)

    @property
    def is_drawn(self) -> bool:
        """Whether there is a curve."""
        return bool(self._chart.children)

    def figure_now(self) -> go.Figure:
        """The curve as it is now, for paper."""
        return go.Figure(self.figure)

    def clear(self) -> None:
        """There is no advice any more."""
        self.children = []

    def close(self) -> None:
        """Close all parts, also those that are not on the page now."""
        for part in (*self._drawing, self._chart, self.code, self._code, self._open_row):
            close_all(part)
        for part in (self._sentence, self._warnings, self._price, self._server, self._table):
            close_all(part)
        close_all(self._apply)
        super().close()

    def _opened(self, change: Any) -> None:
        self._code.children = (self.code,) if change["new"] else ()
