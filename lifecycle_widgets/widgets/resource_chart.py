"""ResourceChart: memory and processor over time, and who is in memory until when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import ipywidgets as widgets
import plotly.graph_objects as go
import traitlets

from lifecycle_widgets.monitor import Monitor, Residency, Sample
from lifecycle_widgets.server import AnyServer
from lifecycle_widgets.widgets.base import Composite, refuse_unknown
from lifecycle_widgets.widgets.chart.live_figure import LiveFigure
from lifecycle_widgets.widgets.chart.picture import Picture, picture
from lifecycle_widgets.widgets.chart.scene import Scene, room_ahead, with_colors
from lifecycle_widgets.widgets.chart.series import without_moving_deadlines
from lifecycle_widgets.widgets.chart.words import status_text
from lifecycle_widgets.widgets.fit import Fit
from lifecycle_widgets.widgets.formats import escaped

_LEAST_S = 0.4  # between two updates; the monitor gives a sample every 0.5 s or more
_GLIDE = 0.07  # of the window: how far the view moves per update to make room for an expiry
_LEAST_WINDOW_S, _MOST_WINDOW_S = 10.0, 3600.0


class ResourceChart(Composite):
    """Shows memory and processor over time, with each model's residency and its expiry.

    A lane per model shows when it was in memory and why it left; a dashed line ahead shows when it
    will leave. Below: the memory of the runners (where these cannot be seen, what Ollama tells),
    RAM used, CPU, and GPU and VRAM where there is a GPU. Each line has at most 240 points however
    long the session, peaks and troughs kept.

    Parameters
    ----------
    monitor:
        What to show; it is started if it does not run. Closing the chart does not stop it.
    server:
        A Server, an address or a Sandbox, instead of a monitor: the chart then has a part in the
        server's one monitor (`Monitor.shared`), and gives it back when it is closed.
    window_s:
        How many seconds the chart is wide, 10 to 3600. Can be set at any time.

    Raises
    ------
    ValueError
        When neither or both of ``monitor`` and ``server`` are given.

    Examples
    --------
    >>> chart = ResourceChart(server=server)  # doctest: +SKIP
    >>> chart.figure  # the same as a plain plotly figure  # doctest: +SKIP
    """

    monitor = traitlets.Instance(Monitor)
    window_s = traitlets.Float(120.0)
    status = traitlets.Unicode(help="The line under the chart, as plain text; for reading.")

    def __init__(
        self,
        monitor: Monitor | None = None,
        *,
        server: AnyServer = None,
        window_s: float = 120.0,
        **keywords: Any,
    ) -> None:
        self._lock = threading.RLock()
        self._unlisten: Callable[[], None] = lambda: None
        self._own: Monitor | None = None
        self._closed = False
        if (monitor is None) == (server is None):
            raise ValueError("Give a Monitor, or server=... (a Server or its address).")
        self._colors: dict[str, str] = {}
        self._ahead_s = 0.0
        self._last_s = -1.0
        self._draws = (0, 0.0)  # how many, seconds of CPU
        self.set_trait("window_s", window_s)
        refuse_unknown(type(self), keywords)  # before anything is taken that is to be given back
        if monitor is None:
            monitor = self._own = Monitor.shared(server)
        self.set_trait("monitor", monitor)
        stays = self._stays()
        self._live = LiveFigure(self._picture(stays))
        self._status = widgets.HTML().add_class("lw-chart-status")
        self._show_status(stays)
        super().__init__([self._live, Fit(), self._status], keywords)
        self.add_class("lw-chart")
        self.observe(self._moved, "monitor")
        self.observe(lambda _: self._redraw(), "window_s")
        self._begin()

    @property
    def figure(self) -> go.Figure:
        """What the chart shows now, as a plain plotly figure (to print, to save, for nbviewer)."""
        with self._lock:
            now = self._picture(self._stays())
        made = go.Figure(data=list(now.traces.values()), layout=now.layout)
        return made.update_xaxes(showspikes=False)  # without our style sheet it is a thick bar

    @property
    def cost_s(self) -> float:
        """Seconds of CPU that an update of the chart takes, on average."""
        count, cpu_s = self._draws
        return cpu_s / count if count else 0.0

    def close(self) -> None:
        """Listen no more, give back the monitor if the chart took it, and leave the page."""
        with self._lock:
            self._closed = True
            self._unlisten()
        if self._own is not None:  # without the lock: the monitor may be waiting for it
            self._own.stop()
        super().close()

    # --- following the monitor -------------------------------------------------------------------

    def _begin(self) -> None:
        self._unlisten = self.monitor.listen(self._sampled)
        self.monitor.start()

    def _moved(self, _: Any) -> None:
        """Another monitor: forget what belonged to the last one."""
        with self._lock:
            self._unlisten()
            own, self._own = self._own, None
            self._colors, self._ahead_s = {}, 0.0
        if own is not None:
            own.stop()
        with self._lock:
            if not self._closed:
                self._begin()
                self._redraw()

    def _sampled(self, _: Sample) -> None:
        """A new sample (in the monitor's thread)."""
        now_s = time.monotonic()
        if now_s - self._last_s >= _LEAST_S:
            self._last_s = now_s
            self._redraw()

    def _redraw(self) -> None:
        began_s = time.thread_time()
        with self._lock:
            if self._closed:
                return
            stays = self._stays()
            self._live.show_picture(self._picture(stays))
            self._show_status(stays)
        count, cpu_s = self._draws
        self._draws = count + 1, cpu_s + time.thread_time() - began_s
        self._live.offer_at_times()  # once or twice, and no part of what an update costs

    # --- drawing ---------------------------------------------------------------------------------

    def _picture(self, stays: tuple[Residency, ...]) -> Picture:
        """The next picture; the room ahead glides to where it is wanted."""
        samples = self.monitor.samples
        self._colors = with_colors(self._colors, stays)
        now = samples[-1].at if samples else datetime.now().astimezone()
        wanted_s = room_ahead(stays, samples, now, self.window_s)
        step_s = _GLIDE * self.window_s
        near_s = min(max(wanted_s, self._ahead_s - step_s), self._ahead_s + step_s)
        self._ahead_s = near_s if self._ahead_s else wanted_s
        return picture(
            Scene(
                samples=samples,
                stays=stays,
                now=now,
                window_s=self.window_s,
                ahead_s=self._ahead_s,
                colors=self._colors,
                is_elsewhere=not self.monitor.server.is_local,
            )
        )

    def _stays(self) -> tuple[Residency, ...]:
        return without_moving_deadlines(self.monitor.residencies(), self.monitor.samples)

    def _show_status(self, stays: tuple[Residency, ...]) -> None:
        self.status = status_text(
            self.monitor.latest,
            stays,
            cost_fraction=self.monitor.overhead + self.cost_s / self.monitor.interval_s,
            is_elsewhere=not self.monitor.server.is_local,
        )
        self._status.value = f'<span class="lw-muted">{escaped(self.status)}</span>'

    @traitlets.validate("window_s")
    def _checked(self, proposal: Any) -> float:
        window_s = float(proposal["value"])
        if not _LEAST_WINDOW_S <= window_s <= _MOST_WINDOW_S:
            raise ValueError(
                f"window_s is {window_s:g}; give {_LEAST_WINDOW_S:g} to {_MOST_WINDOW_S:g} seconds."
            )
        return window_s

    def _in_short(self) -> str:
        return f"{self.monitor.server.url}, window_s={self.window_s:g}"
