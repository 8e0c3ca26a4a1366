"""What of a history is asked for: of which model, of which server, from when to when."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from lifecycle_widgets.history.file.rows import time_us
from lifecycle_widgets.history.file.whose import name_for
from lifecycle_widgets.server import Server
from lifecycle_widgets.server.names import same_name

Moment = datetime | date | timedelta | str | None
"""A time: a datetime or its text (without a zone: this machine's), a date, how long ago."""


class File(Protocol):
    """What asks a file: a connection, or a `Book`."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> sqlite3.Cursor: ...


@dataclass(frozen=True)
class Asked:
    """A filter; None is everything."""

    model: str | None = None
    server: str | None = None
    since_us: int | None = None
    until_us: int | None = None

    @classmethod
    def of(
        cls,
        model: str | None = None,
        server: Server | str | None = None,
        since: Moment = None,
        until: Moment = None,
    ) -> Asked:
        """What a person gives.

        Raises
        ------
        ValueError, TypeError
            For a time or a server that is none.
        """
        name = None if server is None else name_for(server)
        return cls(model, name, moment_us(since), moment_us(until))

    def where(
        self, connection: File, begins: str, ends: str | None = None
    ) -> tuple[str, list[int]]:
        """The condition for what ended since then, and began until then.

        Parameters
        ----------
        begins, ends:
            The columns; without the second one each row is a moment.
        """
        parts: list[str] = []
        values: list[int] = []
        if self.server is not None:
            parts.append("server = ?")
            values.append(server_number(connection, self.server))
        if self.model is not None:
            numbers = model_numbers(connection, self.model)
            parts.append(f"model IN ({', '.join(map(str, numbers))})")
        edges = {f"{ends or begins} >= ?": self.since_us, f"{begins} < ?": self.until_us}
        for condition, edge in edges.items():
            if edge is not None:
                parts.append(condition)
                values.append(edge)
        return " AND ".join(parts) or "1", values


def moment_us(value: Moment) -> int | None:
    """A time in microseconds since 1970.

    Examples
    --------
    >>> moment_us("1970-01-01T00:00:01+00:00")
    1000000
    >>> moment_us("yesterday")
    Traceback (most recent call last):
    ValueError: 'yesterday' is no time. Give a datetime, a date, such as "2026-01-31", or a \
timedelta for how long ago.
    """
    if value is None:
        return None
    if isinstance(value, timedelta):
        return time_us(datetime.now().astimezone() - value)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
        except ValueError:
            raise ValueError(_no_time(value)) from None
    if not isinstance(value, datetime):
        if not isinstance(value, date):
            raise TypeError(_no_time(value))
        value = datetime(value.year, value.month, value.day)
    return time_us(value.astimezone())


def server_number(connection: File, name: str) -> int:
    """The number of a server; one that no row has where it is not known."""
    found = connection.execute("SELECT id FROM servers WHERE name = ?", (name,)).fetchone()
    return int(found[0]) if found else -1


def model_numbers(connection: File, model: str) -> list[int]:
    """The numbers of a model's name, however its letters are written."""
    known = connection.execute("SELECT id, name FROM models").fetchall()
    return [int(number) for number, name in known if name and same_name(name, model)] or [-1]


def _no_time(value: object) -> str:
    return (
        f'{value!r} is no time. Give a datetime, a date, such as "2026-01-31", or a timedelta for '
        "how long ago."
    )
