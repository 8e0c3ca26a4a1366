"""ModelPicker: choose one of the installed models."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.server import (
    Model,
    Resident,
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
    full_name,
)
from lifecycle_widgets.widgets.base import Composite, Message, ServerTrait
from lifecycle_widgets.widgets.formats import residency_text, size_text
from lifecycle_widgets.widgets.pull_row import CANCELLED, PullRow

_NONE_CHOSEN = "choose a model…"


class ModelPicker(Composite):
    """Chooses an installed model, and shows its size and whether it is in memory.

    Parameters
    ----------
    server:
        A Server or an address; without one, `Server.find` looks for it.
    model:
        The first choice; without one, the first of ``needs`` that is installed, else one that is
        in memory, else the first by name.
    needs:
        Models that a notebook needs. Those missing are offered as a button, never pulled unasked.

    Raises
    ------
    UnknownModel
        When ``model`` is set to a name that is not installed.

    Examples
    --------
    >>> picker = ModelPicker("localhost:1")  # nothing there: says so, and can be refreshed
    >>> picker.error[:41]
    'No Ollama answers at http://localhost:1 ('
    """

    server = ServerTrait()
    model = traitlets.Unicode()
    models = traitlets.Tuple()
    needs = traitlets.Tuple()
    error = traitlets.Unicode()

    def __init__(
        self,
        server: Server | str | None = None,
        *,
        model: str = "",
        needs: Sequence[str] = (),
        **keywords: Any,
    ) -> None:
        self._lock = threading.RLock()
        self._residents: tuple[Resident, ...] = ()
        self._refreshing: threading.Thread | None = None
        self._showing = self._lost = False
        self._gone = ""  # what was chosen, and is no longer installed
        self._choice = widgets.Dropdown(options=[(_NONE_CHOSEN, "")], tooltip="Model")
        self._choice.add_class("lw-grow")
        self._choice.layout.max_width = "560px"
        self._again = widgets.Button(icon="refresh", tooltip="Look again at what is installed")
        self._again.layout.width = "34px"
        self._message, self._pulls = Message().add_class("lw-under"), widgets.VBox()
        self._pulls.add_class("lw-under")
        label = widgets.HTML("model").add_class("lw-label")
        row = widgets.HBox([label, self._choice, self._again]).add_class("lw-row")
        super().__init__([row, self._message, self._pulls], keywords)
        self.needs = (needs,) if isinstance(needs, str) else tuple(needs)
        self.server = server if server is not None else Server.find()
        self._choice.observe(self._chosen, "value")
        self._again.on_click(lambda _: self.refresh_soon())
        self.observe(lambda _: self._show(), ["model", "error"])
        self.observe(self._moved, "server")
        self.observe(lambda _: self.refresh(), "needs")
        self.refresh()
        if model:
            self.model = model

    # --- what there is ---------------------------------------------------------------------------

    def refresh(self, residents: Iterable[Resident] | None = None) -> None:
        """Look again. Keeps the choice; puts what went wrong into ``error``.

        Parameters
        ----------
        residents:
            What is in memory, where it is known already (a monitor's sample): then the server is
            not asked, except to see whether it has come back after an error.
        """
        if residents is not None:
            if self._lost or not self.models:
                self.refresh_soon()
            self._residents = tuple(residents)
            self._show()
            return
        server = self.server
        if server is None:
            return
        try:
            models, found = server.models(), server.residents()
        except (ServerUnreachable, ServerError) as fault:
            self._lost, self.error = True, str(fault)
            return
        if server is not self.server:
            return  # another one was chosen while this one was slow
        self._lost, self._residents = False, found
        # by name: Ollama's own order changes from one answer to the next where the times are equal
        self.models = tuple(sorted(models, key=lambda m: m.name))
        self.error = self._choose(server)
        self._offer(server)
        self._show()

    def refresh_soon(self) -> None:
        """`refresh` in a thread of its own: a server that hangs must not hold up the notebook."""
        with self._lock:
            if self._refreshing is None or not self._refreshing.is_alive():
                self._refreshing = threading.Thread(
                    target=self.refresh, name="lifecycle-refresh", daemon=True
                )
                self._refreshing.start()

    def _moved(self, _: Any) -> None:
        """Another server: what was chosen on the last one is kept if this one has it."""
        self.models, self._residents = (), ()
        if self.server is not None:
            self.refresh()
            if self._gone:
                self._gone = ""
                self.error = self._choose(self.server)

    def _choose(self, server: Server) -> str:
        """See that the choice is one of the installed; returns what the person must know."""
        if not self.models:
            self.model = ""
            wanted = self.needs[0] if self.needs else "smollm2:135m"
            return (
                f"No model is installed on {server.url}. Install one (in a terminal: "
                f"ollama pull {wanted}), then look again."
            )
        if self.model and self._installed(self.model) is None:
            self._gone, self.model = self.model, ""
        if not self.model and self._gone:  # never run another one in its place unasked
            return f"{self._gone} is not installed on {server.url}. Choose another model."
        if not self.model:
            first = [n for n in self.needs if self._installed(n)]
            first += [r.name for r in self._residents if self._installed(r.name)]
            self.model = (first or [self.models[0].name])[0]
        return ""

    def _installed(self, name: str) -> Model | None:
        wanted = full_name(name)
        return next((m for m in self.models if full_name(m.name) == wanted), None)

    @traitlets.validate("model")
    def _checked(self, proposal: Any) -> str:
        name: str = proposal["value"]
        if not name or not self.models:  # nothing is known yet: the run will tell
            return name
        found = self._installed(name)
        if found is None:
            url = self.server.url if self.server is not None else "the server"
            raise UnknownModel(name, [m.name for m in self.models], url)
        return found.name

    # --- what is shown ---------------------------------------------------------------------------

    def label(self, model: Model) -> str:
        """One line about a model: name, size on disk, quantisation, whether it is in memory."""
        wanted = full_name(model.name)
        resident = next((r for r in self._residents if full_name(r.name) == wanted), None)
        parts = [model.name, size_text(model.size_bytes), model.quantization]
        return " · ".join([*filter(None, parts), residency_text(resident)])

    def _show(self) -> None:
        with self._lock:
            options = [(self.label(m), m.name) for m in self.models]
            if not self.model:
                options.insert(0, (_NONE_CHOSEN, ""))
            elif not self.models:
                options = [(self.model, self.model)]
            self._showing = True
            try:
                if list(self._choice.options) != options:
                    with self._choice.hold_sync():  # one message, and no flicker of the choice
                        self._choice.options = options
                        self._choice.value = self.model
                self._choice.value = self.model
            finally:
                self._showing = False
            self._message.show(self.error)

    def _chosen(self, change: Any) -> None:
        with self._lock:
            if not self._showing and change["new"] != self.model:
                self._gone = self.error = ""
                self.model = change["new"]

    # --- what is missing -------------------------------------------------------------------------

    def _offer(self, server: Server) -> None:
        """One row for each model that is needed and missing; those being pulled stay."""
        missing = [name for name in self.needs if self._installed(name) is None]
        rows = {row.model: row for row in self._pulls.children}
        for name, row in list(rows.items()):
            if name not in missing or row.server is not server:
                rows.pop(name).close()
        self._pulls.children = [
            rows.get(name) or PullRow(server, name, self._pulled) for name in missing
        ]
        self._pulls.layout.display = None if missing else "none"

    def _pulled(self, fault: str | None) -> None:
        if fault is None:
            self.refresh()
        elif fault != CANCELLED:
            self.error = fault

    def close(self) -> None:
        """Remove it; a pull that goes on is ended (Ollama keeps what it has)."""
        for row in self._pulls.children:
            row.close()
        super().close()

    def _in_short(self) -> str:
        url = repr(self.server.url) if self.server is not None else None
        return f"model={self.model!r}, server={url}"
