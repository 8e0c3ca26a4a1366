"""ResourceChart: memory, models and everyone's requests on one time axis."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.monitor import Monitor, Request, Sample
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import AnyServer
from lifecycle_widgets.widgets.base import Composite, refuse_unknown
from lifecycle_widgets.widgets.chart.export.files import file_name
from lifecycle_widgets.widgets.chart.export.saves import Saves
from lifecycle_widgets.widgets.chart.on_paper import known_on, moved
from lifecycle_widgets.widgets.chart.picture import Picture, picture
from lifecycle_widgets.widgets.chart.plot.description import description
from lifecycle_widgets.widgets.chart.plot.plot import Plot
from lifecycle_widgets.widgets.chart.requests.bars import request_key
from lifecycle_widgets.widgets.chart.requests.matching import span_of
from lifecycle_widgets.widgets.chart.scene import Scene
from lifecycle_widgets.widgets.chart.seen.kept_past import AnyHistory
from lifecycle_widgets.widgets.chart.seen.known import Known
from lifecycle_widgets.widgets.chart.seen.scenes import Scenes
from lifecycle_widgets.widgets.chart.toolbar import Toolbar
from lifecycle_widgets.widgets.chart.view import (
    ALL,
    WINDOWS,
    View,
    checked_view,
    checked_window,
    shown_whole,
    view_text,
    zoomed,
)
from lifecycle_widgets.widgets.chart.words import status_text
from lifecycle_widgets.widgets.formats import escaped
from lifecycle_widgets.widgets.still.sheet import Sheet

# between two updates; the monitor gives a sample every 0.5 s or more, and a wide picture does not
# move by a pixel in that time
_LEAST_S, _MOST_S, _PIXELS = 0.4, 2.4, 700
_WITH_ROOM = 1.35  # of what is known: it is all in view, beside the room ahead
_LAST_SESSION = "the last session"


class ResourceChart(Saves, Composite):
    """Shows memory, models and everyone's requests over time, with each model's expiry.

    A lane per model shows when it was in memory and why it left, and below that each request as a
    bar of its phases; other clients' are hatched. A dashed line ahead shows when a model will
    leave. Below: the memory of the runners (where these cannot be seen, what Ollama tells), RAM
    used, CPU, disks while they are read, and GPU and VRAM where there is a GPU. Each line has at
    most 240 points however long the session, peaks and troughs kept.

    It follows the present until its reader drags it, turns the wheel over it (once it was clicked,
    or with Ctrl or Shift), or sets ``view``; it then stays there while data arrive.

    Parameters
    ----------
    monitor:
        What to show; it is started if it does not run. Closing the chart does not stop it.
    server:
        A Server, an address or a Sandbox, instead of a monitor: the chart then has a part in the
        server's one monitor (`Monitor.shared`), and gives it back when it is closed.
    window_s:
        How many seconds the chart is wide, 10 or more. Can be set at any time.
    history:
        A `History`: the chart then shows what was kept of the time before the monitor's samples,
        and begins with the last session, until a model is in memory.

    Raises
    ------
    ValueError
        When neither or both of ``monitor`` and ``server`` are given.

    Examples
    --------
    >>> chart = ResourceChart(server=server)  # doctest: +SKIP
    >>> chart.view = noon, noon + timedelta(minutes=5)  # held  # doctest: +SKIP
    >>> chart.save("five-minutes.csv")  # doctest: +SKIP
    """

    _is_pictured = True

    monitor = traitlets.Instance(Monitor)
    window_s = traitlets.Float(120.0)
    view = traitlets.Any(None, help="None: live. Else the times (start, end) that are held.")
    paused = traitlets.Bool(help="Whether what is shown stays as it is.")
    marked = traitlets.Tuple(help="Runs whose requests stand out.")
    clicked = traitlets.Any(None, help="The request whose bar was clicked last.")
    status = traitlets.Unicode(help="The line under the chart, as plain text; for reading.")

    def __init__(
        self,
        monitor: Monitor | None = None,
        *,
        server: AnyServer = None,
        window_s: float = 120.0,
        history: AnyHistory | None = None,
        **keywords: Any,
    ) -> None:
        self._lock = threading.RLock()
        self._scenes = Scenes(history, came=self._redraw)
        self._unlisten: Callable[[], None] = lambda: None
        self._own: Monitor | None = None
        self._closed = self._is_last_session = False
        if (monitor is None) == (server is None):
            raise ValueError("Give a Monitor, or server=... (a Server or its address).")
        self._last_s = -1.0
        self._draws = (0, 0.0)  # how many, seconds of CPU
        self._drawn: dict[str, Request] = {}  # by what their bars are known by
        self._spoken = ""
        self.set_trait("window_s", window_s)
        refuse_unknown(type(self), keywords)  # before anything is taken that is to be given back
        if monitor is None:
            monitor = self._own = Monitor.shared(server)
        self.set_trait("monitor", monitor)
        self._scenes.of(monitor)
        with self._lock:  # the history may have answered before there is a plot
            known = self._scenes.known
            shown = self._picture(known)
            self._plot = Plot(shown, heard=self._heard, spoken=self._spoken)
            self._tools = Toolbar(
                chosen=self._choose,
                zoom=self._zoom,
                pause=lambda wanted: self.set_trait("paused", wanted),
                live=self.go_live,
                export=self._export,
            )
            self._status = widgets.HTML().add_class("lw-chart-status")
            self._show_words(known)
            super().__init__([self._tools, self._plot, self._status], keywords)
        self.add_class("lw-chart")
        self.observe(self._moved, "monitor")
        self.observe(self._paused, "paused")
        self.observe(lambda _: self._redraw(), ["window_s", "view", "marked"])
        self._begin()
        self._scenes.ask_last_session(self._show_last)

    # --- for code --------------------------------------------------------------------------------

    def go_live(self) -> None:
        """Follow the present again, and go on when paused."""
        self.paused = False
        self.view = None

    def show_runs(self, *runs: Run) -> None:
        """Mark the requests of runs, and move to those of the last one if they are not in view."""
        self.marked = runs
        if runs:
            now = self._shown_view(self._scenes.known)
            wanted = shown_whole(now, *span_of(runs[-1]))
            if wanted != now:
                self.view = wanted

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
        self._scenes.close()
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
            self._scenes.of(self.monitor)
        if own is not None:
            own.stop()
        with self._lock:
            if self._closed:
                return
            self._begin()
            self.go_live()
            self._redraw()
        self._scenes.ask_last_session(self._show_last)

    def _sampled(self, sample: Sample) -> None:
        """A new sample (in the monitor's thread)."""
        now_s = time.monotonic()
        if now_s - self._last_s < min(max(self.window_s / _PIXELS, _LEAST_S), _MOST_S):
            return
        self._last_s = now_s
        if self._is_last_session and (sample.residents or sample.runners):
            self.go_live()
        self._redraw()

    def _redraw(self) -> None:
        began_s = time.thread_time()
        with self._lock:
            if self._closed:
                return
            known = self._scenes.known
            self._plot.show_picture(self._picture(known), self._followed, self._spoken)
            self._show_words(known)
        count, cpu_s = self._draws
        self._draws = count + 1, cpu_s + time.thread_time() - began_s

    def _paused(self, _: Any) -> None:
        with self._lock:
            self._scenes.freeze(self.paused)
            self._redraw()

    # --- drawing ---------------------------------------------------------------------------------

    def _picture(self, known: Known) -> Picture:
        scene = self._scene(known)
        self._drawn = {request_key(request): request for request in scene.asked}
        self._spoken = description(scene)
        return picture(scene)

    def _scene_now(self) -> Scene:
        with self._lock:
            return self._scene(self._scenes.known)

    def _scene(self, known: Known) -> Scene:
        return self._scenes.scene(known, self._shown_view(known), self.marked)

    def _shown_view(self, known: Known) -> View:
        """From when to when the chart shows."""
        return self.view or self._scenes.live_view(known, self.window_s)

    def _show_words(self, known: Known) -> None:
        self.status = status_text(
            known.samples[-1] if known.samples else None,
            known.stays,
            requests=known.requests,
            cost_fraction=self.monitor.overhead + self.cost_s / self.monitor.interval_s,
            is_elsewhere=not self.monitor.server.is_local,
        )
        said = " · ".join(filter(None, (self.status, self._scenes.told)))
        self._status.value = f'<span class="lw-muted">{escaped(said)}</span>'
        window_s = (self.view[1] - self.view[0]).total_seconds() if self.view else self.window_s
        is_live = self.view is None and not self.paused
        self._tools.show(window_s=window_s, is_paused=self.paused, is_live=is_live)

    @property
    def _followed(self) -> str:
        """What is said of a view that does not follow the present."""
        return _LAST_SESSION if self._is_last_session else view_text(self.view, self.paused)

    # --- what its reader does --------------------------------------------------------------------

    def _heard(self, said: dict[str, Any]) -> None:
        """What a page tells: which stretch is wanted, or which bar was clicked."""
        if "clicked" in said:
            self.clicked = None  # so that it is heard each time
            self.clicked = self._drawn.get(said["clicked"])
        elif said.get("view") is None:
            self.go_live()
        else:
            start, end = (self._scenes.time_at(float(place)) for place in said["view"])
            try:
                self.view = start, max(end, start + timedelta(seconds=1))
            except (traitlets.TraitError, ValueError, OverflowError):
                return

    def _choose(self, name: str) -> None:
        """A width: of the present, or of what is held, about its middle."""
        if name == ALL:
            self.go_live()
            known = self._scenes.known
            age_s = (known.now - (self._scenes.begins(known) or known.now)).total_seconds()
            self.window_s = max(age_s * _WITH_ROOM, WINDOWS["1 min"])
            return
        if self.view is not None:
            view_s = (self.view[1] - self.view[0]).total_seconds()
            self.view = zoomed(self.view, WINDOWS[name] / view_s)
        self.window_s = WINDOWS[name]

    def _zoom(self, factor: float) -> None:
        if self.view is not None:
            self.view = zoomed(self.view, factor)
        else:
            self.window_s = max(self.window_s * factor, 10.0)

    def _export(self, what: str) -> None:
        ending = ".csv" if what.startswith("CSV") else f".{what.lower()}"
        name = file_name(self.monitor.server.url, self._scenes.known.now.astimezone(), ending)
        if ending != ".csv":
            self._plot.save_on_page(name)
            return
        frame = self.frame if what == "CSV" else self.requests_frame
        self._plot.give(name, frame.to_csv(index=False))

    def _show_last(self, session: View) -> None:
        """The last session, until something happens (in a thread of its own)."""
        with self._lock:
            latest = self.monitor.latest
            if self._closed or self.view is not None or (latest and latest.residents):
                return
            self.view = session
            self._is_last_session = True
            self._redraw()

    @traitlets.observe("view")
    def _viewed(self, _: Any) -> None:
        self._is_last_session = False

    @traitlets.validate("window_s")
    def _checked(self, proposal: Any) -> float:
        return checked_window(proposal["value"])

    @traitlets.validate("view")
    def _checked_view(self, proposal: Any) -> View | None:
        return checked_view(proposal["value"])

    def _in_short(self) -> str:
        return f"{self.monitor.server.url}, window_s={self.window_s:g}"

    def _still(self, sheet: Sheet) -> None:
        with self._lock:
            known = self._scenes.known
        about = f"{self.monitor.server.url}: memory, models and requests"
        before = sheet.html
        sheet.head(about)
        known_on(sheet, known)
        what = self.window_s, self.view, self.paused, tuple(map(id, self.marked))
        is_live = self.view is None and not self.paused
        happened = sheet.html.removeprefix(before), moved(known, is_live=is_live)
        sheet.draw(lambda: self.figure, about, (what, happened))
