"""Outlook: what the next run of a panel will meet, looked up while the person still chooses."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from lifecycle_widgets.agent.hold import LEASE_S, is_shorter
from lifecycle_widgets.server import (
    Model,
    Resident,
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
)
from lifecycle_widgets.widgets.agent_panel.launch import structure_run
from lifecycle_widgets.widgets.agent_panel.parts import Parts
from lifecycle_widgets.widgets.agent_panel.reload import reload_text
from lifecycle_widgets.widgets.agent_panel.traits import PanelTraits
from lifecycle_widgets.widgets.agent_panel.words import about_model, held_text
from lifecycle_widgets.widgets.background import Background
from lifecycle_widgets.widgets.formats import escaped


class Outlook:
    """Sees what the model can do, where it runs, whether it will be loaded anew, or held.

    What goes wrong while looking is told by the run, when there is one.
    """

    def __init__(self) -> None:
        self._background = Background()
        self._known: Model | None = None  # what the server tells of the model
        self._resident: Resident | None = None
        self._trained: int | None = None

    def begin(self, panel: PanelTraits, parts: Parts) -> None:
        """Look now, and whenever something else is chosen."""
        self._panel, self._parts = panel, parts
        panel.observe(self._look, ["model", "server"])
        panel.observe(self._look_in_memory, ["options", "running"])
        panel.observe(self._show, "tells_where")
        panel.observe(self._look_at_hold, ["keep_alive", "tools", "hold", "server"])
        parts.settings.observe(self._show_short, "short")
        self._look()
        self._look_at_hold()
        self._show_short()

    @property
    def can_chat(self) -> bool:
        """False when the model is known to answer no prompt."""
        return self._known is None or self._known.can_chat

    def close(self, timeout_s: float) -> None:
        """Look no more."""
        self._background.close(timeout_s)

    # --- the model -------------------------------------------------------------------------------

    def _look(self, _: Any = None) -> None:
        """Ask in the background what the model can do, and whether it is in memory."""
        self._known = self._resident = self._trained = None
        self._show()
        if (server := self._panel.server) is not None and (name := self._panel.model):
            self._background.start("model-facts", lambda: self._learn(server, name))

    def _learn(self, server: Server, name: str) -> None:
        with suppress(ServerError, ServerUnreachable, UnknownModel):
            model = server.require(name)
            _ = model.capabilities  # asks, here and not in the person's thread
            if self._is_still(server, name):
                self._known = model
                self._show()
        self._see_in_memory(server, name)

    def _look_in_memory(self, _: Any = None) -> None:
        panel = self._panel
        if panel.server is not None and panel.model and not panel.running:
            server, name = panel.server, panel.model
            self._background.start("in-memory", lambda: self._see_in_memory(server, name))

    def _see_in_memory(self, server: Server, name: str) -> None:
        with suppress(ServerError, ServerUnreachable, UnknownModel):
            resident = server.resident(name)
            trained = server.shown(name).shape.context_length
            if self._is_still(server, name):
                self._resident, self._trained = resident, trained
                self._show()

    def _is_still(self, server: Server, name: str) -> bool:
        chosen = self._panel.server, self._panel.model
        return chosen == (server, name) and not self._background.closed

    # --- what is shown ---------------------------------------------------------------------------

    def _show(self, _: Any = None) -> None:
        panel, model = self._panel, self._known
        self._parts.settings.think.can_think = model is not None and model.can_think
        said = []
        if model is not None and (panel.tells_where or not model.can_chat):
            said.append(about_model(model))
        own = [run for run in panel.runs if run.model == panel.model]
        said.append(reload_text(panel.options, self._resident, own, self._trained))
        self._parts.notes.show("\n".join(filter(None, said)), is_error=False)

    def _look_at_hold(self, _: Any = None) -> None:
        if self._panel.structure is None:
            self._show_hold()
        else:  # a structure's own servers may have to be found
            self._background.start("hold", self._show_hold)

    def _show_hold(self) -> None:
        panel = self._panel
        self._parts.settings.can_hold = self._holds(True) and bool(panel.structure or panel.tools)
        text = escaped(held_text(panel.keep_alive)) if self._holds(panel.hold) else ""
        self._parts.held.value = f'<span class="lw-muted">{text}</span>'
        self._parts.held.layout.display = None if text else "none"

    def _holds(self, hold: bool | None) -> bool:
        """Whether a run would be held, if that were chosen."""
        panel = self._panel
        if panel.structure is None:
            wanted = bool(panel.tools) if hold is None else hold
            return wanted and is_shorter(panel.keep_alive, LEASE_S)
        with suppress(ValueError, RuntimeError, OSError, ServerError):
            return structure_run(panel, "", hold).is_held
        return False

    def _show_short(self, _: Any = None) -> None:
        text = escaped(self._parts.settings.short)
        self._parts.short.value = f'<span class="lw-muted" title="{text}">{text}</span>'
