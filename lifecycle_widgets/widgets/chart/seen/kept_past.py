"""KeptPast: what a history has of the time before the monitor's own samples."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from lifecycle_widgets.history import HistoryError, Past
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets.background import Background

_MARGIN = 0.5  # of the width: so much more is asked for on both sides, for the next step
_BINS = 480
_AGAIN_S = 5.0  # after one that failed
_CLOSE_S = 3.0


class AnyHistory(Protocol):
    """What the chart asks of a `History`."""

    def past(self, server: Server, start: datetime, end: datetime, bins: int = 240) -> Past:
        """What there is of a stretch of time."""

    def span(self, server: Server) -> tuple[datetime, datetime] | None:
        """From when to when there is anything."""

    def last_session(self, server: Server) -> Past | None:
        """What was seen when the server was watched last."""


class KeptPast:
    """Asks a history in a thread of its own, and keeps the last answer.

    Parameters
    ----------
    history:
        A `History`; None: there is none.
    came:
        Called, in that thread, when something new is there to be drawn.

    Attributes
    ----------
    told:
        What is wrong with the history, in a sentence; empty: nothing.
    begins:
        When the first was kept that it has of the server; None: nothing, or not known yet.
    """

    def __init__(self, history: AnyHistory | None, came: Callable[[], None]) -> None:
        self._history, self._came = history, came
        self._background, self._lock = Background(), threading.Lock()
        self._past: Past | None = None
        self._server: Server | None = None
        self._failed_s = -_AGAIN_S
        self._is_asking = False
        self.told = ""
        self.begins: datetime | None = None

    def get(self, server: Server, start: datetime, end: datetime) -> Past | None:
        """The past from ``start`` to ``end``, or what there is of it by now; the rest is asked."""
        if self._history is None:
            return None
        with self._lock:
            if server is not self._server:
                self._server, self._past, self._failed_s = server, None, -_AGAIN_S
            past = self._past
            if not _covers(past, start, end):
                self._ask(self._history, server, start, end)
        return past

    def begin(self, server: Server, then: Callable[[Past], None]) -> None:
        """Another server: have ``then`` called, in a thread, with what was seen last of it."""
        history, self.begins = self._history, None

        def look() -> None:
            assert history is not None
            try:
                span, past = history.span(server), history.last_session(server)
            except HistoryError as fault:
                self.told = str(fault)
                return
            self.begins = None if span is None else span[0]
            if past is not None and not self._background.closed:
                then(past)

        if history is not None:
            self._background.start("chart-last-session", look)

    def close(self) -> None:
        """Ask no more."""
        self._background.close(_CLOSE_S)

    def _ask(self, history: AnyHistory, server: Server, start: datetime, end: datetime) -> None:
        """One question at a time; what is wanted by then is asked when its answer is drawn."""
        if self._is_asking or time.monotonic() - self._failed_s < _AGAIN_S:
            return
        self._is_asking = True
        margin = (end - start) * _MARGIN

        def ask() -> None:
            try:
                past = history.past(server, start - margin, end + margin, bins=_BINS)
            except HistoryError as fault:
                self.told, self._failed_s, past = str(fault), time.monotonic(), None
            else:
                self.told = ""
            with self._lock:
                self._is_asking = False
                is_wanted = server is self._server and past is not None
                if is_wanted:
                    self._past = past
            if is_wanted and not self._background.closed:
                self._came()

        if not self._background.start("chart-past", ask):
            self._is_asking = False


def _covers(past: Past | None, start: datetime, end: datetime) -> bool:
    """Whether it has all of the stretch, about as fine as it would have if it were asked now."""
    if past is None or past.start > start or past.end < end:
        return False
    return (past.end - past.start) <= 3 * (1 + 2 * _MARGIN) * (end - start)
