"""What a panel remembers of its conversation, in a griptape conversation memory."""

from __future__ import annotations

from typing import Any

from lifecycle_widgets.agent import new_memory
from lifecycle_widgets.widgets.agent_panel.settings import Settings
from lifecycle_widgets.widgets.agent_panel.traits import PanelTraits


class Remembered:
    """The panel's ``memory``, which can be switched off and on again, and is made when needed."""

    def __init__(self, panel: PanelTraits, settings: Settings) -> None:
        self._panel, self._settings = panel, settings
        self._kept: Any = True  # while it is switched off
        settings.remembers = panel.memory is not None
        panel.observe(self._set, "memory")
        settings.observe(self._switched, "remembers")

    def used(self) -> Any:
        """The memory for a run; None for none. (griptape takes a second to import.)"""
        if self._panel.memory is True:
            self._panel.memory = new_memory()
        return self._panel.memory

    def forget(self) -> None:
        """Forget all turns. What a memory's own store keeps is overwritten with the next one."""
        for memory in (self._panel.memory, self._kept):
            if memory is not None and memory is not True:
                memory.runs.clear()

    def _set(self, change: Any) -> None:
        if change["new"] is None:
            self._kept = change["old"]
        self._settings.remembers = change["new"] is not None

    def _switched(self, change: Any) -> None:
        if change["new"] != (self._panel.memory is not None):
            self._panel.memory = self._kept if change["new"] else None
