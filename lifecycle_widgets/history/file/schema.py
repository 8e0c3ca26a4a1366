"""The tables, and how a file of an older version becomes one of this version."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from lifecycle_widgets.history.file.faults import HistoryError

APPLICATION_ID = 0x6C777331  # "lws1": so that no other program's database is taken for ours

# Times are whole microseconds since 1970 (wall clock), durations too; names are numbers of a table
# of names. A row's key is its time, and what came second in a microsecond has the next one: so the
# rows lie in order of time without an index. `about` holds bits, see rows.py.
_FIRST = (
    "CREATE TABLE servers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE models (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE words (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE requests (
        ended_us INTEGER PRIMARY KEY, server INTEGER NOT NULL, model INTEGER NOT NULL,
        about INTEGER NOT NULL, count INTEGER NOT NULL, kind INTEGER, took_us INTEGER,
        queued_us INTEGER, load_us INTEGER, prompt_eval_us INTEGER, eval_us INTEGER,
        ttft_us INTEGER, prompt_tokens INTEGER, output_tokens INTEGER, keep_alive_ms INTEGER,
        status INTEGER, begin_within_us INTEGER, end_within_us INTEGER)""",
    """CREATE TABLE residencies (
        since_us INTEGER PRIMARY KEY, server INTEGER NOT NULL, model INTEGER NOT NULL,
        until_us INTEGER, seen_us INTEGER NOT NULL, why INTEGER, expires_us INTEGER,
        about INTEGER NOT NULL, loads INTEGER NOT NULL, requests INTEGER NOT NULL,
        size_bytes INTEGER, vram_bytes INTEGER, loaded_by INTEGER, touched_by INTEGER,
        keep_alive_ms INTEGER, load_us INTEGER)""",
    "CREATE INDEX residencies_until ON residencies (until_us)",
    """CREATE TABLE runs (
        started_us INTEGER PRIMARY KEY, server INTEGER NOT NULL, model INTEGER NOT NULL,
        structure INTEGER, keep_alive TEXT NOT NULL, ended INTEGER NOT NULL, done_reason INTEGER,
        total_us INTEGER NOT NULL, ttft_us INTEGER, load_us INTEGER, prompt_eval_us INTEGER,
        eval_us INTEGER, tools_us INTEGER, embeddings_us INTEGER, not_told_us INTEGER,
        rest_us INTEGER, thinking_us INTEGER, first_text_us INTEGER, prompt_tokens INTEGER,
        cached_tokens INTEGER, output_tokens INTEGER, requests INTEGER NOT NULL, loads INTEGER,
        was_resident INTEGER, held INTEGER NOT NULL, history_turns INTEGER NOT NULL,
        context_length INTEGER)""",
    """CREATE TABLE steps (
        run INTEGER NOT NULL, number INTEGER NOT NULL, model INTEGER NOT NULL, kind INTEGER,
        keep_alive TEXT, start_us INTEGER NOT NULL, total_us INTEGER NOT NULL, ttft_us INTEGER,
        load_us INTEGER, prompt_eval_us INTEGER, eval_us INTEGER, tools_us INTEGER,
        prompt_tokens INTEGER, cached_tokens INTEGER, output_tokens INTEGER, loaded INTEGER,
        PRIMARY KEY (run, number)) WITHOUT ROWID""",
    # what the requests of an hour come to, so that a year is drawn without reading each
    """CREATE TABLE hours (
        server INTEGER NOT NULL, hour INTEGER NOT NULL, model INTEGER NOT NULL,
        requests INTEGER NOT NULL DEFAULT 0, ours INTEGER NOT NULL DEFAULT 0,
        busy_us INTEGER NOT NULL DEFAULT 0, loads INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (server, hour, model)) WITHOUT ROWID""",
    # the machine, its models and its cards in bins of so many seconds; `bin` counts them from 1970
    """CREATE TABLE readings (
        server INTEGER NOT NULL, width INTEGER NOT NULL, bin INTEGER NOT NULL,
        samples INTEGER NOT NULL, ram_used INTEGER, ram_total INTEGER, cpu REAL, cpu_of_others REAL,
        page_cache INTEGER, swap_used INTEGER, swap_total INTEGER, swapped_in REAL,
        disk_read REAL, cpu_pressure REAL, memory_pressure REAL, io_pressure REAL,
        PRIMARY KEY (server, width, bin)) WITHOUT ROWID""",
    """CREATE TABLE memory (
        server INTEGER NOT NULL, width INTEGER NOT NULL, bin INTEGER NOT NULL,
        model INTEGER NOT NULL, bytes INTEGER, vram_bytes INTEGER,
        PRIMARY KEY (server, width, bin, model)) WITHOUT ROWID""",
    """CREATE TABLE cards (
        server INTEGER NOT NULL, width INTEGER NOT NULL, bin INTEGER NOT NULL,
        card INTEGER NOT NULL, samples INTEGER NOT NULL, name INTEGER, utilization REAL,
        memory_used INTEGER, memory_total INTEGER, power REAL, temperature REAL,
        PRIMARY KEY (server, width, bin, card)) WITHOUT ROWID""",
    # when somebody watched, and what was found to answer
    """CREATE TABLE watches (
        id INTEGER PRIMARY KEY, server INTEGER NOT NULL, from_us INTEGER NOT NULL,
        to_us INTEGER NOT NULL)""",
    """CREATE TABLE starts (
        server INTEGER NOT NULL, at_us INTEGER NOT NULL, version TEXT, started_us INTEGER,
        PRIMARY KEY (server, at_us)) WITHOUT ROWID""",
    # who of several processes writes what is seen of a server, and up to when it is written
    """CREATE TABLE leases (
        server INTEGER PRIMARY KEY, holder TEXT NOT NULL, until_us INTEGER NOT NULL,
        seen_us INTEGER NOT NULL)""",
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST,)
"""What makes a file of version n one of version n + 1; an empty one has version 0."""


def is_current(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file has our tables as they are now; False where there is something to do.

    Raises
    ------
    HistoryError
        For a newer version's file, or another program's.
    """
    version = _number(connection, "user_version")
    if version > len(MIGRATIONS):
        raise HistoryError(
            f"The history {path} was written by a newer lifecycle_widgets (format {version}; this "
            f"one knows {len(MIGRATIONS)}). Update with pip install --upgrade lifecycle_widgets, "
            "or name another file in LIFECYCLE_WIDGETS_HISTORY."
        )
    is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if not is_empty and _number(connection, "application_id") != APPLICATION_ID:
        raise HistoryError(
            f"{path} is a database of another program. Name another file for the history."
        )
    return version == len(MIGRATIONS)


def migrate(
    connection: sqlite3.Connection,
    path: Path,
    migrations: Sequence[Sequence[str]] = MIGRATIONS,
) -> None:
    """Bring the file to this version, each version's step in one transaction.

    Of several processes that do so at once one does it.
    """
    for number, statements in enumerate(migrations, start=1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _number(connection, "user_version") < number:
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
