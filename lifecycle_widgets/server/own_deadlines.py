"""OwnDeadlines: which deadlines in /api/ps this process's own requests have made."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from lifecycle_widgets.server.values import Resident

_MOST = 200
_LATE_S = 10.0  # how old a reading of /api/ps may be that is asked about
_FOREVER_S = (2**63 - 1) / 1e9  # a deadline like any other to Ollama: 292 years after the request


class _Made(NamedTuple):
    model: str
    seconds: float
    began_at: float  # time.time()
    ended_at: float


class OwnDeadlines:
    """Knows a deadline again: when a request of ours has ended, and the keep_alive then in force.

    Ollama sets a deadline when the last request in flight ends: to that time, and the keep_alive
    that is in force. So one of somebody else's request is another, but by coincidence; and what a
    request has set does not outlive the next one of ours.

    Examples
    --------
    >>> from datetime import datetime, timedelta, timezone
    >>> own, now = OwnDeadlines(), datetime.now(timezone.utc)
    >>> own.note("llama3.2", 300.0)
    >>> ours = Resident("llama3.2:latest", None, expires_at=now + timedelta(minutes=5))
    >>> own.seconds(ours, lambda one, other: True, tolerance_s=1.0)
    300.0
    >>> theirs = Resident("llama3.2:latest", None, expires_at=now + timedelta(minutes=4))
    >>> own.seconds(theirs, lambda one, other: True, tolerance_s=1.0) is None
    True
    """

    def __init__(self) -> None:
        self._made: deque[_Made] = deque(maxlen=_MOST)

    def note(self, model: str, seconds: float, began_at: float | None = None) -> None:
        """A request of ours has ended, and the model stays for so long (endless: forever).

        Parameters
        ----------
        began_at:
            When the request began (``time.time()``), where its end may be news that comes late:
            who reads an answer slowly has its end after Ollama. None: it ended just now.
        """
        now = time.time()
        began_at = now if began_at is None else began_at
        self._made.append(_Made(model, min(seconds, _FOREVER_S), began_at, now))

    def last(self, model: str) -> float | None:
        """The keep_alive that was last in force by us, in seconds; None: none of ours is known."""
        return next((m.seconds for m in reversed(self._listed()) if m.model == model), None)

    def seconds(
        self, resident: Resident, is_same: Callable[[str, str], bool], tolerance_s: float
    ) -> float | None:
        """The keep_alive of ours that has made the deadline; None: somebody else's has.

        Parameters
        ----------
        is_same:
            Tells whether two names are one model. It may ask the server, so it is called only for
            what fits in time.
        tolerance_s:
            By how much the clocks may differ, in seconds.
        """
        if resident.expires_at is None:
            return None
        expires_at, listed = resident.expires_at.timestamp(), self._listed()
        for made in reversed(listed):
            set_at = expires_at - made.seconds
            is_then = made.began_at - tolerance_s <= set_at <= made.ended_at + tolerance_s
            if is_then and is_same(made.model, resident.name):
                later = (m for m in listed if m.ended_at > made.ended_at + _LATE_S)
                is_replaced = any(is_same(m.model, resident.name) for m in later)
                return None if is_replaced else made.seconds
        return None

    def _listed(self) -> list[_Made]:
        return list(self._made)
