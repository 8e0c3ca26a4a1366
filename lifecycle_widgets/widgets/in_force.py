"""InForceView: what is in force at a server, beside what was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.monitor import Monitor, Sample
from lifecycle_widgets.widgets.base import Composite, refuse_unknown
from lifecycle_widgets.widgets.in_force_html import in_force_html, in_force_on
from lifecycle_widgets.widgets.still.sheet import Sheet

_LEAST_S = 2.0  # between two updates


class InForceView(Composite):
    """Shows what is in force at a server: of its process, and of each model's runner.

    The version that answers now, for how long, restarts; the default keep_alive and how it is
    known; the variables that the process was started with (secrets masked). For each model the
    settings on its runner's command line, memory, processor, and until when it stays. What cannot
    be seen is said. It changes at most every two seconds, and only where something has changed.

    Parameters
    ----------
    monitor:
        What to show; it is started if it does not run. Closing the view does not stop it.

    Examples
    --------
    >>> InForceView(Monitor.shared())  # doctest: +SKIP
    """

    monitor = traitlets.Instance(Monitor)

    def __init__(self, monitor: Monitor, **keywords: Any) -> None:
        self._lock = threading.RLock()
        self._unlisten: Callable[[], None] = lambda: None
        self._closed, self._last_s = False, 0.0
        refuse_unknown(type(self), keywords)
        self.set_trait("monitor", monitor)
        self._html = widgets.HTML(self._drawn())
        super().__init__([self._html], keywords)
        self.add_class("lw-in-force")
        self.observe(self._moved, "monitor")
        self._begin()

    def close(self) -> None:
        """Listen no more, and leave the page. Idempotent."""
        with self._lock:
            self._closed = True
            self._unlisten()
        super().close()

    def _begin(self) -> None:
        self._unlisten = self.monitor.listen(self._sampled)
        self.monitor.start()

    def _moved(self, _: Any) -> None:
        """Another monitor."""
        with self._lock:
            self._unlisten()
            if not self._closed:
                self._begin()
                self._show()

    def _sampled(self, _: Sample) -> None:
        """A new sample (in the thread of the monitor's listeners)."""
        if time.monotonic() - self._last_s >= _LEAST_S:
            self._last_s = time.monotonic()
            self._show()

    def _show(self) -> None:
        with self._lock:
            if not self._closed:  # what is the same is not sent
                self._html.value = self._drawn()

    def _drawn(self) -> str:
        monitor = self.monitor
        return in_force_html(monitor.server.url, monitor.samples, monitor.requests())

    def _in_short(self) -> str:
        return str(self.monitor.server.url)

    def _still(self, sheet: Sheet) -> None:
        monitor = self.monitor
        in_force_on(sheet, monitor.server.url, monitor.samples, monitor.requests())

    def _still_sources(self) -> tuple[traitlets.HasTraits, ...]:
        return self, self._html
