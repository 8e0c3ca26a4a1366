"""Keeper: writes what is seen of one server into one file, whoever in this process wants it."""

from __future__ import annotations

import atexit
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lifecycle_widgets.history import retention
from lifecycle_widgets.history.file.book import Book
from lifecycle_widgets.history.file.faults import HistoryError, explained
from lifecycle_widgets.history.file.opening import for_writing
from lifecycle_widgets.history.file.rows import US
from lifecycle_widgets.history.file.whose import name_for
from lifecycle_widgets.history.writing.leases import Lease, lease_of, lease_until_us, put_lease
from lifecycle_widgets.history.writing.pending import Pending, StayKey
from lifecycle_widgets.history.writing.requests import add_own
from lifecycle_widgets.history.writing.runs import add_run
from lifecycle_widgets.history.writing.seen import Watcher
from lifecycle_widgets.monitor import Monitor, Sample
from lifecycle_widgets.runs import Run

EVERY_S = 10.0
"""How often it writes; less than a lease."""

_FIRST_S = 1.0
_BUSY_S = 1.0  # a listener that takes longer than two seconds is left behind by its monitor
_SETTLED_S = 7.0  # what is that old, and two samples, changes no more (`requests_settled`)
_CLOSES_WITHIN_S = 5.0
_TIDY_EVERY_S = 3600.0
_TIDY_FIRST_S = 60.0  # not while a notebook is being opened


class Keeper:
    """Listens to one of the monitors that it was given, in that one's listeners' thread.

    Parameters
    ----------
    path:
        The file.
    name:
        The server's, in the history.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self.told: str | None = None  #: what is wrong, in a sentence; None when nothing is
        self._me = f"{os.getpid()} {secrets.token_hex(4)}"
        self._pending, self._watcher = Pending(), Watcher()
        self._book: Book | None = None
        self._file: tuple[int, int] | None = None
        self._monitors: list[Monitor] = []
        self._heard: Monitor  # the one of them that is listened to
        self._lock, self._next_s = threading.Lock(), 0.0
        self._tidy_s = time.monotonic() + _TIDY_FIRST_S
        self._unlisten: Callable[[], None] = lambda: None
        from lifecycle_widgets.agent.record.ended import listen_to_runs  # who only reads needs none

        self._unlisten_to_runs = listen_to_runs(self._run_ended)
        atexit.register(self.close)

    # --- whom it listens to ----------------------------------------------------------------------

    def follow(self, monitor: Monitor) -> None:
        """One more that watches the server."""
        self._monitors.append(monitor)
        if len(self._monitors) == 1:
            self._listen()

    def leave(self, monitor: Monitor) -> bool:
        """Listen to it no more. True where it was the last one: this keeper is closed then."""
        if monitor not in self._monitors:  # closed already
            return not self._monitors
        if len(self._monitors) == 1:
            self.close()
            return True
        self._monitors.remove(monitor)
        if self._heard is monitor and monitor not in self._monitors:
            self._unlisten()
            self._write(monitor)
            self._pending.begin_with_another()
            self._watcher.has_it = False  # what the next one has seen, too, is in the file
            self._listen()
        return False

    def close(self) -> None:
        """Write what is left. Harmless when done already."""
        atexit.unregister(self.close)
        self._unlisten()
        self._unlisten_to_runs()
        if self._monitors:
            self._write(self._heard, last=True)
            self._monitors.clear()
        self._let_go()

    def _listen(self) -> None:
        self._heard = self._monitors[0]
        self._next_s = time.monotonic() + _FIRST_S
        self._unlisten = self._heard.listen(self._hear)

    def _hear(self, sample: Sample) -> None:
        if sample.t_s >= self._next_s and self._monitors:
            self._write(self._heard)

    def _run_ended(self, run: Run) -> None:
        url = run.server_url
        if url and (url == self._heard.server.url or name_for(url) == self.name):
            self._pending.runs.append(run)

    # --- writing ---------------------------------------------------------------------------------

    def _write(self, monitor: Monitor, *, last: bool = False) -> None:
        """Whatever goes wrong is said in `told`, and what was not written waits for the next."""
        if not self._lock.acquire(timeout=_CLOSES_WITHIN_S):
            return
        try:
            self._next_s = time.monotonic() + EVERY_S
            self._pending.take(monitor, last=last)
            with explained(self.path):
                self._put(last)
            self.told = None
        except HistoryError as fault:
            self._let_go()
            self.told = f"Nothing is added to the history for now. {fault}"
        finally:
            if self._pending.lost:
                lost = f"{self._pending.lost:,} older records could not wait, and are lost."
                self.told = f"{self.told} {lost}" if self.told else lost
            self._lock.release()

    def _put(self, last: bool) -> None:
        book, pending = self._opened(), self._pending
        now_us = time.time_ns() // 1000
        settles_s = 2 * self._heard.interval_s + (0.0 if last else _SETTLED_S)
        seen_us = now_us - round(settles_s * US)
        lease = lease_of(book, self.name)
        holds = lease is None or lease.is_free_for(self._me, now_us)
        if holds or pending.own or pending.runs:
            runs, over = len(pending.runs), list[StayKey]()
            with book.transaction():
                server = book.server(self.name)
                lease = lease_of(book, self.name)  # again: from here on nobody else writes
                holds = lease is None or lease.is_free_for(self._me, now_us)
                self._watcher.has_it &= lease is not None and lease.holder == self._me
                self._put_own(book, server, runs, holds)
                if holds:
                    known_us = now_us if last else seen_us
                    over = self._watcher.put(book, server, pending, lease, now_us, known_us)
                    until_us = lease_until_us(now_us, self._heard.interval_s)
                    mine = Lease(self._me, now_us if last else until_us, seen_us)
                    put_lease(book, server, mine)
            pending.wrote_own(runs)
            if holds:
                pending.wrote_seen(over, seen_us)
        self._watcher.has_it = holds and not last
        if lease is not None and not holds:
            pending.drop_until(lease.seen_us)
            soon_s = (lease.until_us - now_us) / US + 0.2
            self._next_s = time.monotonic() + min(EVERY_S, max(soon_s, _FIRST_S))
        elif time.monotonic() >= self._tidy_s and not last:
            self._tidy_s = time.monotonic() + _TIDY_EVERY_S
            retention.apply(book)

    def _put_own(self, book: Book, server: int, runs: int, holds: bool) -> None:
        for request in self._pending.own:
            anew = self._watcher.is_anew(request)
            key = add_own(book, server, request, holds=holds, anew=anew)
            if key is not None:
                self._watcher.own.append(key)
        for number in range(runs):
            add_run(book, server, self._pending.runs[number])

    # --- the file --------------------------------------------------------------------------------

    def _opened(self) -> Book:
        """The file, also when the person has moved it away meanwhile: then a new one."""
        if self._file != _identity(self.path):
            self._let_go()
            self._watcher = Watcher()
        if self._book is None:
            self._book = Book(for_writing(self.path, _BUSY_S))
            self._file = _identity(self.path)
        return self._book

    def _let_go(self) -> None:
        book, self._book = self._book, None
        if book is not None:
            with suppress(sqlite3.Error):
                book.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
