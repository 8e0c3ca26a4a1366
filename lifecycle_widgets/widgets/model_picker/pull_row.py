"""PullRow: a button that pulls one missing model, with its progress. Part of ModelPicker."""

from __future__ import annotations

import threading
from collections.abc import Callable

import ipywidgets as widgets

from lifecycle_widgets.server import Server, ServerError, ServerUnreachable
from lifecycle_widgets.widgets.formats import escaped

CANCELLED = "cancelled"
_NEEDED = '<span class="lw-muted">needed here, and not installed</span>'


class PullRow(widgets.HBox):  # type: ignore[misc]
    """Offers one model; pulls it only when asked. Closing it, or Cancel, ends the download.

    Parameters
    ----------
    server, model:
        Where to, and what.
    on_end:
        Called in the pull's thread: with None when the model is there, else with what went wrong.
    """

    def __init__(self, server: Server, model: str, on_end: Callable[[str | None], None]) -> None:
        self.model, self.server, self._on_end = model, server, on_end
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None
        self._button = widgets.Button(description=f"Pull {model}", icon="download")
        self._button.layout.width = "auto"
        self._bar = widgets.FloatProgress(min=0.0, max=1.0, tooltip="How much is pulled")
        self._bar.layout.display = "none"
        self._status = widgets.HTML(_NEEDED).add_class("lw-status")
        super().__init__([self._button, self._bar, self._status])
        self.add_class("lw-row")
        self._button.on_click(lambda _: self.cancel() if self.pulling else self.start())

    @property
    def pulling(self) -> bool:
        """True while the download goes on."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin the pull, in a thread of its own."""
        if self.pulling:
            return
        self._cancel.clear()
        self._button.description, self._button.icon = "Cancel", "times"
        self._bar.layout.display = None
        self._thread = threading.Thread(target=self._pull, name="lifecycle-pull", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """End the download. Ollama keeps what it has, and goes on from there next time."""
        self._cancel.set()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for the end of the pull."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def close(self) -> None:
        """End the download and remove the row."""
        self.cancel()
        super().close()

    def _pull(self) -> None:
        fault: str | None = None
        try:
            for step in self.server.pull(self.model):
                if self._cancel.is_set():
                    fault = CANCELLED
                    break
                self._show(step.status, step.fraction)
        except (ServerUnreachable, ServerError) as error:
            fault = f"{self.model} could not be pulled. {error}"
        self._button.description, self._button.icon = f"Pull {self.model}", "download"
        self._bar.layout.display = "none"
        self._status.value = _NEEDED
        self._on_end(fault)

    def _show(self, status: str, fraction: float | None) -> None:
        if fraction is not None:
            self._bar.value = round(fraction, 2)  # at most a hundred messages a layer
        share = f" {fraction:.0%}" if fraction is not None else ""
        self._status.value = f'<span class="lw-muted">{escaped(status)}{share}</span>'
