"""AdvicePanel: the keep_alive for your own workload, with T* in your hand."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.advisor.price import Price
from lifecycle_widgets.advisor.recommend.advice import Advice
from lifecycle_widgets.advisor.recommend.values import ModelAdvice
from lifecycle_widgets.history import History
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.server import AnyServer
from lifecycle_widgets.waiting import wait_for
from lifecycle_widgets.widgets.advice_panel.adviser import Adviser, Source
from lifecycle_widgets.widgets.advice_panel.apply import Apply, Lab
from lifecycle_widgets.widgets.advice_panel.shown import Shown
from lifecycle_widgets.widgets.advice_panel.t_star import TStar
from lifecycle_widgets.widgets.advice_panel.words import ASK, advice_on
from lifecycle_widgets.widgets.background import Background
from lifecycle_widgets.widgets.base import Composite, Message, ServerTrait
from lifecycle_widgets.widgets.formats import escaped
from lifecycle_widgets.widgets.still.sheet import Sheet

_CLOSE_S = 3.0


class AdvicePanel(Composite):
    """Recommends a keep_alive for each model of a workload, with the cost curve and T* as a slider.

    The curve has today's value, the recommended one, and what the gaps cost at least. Nothing is
    advised before there is a price, and nothing is changed unasked.

    Parameters
    ----------
    of:
        A History, a Workload, or the path of a file; None: the lab's history, else the person's.
    price:
        A `Price`, or T* in seconds. None: the panel asks.
    server:
        A Server, an address, a Sandbox, or a Monitor that watches one: of a history only what was
        asked of it counts, and its models can be given the keep_alive. None: the lab's, if any.
    lab:
        A `TuningLab`, whose choice of a keep_alive the panel can set.
    today, since, reload_s, held_bytes, most_reloads_per_hour:
        As `advise` takes them.

    Raises
    ------
    ValueError
        For a price, or a keep_alive of today, that is none.
    HistoryError
        When the person's history cannot be used.

    Examples
    --------
    >>> panel = AdvicePanel(price=120)  # doctest: +SKIP
    >>> panel.wait().models[0].keep_alive  # doctest: +SKIP
    KeepAlive('2m')
    """

    _is_pictured = True

    price = traitlets.Any(None, help="A Price; None: it was not said yet.")
    server = ServerTrait()
    model = traitlets.Unicode(help="Whose curve is shown; empty: the first one's.")
    advice = traitlets.Instance(Advice, allow_none=True, help="For reading.")
    running = traitlets.Bool(help="It is reading, or thinks; for reading.")
    error = traitlets.Unicode()

    def __init__(
        self,
        of: Source | None = None,
        price: Price | float | None = None,
        *,
        server: AnyServer | Monitor = None,
        lab: Lab | None = None,
        today: KeepAlive | str | float | timedelta | None = None,
        since: timedelta | None = None,
        reload_s: float | None = None,
        held_bytes: float | None = None,
        most_reloads_per_hour: float | None = None,
        **keywords: Any,
    ) -> None:
        self._background, self._lock = Background(), threading.RLock()
        self._ended, self._wanted = threading.Event(), 0
        self._own: History | None = None
        self._filling = False
        where = server.server if isinstance(server, Monitor) else server
        if where is None and lab is not None:
            where = lab.server
        self.set_trait("server", where)
        self.set_trait("price", price)
        self._adviser = Adviser(
            self._source(of, lab),
            today=None if today is None else KeepAlive(today),
            since=since,
            reload_s=reload_s,
            held_bytes=held_bytes,
            most_reloads_per_hour=most_reloads_per_hour,
        )
        super().__init__(self._parts(lab), keywords)
        self.add_class("lw-advice")
        self.observe(self._moved, "price")
        self.observe(lambda _: self.look(), "server")
        self.observe(lambda _: self._show(), ["advice", "model"])
        self.observe(lambda _: self._message.show(self.error), "error")
        self._moved()

    def _source(self, of: Source | None, lab: Lab | None) -> Source:
        if of is None and lab is not None:
            of = lab.history
        if of is None:
            of = self._own = History()
        return of

    def _parts(self, lab: Lab | None) -> list[widgets.Widget]:
        self._t_star = TStar()
        self._model = widgets.Dropdown(tooltip="Which model's curve is shown")
        self._model.layout.width, self._model.layout.display = "max-content", "none"
        again = widgets.Button(description="Look again", tooltip="Read what was asked once more")
        again.layout.width = "auto"
        self._status = widgets.HTML().add_class("lw-grow").add_class("lw-status")
        row = widgets.HBox([self._t_star, self._model, again, self._status]).add_class("lw-row")
        self._message, self._note = Message(), Message()
        self._shown = Shown(Apply(self._background, lambda: self.server, lab))
        self._t_star.observe(self._slid, "t_star_s")
        self._model.observe(self._chosen, "value")
        again.on_click(lambda _: self.look())
        return [row, self._message, self._note, self._shown]

    # --- for code --------------------------------------------------------------------------------

    def look(self) -> None:
        """Read the workload once more, in the background, and advise anew."""
        self._adviser.forget()
        self._ask()

    def wait(self, timeout_s: float | None = None) -> Advice:
        """Wait for the advice at the price that was set last.

        Parameters
        ----------
        timeout_s:
            How long to wait, in seconds; None: as long as it takes.

        Raises
        ------
        TimeoutError
            When it still thinks; it goes on.
        RuntimeError
            When there is no advice; ``error`` says why, or that there is no price.
        """
        if self.running and not wait_for(self._ended, timeout_s):
            raise TimeoutError(f"There is no advice yet after {timeout_s:g} s; it goes on.")
        if self.advice is None:
            raise RuntimeError(self.error or ASK)
        return self.advice

    def close(self) -> None:
        """Think no more, and leave the page."""
        self._background.close(_CLOSE_S)
        self._shown.close()
        if self._own is not None:
            self._own.close()
        super().close()

    # --- the work, in a thread of its own --------------------------------------------------------

    def _ask(self) -> None:
        """Have an advice made for what is chosen now; of several wishes the last one counts."""
        with self._lock:
            self._wanted += 1
            if self.running or self.price is None:
                return
            self._ended = threading.Event()
            if self._background.start("advice", self._work):
                self.running = True
                self._say("reading…")

    def _work(self) -> None:
        is_last = False
        try:
            while not is_last and not self._background.closed:
                is_last = self._think(self._wanted)
        finally:
            self._ended.set()

    def _think(self, wanted: int) -> bool:
        """Make one advice; show it and return True, unless another is wanted by then."""
        advice, fault = None, ""
        try:
            advice = self._adviser.advice(self.price, self.server)
        except Exception as error:  # whatever it is, the person sees it, and can try again
            fault = str(error) or type(error).__name__
        with self._lock:
            if wanted != self._wanted:
                return False
            if not self._background.closed:
                self.error, self.advice = fault, advice
                self._say("" if advice is None else advice.source)
                self.running = False
            return True

    # --- what is shown ---------------------------------------------------------------------------

    @traitlets.validate("price")
    def _checked(self, proposal: Any) -> Price | None:
        value = proposal["value"]
        return None if value is None else Price.of(value)

    @traitlets.validate("model")
    def _known(self, proposal: Any) -> str:
        if proposal["value"] and self.advice is not None:
            self.advice.model(proposal["value"])  # says which there are
        return str(proposal["value"])

    def _moved(self, _: Any = None) -> None:
        if self.price is None:
            self._note.show(ASK, is_error=False)
            return
        if self.price.t_star_s is not None:
            self._t_star.show(self.price.t_star_s)
        self._ask()

    def _slid(self, change: Any) -> None:
        """The curve follows at once, the advice as soon as it is made."""
        with self._lock:
            if (one := self._one()) is not None:
                curve = self._adviser.curve(one.model, change["new"])
                self._shown.draw(curve, one, is_advised=False)
            self.price = Price(t_star_s=change["new"])

    def _chosen(self, change: Any) -> None:
        if not self._filling and change["new"]:
            self.model = change["new"]

    def _one(self) -> ModelAdvice | None:
        """The advice for the model that is chosen; else for the first one."""
        advised = self.advice.models if self.advice is not None else ()
        return next((one for one in advised if one.model == self.model), next(iter(advised), None))

    def _show(self) -> None:
        with self._lock:
            one, advice = self._one(), self.advice
            self._note.show("" if advice is None else " ".join(advice.notes), is_error=False)
            self._fill(() if advice is None else advice.models, one)
            if advice is None or one is None:
                self._shown.clear()
                return
            self._t_star.show(one.t_star_s)
            curve = self._adviser.curve(one.model, one.t_star_s)
            self._shown.show(advice, one, curve, self.server)

    def _fill(self, advised: Sequence[ModelAdvice], shown: ModelAdvice | None) -> None:
        """The list of models; of a single one there is nothing to choose."""
        self._filling = True
        self._model.options = [each.model for each in advised]
        self._model.value = None if shown is None else shown.model
        self._model.layout.display = None if len(advised) > 1 else "none"
        self._filling = False

    def _say(self, text: str) -> None:
        self._status.value = f'<span class="lw-muted">{escaped(text)}</span>'

    def _in_short(self) -> str:
        one = self._one()
        told = "no price" if self.price is None else str(self.price)
        return told if one is None else f"{one.model!r}: {one.keep_alive}; {told}"

    def _still(self, sheet: Sheet) -> None:
        one, advice = self._one(), self.advice
        sheet.say(ASK if self.price is None else f"The price: {self.price}.")
        sheet.say(self.error)
        if advice is None or one is None:
            return
        advice_on(sheet, advice, one)
        if self._shown.is_drawn:
            sheet.draw(self._shown.figure_now, one.because, (id(advice), one.model))
