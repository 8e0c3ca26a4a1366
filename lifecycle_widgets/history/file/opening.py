"""Connections to the file: for writing, which brings it up to date, and for reading."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lifecycle_widgets.history.file.faults import explained
from lifecycle_widgets.history.file.schema import is_current, migrate

BUSY_S = 2.0
"""How long to wait for another process that writes."""

_RETRY_S = 0.02


def for_writing(path: Path, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """A connection that begins its transactions by hand; any thread may use it, one at a time.

    Raises
    ------
    HistoryError
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():  # sizes and times, but the person's own
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = _connected(str(path), busy_s)
        try:
            if not is_current(connection, path):
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table
                _to_wal(connection, busy_s)
                migrate(connection, path)
            else:
                _to_wal(connection, busy_s)
            connection.execute("PRAGMA synchronous = NORMAL")  # a kill loses nothing; see tests
            connection.execute("PRAGMA journal_size_limit = 4000000")
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that only reads, for the time of a block; None where there is no file yet.

    Raises
    ------
    HistoryError
        Also for what goes wrong in the block.
    """
    with explained(path):
        if not path.exists() or path.stat().st_size == 0:
            yield None
            return
        with closing(_for_reading(path)) as connection:
            if not is_current(connection, path):  # an older version's, or one that is being made
                connection.close()
                for_writing(path).close()
                connection = _for_reading(path)
            with closing(connection):
                connection.execute("BEGIN")  # one picture, whatever is written meanwhile
                yield connection


def _for_reading(path: Path) -> sqlite3.Connection:
    uri = path.as_uri()
    connection = _connected(f"{uri}?mode=ro", BUSY_S)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as fault:
        connection.close()
        if "unable to open" not in str(fault) and "readonly" not in str(fault):
            raise
        # a folder in which nothing may be written has no room for WAL's files: nobody writes
        return _connected(f"{uri}?mode=ro&immutable=1", BUSY_S)
    return connection


def _connected(name: str, busy_s: float) -> sqlite3.Connection:
    return sqlite3.connect(
        name,
        uri=name.startswith("file:"),
        timeout=busy_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def _to_wal(connection: sqlite3.Connection, busy_s: float) -> None:
    """Readers and a writer at once. SQLite does not wait for others here, so we do."""
    until_s = time.monotonic() + busy_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as fault:
            if "locked" not in str(fault) or time.monotonic() > until_s:
                raise
            time.sleep(_RETRY_S)
