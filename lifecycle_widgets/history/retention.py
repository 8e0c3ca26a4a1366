"""What is too old, or too much, leaves the file, the oldest first."""

from __future__ import annotations

import time

from lifecycle_widgets.history.deleting import delete_before
from lifecycle_widgets.history.file.book import Book
from lifecycle_widgets.history.file.rows import US
from lifecycle_widgets.history.writing.readings import FINE_DAYS, WIDTHS_S

DAYS, MOST_BYTES = 400.0, 2_000_000_000
"""Ten million requests fit; see tests/bench/history.py."""

_DAY_US = 86_400 * US
_PART = 0.02  # of the requests, that leave at a time where there are too many
_AT_ONCE = 20_000
_FREED_PAGES = 2000  # given back to the disk at a time


def limits(book: Book) -> tuple[float, int]:
    """For how many days, and how many bytes, things are kept."""
    told = dict(book.execute("SELECT name, value FROM settings").fetchall())
    return float(told.get("days", DAYS)), int(told.get("most_bytes", MOST_BYTES))


def set_limits(book: Book, days: float, most_bytes: int) -> None:
    with book.transaction():
        for name, value in (("days", days), ("most_bytes", most_bytes)):
            book.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))


def apply(book: Book) -> int:
    """Delete what is over the limits; each part in a transaction of its own.

    Returns
    -------
    int
        How many requests, runs and stays are gone.
    """
    days, most_bytes = limits(book)
    now_us = time.time_ns() // 1000
    edge_us = now_us - round(days * _DAY_US)
    gone = 0
    while part := _delete_some(book, edge_us):
        gone += part
    with book.transaction():
        _delete_fine(book, now_us - FINE_DAYS * _DAY_US)
        gone += delete_before(book, edge_us)
    while _used_bytes(book) > most_bytes and (oldest_us := _oldest_part(book)) is not None:
        while part := _delete_some(book, oldest_us):
            gone += part
    book.shrink(_FREED_PAGES)
    return gone


def _delete_some(book: Book, before_us: int) -> int:
    """So few requests that nobody else has to wait long."""
    with book.transaction():
        return book.execute(
            "DELETE FROM requests WHERE ended_us IN "
            "(SELECT ended_us FROM requests WHERE ended_us < ? ORDER BY ended_us LIMIT ?)",
            (before_us, _AT_ONCE),
        ).rowcount


def _delete_fine(book: Book, before_us: int) -> None:
    """The bins of ten seconds; the wider ones have the same."""
    for table in ("readings", "memory", "cards"):
        book.execute(
            f"DELETE FROM {table} WHERE server IN (SELECT id FROM servers) AND width = ? "
            "AND bin < ?",
            (WIDTHS_S[0], before_us // (WIDTHS_S[0] * US)),
        )


def _used_bytes(book: Book) -> int:
    pages, free, size = (
        int(book.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _oldest_part(book: Book) -> int | None:
    """The time before which a small part of the requests ended; None where there are none left."""
    first, last = book.execute("SELECT min(ended_us), max(ended_us) FROM requests").fetchone()
    if first is None:
        return None
    return int(first + max((last - first) * _PART, 1 * US))
