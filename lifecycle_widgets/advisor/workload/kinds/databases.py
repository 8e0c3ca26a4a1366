"""SQLite: llama-swap's activity database, or our own history.

llama-swap keeps a row for each request in its table `activity`, written as the request ends:
`ts_created` in whole seconds, `model_id`, `duration_ms` with the load that it waited for
(mostlygeek/llama-swap, internal/store/migrations and internal/server/metrics.go).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from lifecycle_widgets.advisor.workload.columns import Columns
from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.gathering import Gathering
from lifecycle_widgets.advisor.workload.rows import Rows
from lifecycle_widgets.history.file.schema import APPLICATION_ID

MAGIC = b"SQLite format 3\0"
_COLUMNS = Columns(
    stream="model_id", start=None, end="ts_created", service="duration_ms", unit_s=1e-3
)
_CHUNK = 10_000


def is_history(path: Path) -> bool:
    """Whether a database is a history of ours."""
    try:
        with closing(_connected(path)) as connection:
            told = connection.execute("PRAGMA application_id").fetchone()
        return bool(told[0] == APPLICATION_ID)
    except sqlite3.Error:
        return False


def read_llama_swap(path: Path, name: str) -> Gathering:
    """The requests of llama-swap's database that a model has answered.

    Raises
    ------
    WorkloadError
        For another program's database, and one that is damaged.
    """
    gathering = Gathering(name, _COLUMNS, "row with id {line}")
    gathering.notes.append("llama-swap keeps whole seconds: a gap may be off by one.")
    rows = Rows(gathering)
    try:
        with closing(_connected(path)) as connection:
            known = {row[1] for row in connection.execute("PRAGMA table_info(activity)")}
            lacking = [column for column in _COLUMNS.names if column not in known]
            if lacking:
                raise WorkloadError(
                    f"{name} is no activity database of llama-swap: the table activity with "
                    f"{', '.join(lacking)} is missing."
                )
            for block in _blocks(connection, "resp_status_code" in known):
                rows.add(block)
    except sqlite3.Error as fault:
        raise WorkloadError(f"{name} is damaged, or in use: {fault}.") from None
    return gathering


def _blocks(
    connection: sqlite3.Connection, has_status: bool
) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    # what was refused has asked no model for anything
    refused = " WHERE resp_status_code NOT BETWEEN 400 AND 498" if has_status else ""
    found = connection.execute(
        f"SELECT rowid, {', '.join(_COLUMNS.names)} FROM activity{refused} ORDER BY rowid"
    )
    while rows := found.fetchmany(_CHUNK):
        yield [(row[0], dict(zip(_COLUMNS.names, row[1:], strict=True))) for row in rows]


def _connected(path: Path) -> sqlite3.Connection:
    uri = path.absolute().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=2.0)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()  # a folder in which nothing may be written has no room for its log
        return sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True)
    return connection
