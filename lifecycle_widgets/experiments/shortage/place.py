"""Place: where one trial of `Downstream` is measured."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from lifecycle_widgets.agent import RunFailed
from lifecycle_widgets.experiments.shortage.shortage import Shortage
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server


@dataclass(frozen=True)
class Place:
    """Where one trial is measured: the server, and, if it is ours, its process and its budget."""

    server: Server
    ollama: str | None  # the command
    monitor: Monitor  # read by hand, no thread
    sandbox: Sandbox | None = None
    shortage: Shortage | None = None

    def require_alive(self) -> None:
        """Raise when a private Ollama has ended: then its memory is free for another reason."""
        if self.sandbox is not None and not self.sandbox.is_running:
            raise RunFailed(
                "The private Ollama has ended in the middle of the experiment: something has "
                "killed it. Run the experiment again."
            )

    @property
    def page_cache_bytes(self) -> int | None:
        """Of the budget; without one, of the whole machine (None where it is not told)."""
        if self.shortage is not None:
            return self.shortage.page_cache_bytes()
        return getattr(psutil.virtual_memory(), "cached", None)  # Linux tells it

    @property
    def used_bytes(self) -> int:
        """Of the budget; without one, of the whole machine."""
        if self.shortage is not None:
            return self.shortage.used_bytes()
        return int(psutil.virtual_memory().used)
