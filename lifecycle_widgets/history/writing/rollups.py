"""What the requests of an hour come to, by model; written along, and made anew after a deletion."""

from __future__ import annotations

from collections.abc import Mapping

from lifecycle_widgets.history.file.book import Book
from lifecycle_widgets.history.file.rows import IS_OURS, IS_WORK, US

HOUR_US = 3600 * US

_ADD = """
    INSERT INTO hours (server, hour, model, requests, ours, busy_us, loads)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (server, hour, model) DO UPDATE SET
        requests = requests + excluded.requests, ours = ours + excluded.ours,
        busy_us = busy_us + excluded.busy_us, loads = loads + excluded.loads"""


def count_request(book: Book, at_us: int, row: Mapping[str, int | None]) -> None:
    """A request more; with a negative ``count`` and ``took_us`` one less."""
    about, count = row["about"] or 0, row["count"] or 0
    if about & IS_WORK:
        ours = count if about & IS_OURS else 0
        hour = at_us // HOUR_US
        book.execute(_ADD, (row["server"], hour, row["model"], count, ours, row["took_us"] or 0, 0))


def count_loads(book: Book, at_us: int, server: int, model: int, loads: int) -> None:
    """Loads more."""
    if loads:
        book.execute(_ADD, (server, at_us // HOUR_US, model, 0, 0, 0, loads))


def count_anew(book: Book, since_us: int, until_us: int) -> None:
    """The roll-ups of the hours that a stretch of time touches, from the rows that are there."""
    first, last = since_us // HOUR_US, until_us // HOUR_US
    edges = (first * HOUR_US, (last + 1) * HOUR_US)
    book.execute("DELETE FROM hours WHERE hour BETWEEN ? AND ?", (first, last))
    book.execute(
        f"""INSERT INTO hours (server, hour, model, requests, ours, busy_us)
            SELECT server, ended_us / {HOUR_US}, model, sum(count),
                sum(CASE WHEN about & {IS_OURS} THEN count ELSE 0 END),
                sum(coalesce(took_us, 0))
            FROM requests
            WHERE ended_us >= ? AND ended_us < ? AND about & {IS_WORK} GROUP BY 1, 2, 3""",
        edges,
    )
    book.execute(
        f"""INSERT INTO hours (server, hour, model, loads)
            SELECT server, since_us / {HOUR_US}, model, sum(loads) FROM residencies
            WHERE since_us >= ? AND since_us < ? GROUP BY 1, 2, 3
            ON CONFLICT (server, hour, model) DO UPDATE SET loads = excluded.loads""",
        edges,
    )
