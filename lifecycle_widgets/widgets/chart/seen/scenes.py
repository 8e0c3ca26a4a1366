"""Scenes: which stretch of time is in view, and all that is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from lifecycle_widgets.history import Past
from lifecycle_widgets.model_colors import MODEL_COLORS
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.runs import Run
from lifecycle_widgets.widgets.chart.requests.bars import request_key
from lifecycle_widgets.widgets.chart.requests.matching import requests_of
from lifecycle_widgets.widgets.chart.scene import Scene, models_of, room_ahead
from lifecycle_widgets.widgets.chart.seen.kept_past import AnyHistory, KeptPast
from lifecycle_widgets.widgets.chart.seen.known import Known, known_of, with_past
from lifecycle_widgets.widgets.chart.view import View

_GLIDE = 0.07  # of the window: how far the view moves per update to make room for an expiry
_LEAST_SESSION = timedelta(seconds=5)
_UNNAMED = "#8a8a8a"  # of a stay whose model is not told


class Scenes:
    """Makes the scenes of one monitor after another.

    Parameters
    ----------
    history:
        What has the time before the monitor's samples; None: nothing does.
    came:
        Called in a thread when the history has answered.
    """

    def __init__(self, history: AnyHistory | None, came: Callable[[], None]) -> None:
        self._past = KeptPast(history, came)
        self._monitor: Monitor | None = None
        self._frozen: Known | None = None
        self._ahead_s = 0.0

    @property
    def told(self) -> str:
        """What is wrong with the history, in a sentence; empty: nothing."""
        return self._past.told

    @property
    def known(self) -> Known:
        """What the monitor has seen; where it was frozen, what it had seen then."""
        assert self._monitor is not None
        return self._frozen or known_of(self._monitor)

    def begins(self, known: Known) -> datetime | None:
        """When the first was seen of which anything is known."""
        begins = [at for at in (self._past.begins, known.begins) if at is not None]
        return min(begins, default=None)

    def of(self, monitor: Monitor) -> None:
        """Those of this monitor from now on."""
        self._monitor, self._frozen, self._ahead_s = monitor, None, 0.0

    def freeze(self, wanted: bool) -> None:
        """Keep to what is known now, or no more."""
        self._frozen = None
        self._frozen = self.known if wanted else None

    def ask_last_session(self, then: Callable[[View], None]) -> None:
        """Have ``then`` called, in a thread, with where the last session before this one was."""
        assert self._monitor is not None

        def came(past: Past) -> None:
            end = min(past.end, self.known.begins or past.end)
            if end - past.start >= _LEAST_SESSION:  # else it is the one that has just begun
                pad = max((end - past.start) * 0.03, _LEAST_SESSION)
                then((past.start - pad, end + pad))

        self._past.begin(self._monitor.server, came)

    def live_view(self, known: Known, window_s: float) -> View:
        """The present; the room ahead glides to where it is wanted, from one call to the next."""
        wanted_s = room_ahead(known.stays, self.begins(known), known.now, window_s)
        step_s = _GLIDE * window_s
        near_s = min(max(wanted_s, self._ahead_s - step_s), self._ahead_s + step_s)
        self._ahead_s = near_s if self._ahead_s else wanted_s
        end = known.now + timedelta(seconds=self._ahead_s)
        return end - timedelta(seconds=window_s), end

    def scene(self, known: Known, view: View, marked: Iterable[Run] = ()) -> Scene:
        """What is known of a stretch of time, with what a history has of it."""
        assert self._monitor is not None
        start, end = view
        server = self._monitor.server
        if known.begins is None or start < known.begins:
            known = with_past(known, self._past.get(server, start, min(end, known.begins or end)))
        chosen = [request for run in marked for request in requests_of(run, known.requests)]
        return Scene(
            samples=known.samples,
            stays=known.stays,
            now=known.now,
            window_s=(end - start).total_seconds(),
            ahead_s=(end - known.now).total_seconds(),
            colors={
                "": _UNNAMED,
                **MODEL_COLORS.of(server.url, models_of(known.stays, known.requests)),
            },
            is_elsewhere=not server.is_local,
            requests=known.requests,
            busy=known.busy,
            marked={request_key(request) for request in chosen},
        )

    def time_at(self, place: float) -> datetime:
        """The time that a scene has at a place (`Scene.place`)."""
        now = self.known.now.astimezone()
        offset_s = (now.utcoffset() or timedelta(0)).total_seconds()
        return datetime.fromtimestamp(place - offset_s, now.tzinfo)

    def close(self) -> None:
        """Ask the history no more."""
        self._past.close()
