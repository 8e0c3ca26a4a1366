"""How far a server's clock is ahead of ours, from the Date header of its answers."""

from __future__ import annotations

import math
import threading
import time
from email.utils import parsedate_to_datetime
from functools import lru_cache


class ServerClock:
    """Narrows the difference of two clocks down, one answer after another.

    A Date header has whole seconds, and was written between sending the question and having the
    answer; so each answer gives bounds for the difference. While 0 lies within all of them the
    clocks count as the same.

    Examples
    --------
    >>> clock = ServerClock()
    >>> clock.heard("Wed, 25 Nov 2026 12:02:00 GMT", sent_at=1795608000.0, heard_at=1795608000.2)
    >>> round(clock.ahead_s)
    120
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._low_s, self._high_s = -math.inf, math.inf
        self._ahead_s = 0.0

    @property
    def ahead_s(self) -> float:
        """Seconds that the server's clock is ahead of ours; 0.0 while they may be the same."""
        return self._ahead_s

    def heard(
        self, date: str | None, *, sent_at: float | None = None, heard_at: float | None = None
    ) -> None:
        """Take in the Date header of an answer; the times are `time.time()`'s."""
        if not date or (told := _seconds(date)) is None:
            return
        heard = time.time() if heard_at is None else heard_at
        # a gateway may write a time that it has read up to a second ago
        low_s, high_s = told - heard - 0.1, told + 2.0 - (heard if sent_at is None else sent_at)
        with self._lock:
            self._low_s, self._high_s = max(self._low_s, low_s), min(self._high_s, high_s)
            if self._low_s > self._high_s:  # one of the clocks was set
                self._low_s, self._high_s = low_s, high_s
            if not self._low_s <= self._ahead_s <= self._high_s:
                # else it stays as it is: a deadline must not move with every answer
                same = self._low_s <= 0 <= self._high_s
                likely_s = min(self._high_s, self._low_s + 1.1)  # a stale Date is the exception
                self._ahead_s = 0.0 if same else (self._low_s + likely_s) / 2


@lru_cache(maxsize=4)  # of several answers in a second it is the same
def _seconds(date: str) -> float | None:
    """The time of a Date header; None where it is no date: nothing is learnt."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return None
