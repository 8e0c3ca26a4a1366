"""Taking things out of the file: by model, by server, by time, or all."""

from __future__ import annotations

from lifecycle_widgets.history.file.book import Book
from lifecycle_widgets.history.file.rows import US
from lifecycle_widgets.history.reading.asked import model_numbers, server_number
from lifecycle_widgets.history.writing.readings import WIDTHS_S
from lifecycle_widgets.history.writing.rollups import HOUR_US, count_anew

_ROWS = {"requests": "ended_us", "residencies": "coalesce(until_us, seen_us)", "runs": "started_us"}
_BINS = ("readings", "memory", "cards")
_OF_MODELS = ("memory", "hours")


def delete_before(book: Book, before_us: int) -> int:
    """All that was over before a time; in the caller's transaction.

    Returns
    -------
    int
        How many requests, runs and stays are gone.
    """
    gone = 0
    for table, time in _ROWS.items():
        gone += book.execute(f"DELETE FROM {table} WHERE {time} < ?", (before_us,)).rowcount
    book.execute("DELETE FROM steps WHERE run < ?", (before_us,))
    book.execute("DELETE FROM hours WHERE hour < ?", (before_us // HOUR_US,))
    count_anew(book, before_us, before_us)
    for table in _BINS:
        for width in WIDTHS_S:
            book.execute(
                f"DELETE FROM {table} WHERE width = ? AND bin < ?",
                (width, before_us // (width * US)),
            )
    book.execute("DELETE FROM watches WHERE to_us < ?", (before_us,))
    return gone


def delete_of(book: Book, server: int | None, model: int | None, before_us: int | None) -> int:
    """What is of a server, of a model, and before a time: of all that are not None."""
    gone = 0
    for table, time in _ROWS.items():
        where, values = _where(server, model, time, before_us)
        gone += book.execute(f"DELETE FROM {table} WHERE {where}", values).rowcount
    book.execute("DELETE FROM steps WHERE run NOT IN (SELECT started_us FROM runs)")
    _delete_hours(book, server, model, before_us)
    for table in _BINS:
        if model is None or table in _OF_MODELS:
            time = f"(bin + 1) * width * {US}"
            where, values = _where(server, model, time, before_us)
            book.execute(f"DELETE FROM {table} WHERE {where}", values)
    if model is None:
        for table, time in (("watches", "to_us"), ("starts", "at_us")):
            where, values = _where(server, None, time, before_us)
            book.execute(f"DELETE FROM {table} WHERE {where}", values)
    if before_us is None:
        _delete_names(book, server if model is None else None, model if server is None else None)
    return gone


def delete(
    book: Book, model: str | None, server: str | None, before_us: int | None, *, everything: bool
) -> int:
    """See `History.delete`: what is deleted is overwritten, and the disk has its place again."""
    book.execute("PRAGMA secure_delete = ON")
    gone = 0
    with book.transaction():
        if everything:
            gone = delete_all(book)
        else:
            at = None if server is None else server_number(book, server)
            for number in [None] if model is None else model_numbers(book, model):
                gone += delete_of(book, at, number, before_us)
    book.shrink()  # and nothing of it is left in SQLite's log
    return gone


def delete_all(book: Book) -> int:
    """Everything but for how long things are kept."""
    gone = sum(book.execute(f"DELETE FROM {table}").rowcount for table in _ROWS)
    names = ("servers", "models", "words")
    for table in ("steps", "hours", *_BINS, "watches", "starts", "leases", *names):
        book.execute(f"DELETE FROM {table}")
    return gone


def _where(
    server: int | None, model: int | None, time: str, before_us: int | None
) -> tuple[str, list[int]]:
    asked = {"server = ?": server, "model = ?": model, f"{time} < ?": before_us}
    given = {words: value for words, value in asked.items() if value is not None}
    return " AND ".join(given) or "1", list(given.values())


def _delete_hours(book: Book, server: int | None, model: int | None, before_us: int | None) -> None:
    """The whole hours; the one that a time lies in is counted anew."""
    hour = None if before_us is None else before_us // HOUR_US
    where, values = _where(server, model, "hour", hour)
    book.execute(f"DELETE FROM hours WHERE {where}", values)
    if before_us is not None:
        count_anew(book, before_us, before_us)


def _delete_names(book: Book, server: int | None, model: int | None) -> None:
    """A name of which nothing is left; a run of another model that has asked it, too, stays."""
    if model is not None:
        nameless = book.model("")
        book.execute("UPDATE steps SET model = ? WHERE model = ?", (nameless, model))
        book.execute("DELETE FROM models WHERE id = ?", (model,))
    if server is not None:
        book.execute("DELETE FROM leases WHERE server = ?", (server,))
        book.execute("DELETE FROM servers WHERE id = ?", (server,))
