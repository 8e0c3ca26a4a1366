"""DoctorPanel: the doctor's findings, with their evidence, what to do, and a cure on request."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.doctor import WATCH_S, Diagnosis, counts_text, examine
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.server import AnyServer, Server
from lifecycle_widgets.waiting import wait_for
from lifecycle_widgets.widgets.background import Background
from lifecycle_widgets.widgets.base import Composite, Message, ServerTrait, close_all
from lifecycle_widgets.widgets.doctor_html import (
    diagnoses_on,
    finding_html,
    nothing_found_html,
)
from lifecycle_widgets.widgets.formats import escaped
from lifecycle_widgets.widgets.still.sheet import Sheet

if TYPE_CHECKING:
    from lifecycle_widgets.history import History

_CLOSE_S = 1.0  # a look that goes on then ends by itself, and shows nothing


class DoctorPanel(Composite):
    """Says what is wrong with a server or with how it is used, and what to do about it.

    Showing it starts nothing. What it looks at it does not change; a finding that unloading a
    model would cure has a button, which unloads just the model that it names.

    Parameters
    ----------
    server:
        A Server, an address or a Sandbox; or a Monitor that watches one. Without one,
        `Server.find` looks for it when it is first examined.
    history:
        What was kept of it: the last days are looked at, too.
    watch_s:
        How many seconds to watch at least.

    Examples
    --------
    >>> panel = DoctorPanel("localhost:1")  # nobody answers there
    >>> [one.severity for one in panel.examine().wait(timeout_s=20)]
    ['fault']
    >>> panel.close()
    """

    server = ServerTrait()
    running = traitlets.Bool(help="It is looking, or unloads; for reading.")
    diagnoses = traitlets.Tuple(help="What was found, as `Diagnosis` values; for reading.")
    errors = traitlets.Tuple(help="What has failed lately: (model, what Ollama said) each.")
    error = traitlets.Unicode()

    def __init__(
        self,
        server: AnyServer | Monitor = None,
        *,
        history: History | None = None,
        watch_s: float = WATCH_S,
        **keywords: Any,
    ) -> None:
        self._background, self._ended = Background(), threading.Event()
        self._lock = threading.RLock()
        self._history, self._watch_s = history, watch_s
        self._given = server if isinstance(server, Monitor) else None
        self._lease: Monitor | None = None  # our own, from the first look on
        if isinstance(server, Monitor):
            self.set_trait("server", server.server)
        elif server is not None:
            self.set_trait("server", server)
        self._button = widgets.Button(
            description="Examine", icon="stethoscope", tooltip="Look at the server; changes nothing"
        )
        self._status, self._message = widgets.HTML().add_class("lw-grow"), Message()
        self._status.add_class("lw-status")
        self._found = widgets.VBox([]).add_class("lw-findings")
        row = widgets.HBox([self._button, self._status]).add_class("lw-row")
        super().__init__([row, self._message, self._found], keywords)
        self.add_class("lw-doctor")
        self._say(f"looks for {watch_s:g} s, and changes nothing")
        self._button.on_click(lambda _: self._pressed(self._look, "looking…"))
        self.observe(lambda _: self._message.show(self.error), "error")
        self.observe(self._switch, "running")
        self.observe(self._another, "server")
        self.observe(self._show, "diagnoses")

    # --- for code and for the buttons ------------------------------------------------------------

    def examine(self) -> DoctorPanel:
        """Begin to look. Returns itself at once.

        Raises
        ------
        RuntimeError
            While it is looking already, or when the panel is closed.
        """
        self._begin(self._look, "looking…")
        return self

    def wait(self, timeout_s: float | None = None) -> tuple[Diagnosis, ...]:
        """Wait until it has looked.

        Parameters
        ----------
        timeout_s:
            How long to wait, in seconds; None: as long as it takes.

        Raises
        ------
        TimeoutError
            When it is still looking; it goes on.
        RuntimeError
            When it could not look; ``error`` says why.
        """
        if self.running and not wait_for(self._ended, timeout_s):
            raise TimeoutError(f"It is still looking after {timeout_s:g} s; it goes on.")
        if self.error:
            raise RuntimeError(self.error)
        return tuple(self.diagnoses)

    def close(self) -> None:
        """Look no more, and remove the panel."""
        self._background.close(_CLOSE_S)
        self._let_go()
        super().close()

    # --- the work, in a thread of its own --------------------------------------------------------

    def _begin(self, work: Any, what: str) -> None:
        with self._lock:
            if self.running:
                raise RuntimeError("It is looking already. Wait for its end.")
            self._ended = threading.Event()
            if not self._background.start("doctor", partial(self._work, work, self._ended)):
                raise RuntimeError("The panel is closed. Make a new one.")
            self.running, self.error = True, ""
            self._say(what)

    def _work(self, work: Any, ended: threading.Event) -> None:
        fault = ""
        try:
            with self._lock:  # _begin has shown that it runs
                pass
            work()
        except Exception as error:  # whatever it is, the person sees it, and can try again
            fault = str(error) or type(error).__name__
        try:
            if not self._background.closed:
                self.error = fault
                self._say("failed" if fault else self._counts())
                self.running = False
        finally:
            ended.set()

    def _look(self) -> None:
        server = self.server
        if server is None:
            server = Server.find()
            self.server = server
        found = examine(
            server,
            monitor=self._monitor(server),
            history=self._history,
            watch_s=self._watch_s,
            errors=self.errors,
        )
        if not self._background.closed and server is self.server:
            self.diagnoses = found

    def _cure(self, model: str) -> None:
        server = self.server
        assert server is not None  # something was found at it
        server.unload(model)
        self._say(f"{model} was unloaded; looking again…")
        self._look()

    def _monitor(self, server: Server) -> Monitor:
        """The one that was given, as long as it is that server's; else our own."""
        if self._given is not None and self._given.server is server:
            return self._given
        with self._lock:
            if self._lease is None:
                self._lease = Monitor.shared(server)
            return self._lease

    def _let_go(self) -> None:
        with self._lock:
            lease, self._lease = self._lease, None
        if lease is not None:
            lease.stop()

    # --- what is shown ---------------------------------------------------------------------------

    def _pressed(self, work: Any, what: str) -> None:
        with suppress(RuntimeError):  # pressed twice
            self._begin(work, what)

    def _another(self, _: Any) -> None:
        self._let_go()
        self.diagnoses, self.error = (), ""

    def _switch(self, _: Any) -> None:
        self._button.disabled = self.running
        for button in self._cures():
            button.disabled = self.running

    def _cures(self) -> list[widgets.Button]:
        rows = [part for part in self._found.children if isinstance(part, widgets.HBox)]
        return [part for row in rows for part in row.children if isinstance(part, widgets.Button)]

    def _show(self, _: Any) -> None:
        parts: list[widgets.Widget] = []
        good = [one for one in self.diagnoses if one.severity == "good"]
        for one in self.diagnoses:
            if one.severity != "good":
                parts.append(widgets.HTML(finding_html(one)))
                if one.unload is not None:
                    parts.append(self._offer(one.unload))
        if good:
            parts.append(widgets.HTML(nothing_found_html(good)))
        old, self._found.children = self._found.children, parts
        for part in old:
            close_all(part)

    def _offer(self, model: str) -> widgets.HBox:
        button = widgets.Button(
            description=f"Unload {model}",
            icon="eject",
            disabled=self.running,
            tooltip=f"Unload {model} now, and look again",
            layout={"width": "auto"},
        )
        button.on_click(lambda _: self._pressed(partial(self._cure, model), f"unloading {model}…"))
        says = widgets.HTML(
            '<span class="lw-muted">Only if you want it: who uses it has to load it again.</span>'
        ).add_class("lw-grow")
        return widgets.HBox([button, says]).add_class("lw-row").add_class("lw-cure")

    def _counts(self) -> str:
        whose = self.server.url if self.server is not None else ""
        return f"{whose}: {counts_text(self.diagnoses)}"

    def _say(self, text: str) -> None:
        self._status.value = f'<span class="lw-muted">{escaped(text)}</span>'

    def _in_short(self) -> str:
        return "looking" if self.running else counts_text(self.diagnoses)

    def _still(self, sheet: Sheet) -> None:
        whose = self.server.url if self.server is not None else "no server yet"
        sheet.head(f"{whose}: {counts_text(self.diagnoses)}" if self.diagnoses else whose)
        sheet.say(self.error)
        if not self.diagnoses:
            sheet.say("It was not examined.")
        diagnoses_on(sheet, self.diagnoses)
