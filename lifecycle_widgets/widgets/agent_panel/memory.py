"""What a panel remembers of its conversation, in a griptape conversation memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from lifecycle_widgets.agent import new_memory

if TYPE_CHECKING:
    from lifecycle_widgets.widgets.agent_panel.panel import AgentPanel
    from lifecycle_widgets.widgets.agent_panel.settings import Settings


class MemoryTrait(traitlets.TraitType[Any, Any]):
    """A griptape conversation memory; True: one of the panel's own; None (or False): none."""

    info_text = "a griptape ConversationMemory, True (one of its own), or None"
    default_value = True
    allow_none = True

    def validate(self, obj: Any, value: Any) -> Any:
        if value is None or value is False:
            return None
        if value is True or (hasattr(value, "runs") and hasattr(value, "add_run")):
            return value
        return self.error(obj, value)


class Remembered:
    """The panel's ``memory``, which can be switched off and on again, and is made when needed."""

    def __init__(self, panel: AgentPanel, settings: Settings) -> None:
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
