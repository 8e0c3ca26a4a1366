"""OwnEvents: what this process has done to the time in memory of the models at an address."""

from __future__ import annotations

import threading
from collections import deque

from lifecycle_widgets.server.own_deadlines import OwnDeadlines
from lifecycle_widgets.server.own_requests import OwnRequests

_MOST = 200
_by_url: dict[str, OwnEvents] = {}
_lock = threading.Lock()


class OwnEvents:
    """By whatever `Server` it was done: a run without one makes its own, beside the monitor's.

    Examples
    --------
    >>> OwnEvents.of("http://localhost:11434") is OwnEvents.of("http://localhost:11434")
    True
    """

    def __init__(self) -> None:
        self.unloads: deque[tuple[str, float]] = deque(maxlen=_MOST)
        """(name, monotonic time) of each model that was unloaded."""
        self.zeroed: deque[tuple[str, float]] = deque(maxlen=_MOST)
        """(name, monotonic time) of each request with keep_alive 0 that has ended."""
        self.deadlines = OwnDeadlines()
        """Which deadlines in /api/ps its requests have made."""
        self.requests = OwnRequests()
        """What it has asked of the models."""

    @classmethod
    def of(cls, url: str) -> OwnEvents:
        """Those at an address."""
        with _lock:
            return _by_url.setdefault(url, cls())
