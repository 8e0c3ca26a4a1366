"""Watcher: writes what a monitor has seen, and for which time that is known."""

from __future__ import annotations

import time
from collections import deque

from lifecycle_widgets.history.file.book import Book
from lifecycle_widgets.history.file.rows import US, time_us
from lifecycle_widgets.history.writing.leases import Lease
from lifecycle_widgets.history.writing.pending import Pending, StayKey
from lifecycle_widgets.history.writing.readings import add_bin
from lifecycle_widgets.history.writing.requests import add_seen
from lifecycle_widgets.history.writing.stays import add_stay, close_unseen
from lifecycle_widgets.monitor import Request
from lifecycle_widgets.monitor.in_force import InForce

_JUMP_S = 2.0  # a clock that differs by more from how time has passed was set


class Watcher:
    """Of one file and one server.

    ``has_it``: whether it wrote the last time, too. ``own``: the keys of this process's requests.
    """

    def __init__(self) -> None:
        self.has_it = False
        self.own: deque[int] = deque(maxlen=1000)
        self._watch: int | None = None
        self._from_us = self._floor_us = self._begun_us = 0
        self._clock_s = _clock_s()
        self._start: tuple[str | None, int | None] | None = None

    def put(
        self,
        book: Book,
        server: int,
        pending: Pending,
        lease: Lease | None,
        now_us: int,
        seen_us: int,
    ) -> list[StayKey]:
        """In the caller's transaction. Returns which stays are over.

        Parameters
        ----------
        lease:
            As it was before.
        now_us, seen_us:
            Now, and up to when what was seen is complete.
        """
        anew = not self.has_it
        was_set = self._clock_was_set()
        if anew or was_set or not self._goes_on(book, seen_us):
            self._begin(book, server, pending, lease, now_us, was_set)
            self._goes_on(book, seen_us)
        pending.drop_until(self._floor_us)  # also what settles late
        self._put_requests(book, server, pending)
        for number, taken in pending.bins.items():
            add_bin(book, server, number, taken)
        over = [
            key
            for key, stay in pending.stays.items()
            if add_stay(book, server, stay, now_us, seen_us, self._from_us)
        ]
        if anew:
            close_unseen(book, server, now_us)
        if pending.in_force is not None:
            self._put_start(book, server, pending.in_force, now_us)
        return over

    def _begin(
        self,
        book: Book,
        server: int,
        pending: Pending,
        lease: Lease | None,
        now_us: int,
        was_set: bool,
    ) -> None:
        """A stretch of time of which is known what happened begins."""
        since_us = now_us if was_set or pending.since_us is None else pending.since_us
        if lease is not None and lease.seen_us <= now_us:
            since_us = max(since_us, lease.seen_us)
        self._from_us = since_us
        before_us = 0 if lease is None or was_set else min(lease.seen_us, now_us)
        self._floor_us, self._begun_us = before_us, now_us if before_us else 0
        self._watch = book.execute(
            "INSERT INTO watches (server, from_us, to_us) VALUES (?, ?, ?)",
            (server, since_us, since_us),
        ).lastrowid

    def _goes_on(self, book: Book, seen_us: int) -> bool:
        """It lasts until now; False where there is none, or the person has deleted it."""
        put = "UPDATE watches SET to_us = max(from_us, ?) WHERE id = ?"
        return book.execute(put, (seen_us, self._watch)).rowcount > 0

    def is_anew(self, request: Request) -> bool:
        """Whether it ended before this process began to write: so another one may have seen it."""
        assert request.ended_at is not None
        return not self.has_it or time_us(request.ended_at) <= self._begun_us

    def _put_requests(self, book: Book, server: int, pending: Pending) -> None:
        taken = set(self.own)
        for request in pending.seen:
            add_seen(book, server, request, anew=self.is_anew(request), taken=taken)

    def _clock_was_set(self) -> bool:
        before, self._clock_s = self._clock_s, _clock_s()
        return abs(self._clock_s - before) > _JUMP_S

    def _put_start(self, book: Book, server: int, in_force: InForce, now_us: int) -> None:
        """Which version answers since when: a row for each that is another than the one before."""
        started_us = time_us(in_force.started_at) // US if in_force.started_at else None
        start = (in_force.version, started_us)
        if start == self._start or start == (None, None):
            return
        last = book.execute(
            "SELECT version, started_us / ? FROM starts WHERE server = ? "
            "ORDER BY at_us DESC LIMIT 1",
            (US, server),
        ).fetchone()
        if last is None or not _same_start(last, start):
            at_us = started_us * US if started_us else None
            book.execute(
                "INSERT OR REPLACE INTO starts VALUES (?, ?, ?, ?)",
                (server, now_us, start[0], at_us),
            )
        self._start = start


def _same_start(one: tuple[str | None, int | None], other: tuple[str | None, int | None]) -> bool:
    """When a process began is told to a second or two."""
    version, began = one[0] == other[0], (one[1], other[1])
    return version and (None in began or abs((began[0] or 0) - (began[1] or 0)) <= 2)


def _clock_s() -> float:
    return time.time() - time.monotonic()
