"""ModelPicker: choose one of the installed models."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.monitor import Loading
from lifecycle_widgets.server import (
    AnyServer,
    Model,
    Resident,
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
)
from lifecycle_widgets.widgets.background import Background
from lifecycle_widgets.widgets.base import Composite, Message, ServerTrait
from lifecycle_widgets.widgets.model_picker import words
from lifecycle_widgets.widgets.model_picker.choice import ModelChoice
from lifecycle_widgets.widgets.model_picker.errand import Errand
from lifecycle_widgets.widgets.model_picker.inventory import Inventory
from lifecycle_widgets.widgets.model_picker.pull_row import CANCELLED, PullRow
from lifecycle_widgets.widgets.still.sheet import MOST_ROWS, Sheet

_NEEDED = "smollm2:135m"  # what to install where nothing is said to be needed
_SHOW_S = 0.5  # how often the list shows what was learnt meanwhile
_CLOSE_S = 1.0


class ModelPicker(Composite):
    """Chooses an installed model, and shows its size and whether it is in memory.

    Any part of a model's line can be typed to find it. Models that only make embeddings are listed
    and refused; one that runs in a cloud is taken only when it is chosen by name.

    Parameters
    ----------
    server:
        A Server, an address or a Sandbox; without one, `Server.find` looks for it.
    model:
        The first choice; without one, the first of ``needs`` that is installed, else one that is
        in memory, else the first by name: of those that can chat on the server itself.
    needs:
        Models that a notebook needs. Those missing are offered as a button, never pulled unasked.

    Raises
    ------
    UnknownModel
        When ``model`` is set to a name that is not installed.
    ValueError
        When ``model`` is set to one that cannot answer a prompt.

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
    notice = traitlets.Unicode(help="What to know of the choice or the server; for reading.")

    def __init__(
        self,
        server: AnyServer = None,
        *,
        model: str = "",
        needs: Sequence[str] = (),
        **keywords: Any,
    ) -> None:
        self._lock, self._background = threading.RLock(), Background()
        self._refreshing = Errand(self._background, "refresh", self.refresh)
        self._learning = Errand(self._background, "learn", self._learn)
        self._showing = self._lost = False
        self._gone = ""  # what was chosen, and is no longer installed
        self._refused = ""  # why what a person chose last was not taken
        super().__init__(self._parts(), keywords)
        self.needs = (needs,) if isinstance(needs, str) else tuple(needs)
        self.server = server if server is not None else Server.find()
        self._inventory = Inventory(self.server)
        self._choice.observe(self._chosen, "value")
        self._again.on_click(lambda _: self.refresh_soon())
        self.observe(lambda _: self._show(), ["model", "error"])
        self.observe(self._moved, "server")
        self.observe(lambda _: self.refresh(), "needs")
        self.refresh()
        if model:
            self.model = model

    def _parts(self) -> list[widgets.Widget]:
        self._choice = ModelChoice().add_class("lw-grow")
        self._choice.layout.max_width = "560px"
        self._again = widgets.Button(icon="refresh", tooltip="Look again at what is installed")
        self._again.layout.width = "34px"
        self._message, self._pulls = Message().add_class("lw-under"), widgets.VBox()
        self._pulls.add_class("lw-under")
        label = widgets.HTML("model").add_class("lw-label")
        row = widgets.HBox([label, self._choice, self._again]).add_class("lw-row")
        return [row, self._message, self._pulls]

    # --- what there is ---------------------------------------------------------------------------

    def refresh(self, residents: Iterable[Resident] | None = None) -> None:
        """Look again. Keeps the choice; puts what went wrong into ``error``.

        Parameters
        ----------
        residents:
            What is in memory, where it is known already (a monitor's sample): then the server is
            not asked, except to see whether it has come back after an error.
        """
        inventory = self._inventory
        if residents is not None:
            if self._lost or not self.models:
                self.refresh_soon()
            before, inventory.residents = inventory.residents or (), tuple(residents)
            self._show()
            if {r.name for r in before} != {r.name for r in inventory.residents}:
                self._learning.ask()  # which other names the weights have
            return
        try:
            inventory.ask()
        except (ServerUnreachable, ServerError) as fault:
            if inventory is self._inventory:
                self._lost, self.error = True, str(fault)
            return
        if inventory is not self._inventory:
            return  # another server was chosen while this one was slow
        self._lost, self.models = False, inventory.models
        self.error = self._choose()
        self._offer()
        self._show()
        self._learning.ask()

    def tell_loading(self, loads: Iterable[Loading]) -> None:
        """Which models are being loaded now (`Monitor.loading`): their lines say so.

        Nothing is asked, and nothing is shown anew while no load begins or ends.
        """
        inventory, now = self._inventory, tuple(loads)
        before, inventory.loads = inventory.loads, now
        if {(one.model, one.since) for one in before} != {(one.model, one.since) for one in now}:
            self._show()

    def refresh_soon(self) -> None:
        """`refresh` in a thread of its own: a server that hangs must not hold up the notebook."""
        self._refreshing.ask()

    def _learn(self) -> None:
        """Learn what each model can, and which are one: 200 of them must not hold up the lab."""
        shown_s = time.monotonic()
        for _ in self._inventory.learn():
            if self._learning.is_stale:
                break  # what is known by now is kept
            if time.monotonic() - shown_s > _SHOW_S:
                shown_s = time.monotonic()
                self._show()
        self._show()

    def _moved(self, _: Any) -> None:
        """Another server: what was chosen on the last one is kept if this one has it."""
        if self.server is None:
            return
        self.models, self._inventory = (), Inventory(self.server)
        self.refresh()
        if self._gone:
            self._gone = ""
            self.error = self._choose()

    def _choose(self) -> str:
        """See that the choice is one of the installed; returns what the person must know."""
        server, wanted = self._inventory.server, self.needs[0] if self.needs else _NEEDED
        if not self.models:
            self.model = ""
            return words.none_installed(server, wanted)
        if self.model and self._inventory.find(self.model) is None:
            self._gone, self.model = self.model, ""
        if not self.model and self._gone:  # never run another one in its place unasked
            return f"{self._gone} is not installed on {server.url}. Choose another model."
        if not self.model:
            self.model = self._inventory.first_choice(self.needs)
        return "" if self.model else words.none_can_chat(server, self.models, wanted)

    @traitlets.validate("model")
    def _checked(self, proposal: Any) -> str:
        name: str = proposal["value"]
        if not name or not self.models:  # nothing is known yet: the run will tell
            return name
        found = self._inventory.find(name)
        if found is None:
            raise UnknownModel(name, [m.name for m in self.models], self._inventory.server.url)
        if not found.can_chat:
            raise ValueError(words.cannot_chat(found))
        if self._refused and self.error == self._refused:  # a good choice takes its place
            self._refused = self.error = ""
        return found.name

    # --- what is shown ---------------------------------------------------------------------------

    def label(self, model: Model) -> str:
        """One line about a model: name, size on disk, quantisation, whether it is in memory.

        Then what is known already of what it can do, such as "thinking" or "embedding only".
        """
        return " · ".join(filter(None, (model.name, self._about(model), *words.marks(model))))

    def _about(self, model: Model) -> str:
        inventory = self._inventory
        is_told = inventory.residents is not None
        held, load = inventory.resident(model), inventory.load(model)
        return words.about(model, held, load, is_told=is_told)

    def _option(self, model: Model) -> dict[str, Any]:
        return {
            "name": model.name,
            "about": self._about(model),
            "marks": list(words.marks(model)),
            "refused": not words.can_chat(model),
        }

    def _show(self) -> None:
        with self._lock:
            self._showing = True
            try:
                with self._choice.hold_sync():  # one message
                    self._choice.options = [self._option(m) for m in self.models]
                    self._choice.value = self.model
            finally:
                self._showing = False
            self.notice = self._notice()
            self._message.show(self.error or self.notice, is_error=bool(self.error))

    def _notice(self) -> str:
        chosen = self._inventory.find(self.model) if self.model else None
        said = []
        if chosen is not None and not words.can_chat(chosen):
            said.append(words.cannot_chat(chosen))
        elif chosen is not None and chosen.is_cloud:
            said.append(words.leaves(chosen))
        if self.models and self._inventory.residents is None:
            said.append(words.NOT_TOLD)
        return " ".join(said)

    def _chosen(self, change: Any) -> None:
        """A person has chosen, on the page."""
        with self._lock:  # another thread may be showing something
            if self._showing or change["new"] == self.model:
                return
        self._gone = self.error = ""
        try:
            self.model = change["new"]
        except (ValueError, LookupError) as refused:
            self.error = self._refused = str(refused)
        self._show()  # also when it is what it was: the page shows the one that was refused

    # --- what is missing -------------------------------------------------------------------------

    def _offer(self) -> None:
        """One row for each model that is needed and missing; those being pulled stay."""
        server = self._inventory.server
        missing = [name for name in self.needs if self._inventory.find(name) is None]
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
        self._background.close(_CLOSE_S)
        super().close()

    def _in_short(self) -> str:
        url = repr(self.server.url) if self.server is not None else None
        return f"model={self.model!r}, server={url}"

    def _still(self, sheet: Sheet) -> None:
        sheet.say(f"Model: {self.model or 'none is chosen'}.")
        sheet.say(self.error or self.notice)
        sheet.items(self.label(model) for model in self.models[:MOST_ROWS])
        if len(self.models) > MOST_ROWS:
            sheet.say(f"The first {MOST_ROWS} of {len(self.models):,} installed models.")
