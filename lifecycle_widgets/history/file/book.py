"""Book: a connection with the numbers of the names in its file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from lifecycle_widgets.history.file.faults import explained
from lifecycle_widgets.history.file.opening import for_writing
from lifecycle_widgets.server.names import full_name
from lifecycle_widgets.short_texts import one_line

_NAME_LENGTH = 200  # characters


class Book:
    """What writes into a file; one thread at a time.

    Parameters
    ----------
    connection:
        As `opening.for_writing` makes it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[tuple[str, str], int] = {}
        self._version = 0

    def close(self) -> None:
        self._connection.close()

    def execute(
        self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()
    ) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(statement, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of a block, or nothing of it."""
        self.execute("BEGIN IMMEDIATE")
        version = int(self.execute("PRAGMA data_version").fetchone()[0])
        if version != self._version:  # another process has written, and may have deleted names
            self._numbers.clear()
            self._version = version
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self._numbers.clear()  # what was named in it is not there
            if self._connection.in_transaction:
                self.execute("ROLLBACK")
            raise

    def shrink(self, pages: int | None = None) -> None:
        """Give the disk back what is free in the file: all of it, or so many pages."""
        most = f"({pages})" if pages is not None else ""
        self._connection.executescript(f"PRAGMA incremental_vacuum{most}")  # a page at a step
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def add(self, table: str, key: str, row: dict[str, Any]) -> int:
        """Put a row where its time says; what came second in a microsecond has the next one."""
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        put = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"
        while not self.execute(put, tuple(row.values())).rowcount:
            row[key] += 1
        return int(row[key])

    # --- names -----------------------------------------------------------------------------------

    def server(self, name: str) -> int:
        return self._number("servers", name)

    def model(self, name: str) -> int:
        """The number of a model's full name; an empty one is not told."""
        return self._number("models", one_line(full_name(name) if name else "", _NAME_LENGTH))

    def word(self, name: str | None) -> int | None:
        return None if name is None else self._number("words", one_line(name, _NAME_LENGTH))

    def _number(self, table: str, name: str) -> int:
        if (known := self._numbers.get((table, name))) is not None:
            return known
        ask = f"SELECT id FROM {table} WHERE name = ?"
        found = self.execute(ask, (name,)).fetchone()
        if found is None:
            self.execute(f"INSERT INTO {table} (name) VALUES (?)", (name,))
            found = self.execute(ask, (name,)).fetchone()
        number = self._numbers[table, name] = int(found[0])
        return number


@contextmanager
def opened(path: Path) -> Iterator[Book]:
    """The file at a path, to be written to for the time of a block.

    Raises
    ------
    HistoryError
        Also for what goes wrong in the block.
    """
    with explained(path), closing(Book(for_writing(path))) as book:
        yield book
