"""Requests into the file: each once, whichever of several processes saw it."""

from __future__ import annotations

from typing import Any

from lifecycle_widgets.history.file.book import Book
from lifecycle_widgets.history.file.rows import (
    IS_MATCHED,
    IS_OURS,
    IS_WORK,
    US,
    about_request,
    keep_alive_ms,
    time_us,
    us,
)
from lifecycle_widgets.history.writing.rollups import count_request
from lifecycle_widgets.monitor import Request

Row = dict[str, Any]

SLACK_US = 600_000  # beside what a record says of its exactness: a sampling interval, and a bit
_BUSY_US = 3600 * US  # how long a busy time of several requests may last, to be looked at
_MOST_US = 30 * US  # no record is taken for another that is farther away, whatever it says


def add_own(book: Book, server: int, request: Request, *, holds: bool, anew: bool) -> int | None:
    """One that this process has sent.

    Where another process writes what is seen, what that saw of it is taken out. Where this one
    does, its monitor has told the two apart.

    Parameters
    ----------
    holds, anew:
        Whether this process writes what is seen, and whether it begins to do so.

    Returns
    -------
    int | None
        The row's key; None where it was there.
    """
    row = _row(book, server, request)
    if _is_there(book, row):
        return None
    if anew or not holds:
        seen = _seen_of(book, row)
        if seen is not None:
            _take_one_out(book, server, row["model"], *seen)
            row["about"] |= IS_MATCHED
    row["about"] |= IS_MATCHED if holds else 0
    return _put(book, row)


def add_seen(book: Book, server: int, request: Request, *, anew: bool, taken: set[int]) -> None:
    """One of another client, unless it is a request that another process of ours has written.

    Parameters
    ----------
    anew:
        Whether another process has written what was seen until now: it may have this one already.
    taken:
        The keys of rows that this one cannot be: this process's own, and those that others of
        this transaction are. It grows.
    """
    row = _row(book, server, request)
    if anew and _is_seen_already(book, row, taken):
        return
    row["count"] -= _match_own(book, row, anew, taken)
    if row["count"] > 0:
        taken.add(_put(book, row))


def _row(book: Book, server: int, request: Request) -> Row:
    assert request.ended_at is not None
    return {
        "ended_us": time_us(request.ended_at),
        "server": server,
        "model": book.model(request.model),
        "about": about_request(request),
        "count": request.count,
        "kind": book.word(request.kind),
        "took_us": us(request.total_s),
        "queued_us": us(request.queued_s),
        "load_us": us(request.load_s),
        "prompt_eval_us": us(request.prompt_eval_s),
        "eval_us": us(request.eval_s),
        "ttft_us": us(request.ttft_s),
        "prompt_tokens": request.prompt_tokens,
        "output_tokens": request.output_tokens,
        "keep_alive_ms": keep_alive_ms(request.keep_alive_s),
        "status": request.status,
        "begin_within_us": us(request.begin_within_s),
        "end_within_us": us(request.end_within_s),
    }


def _put(book: Book, row: Row) -> int:
    at_us = book.add("requests", "ended_us", row)
    count_request(book, at_us, row)
    return at_us


def _is_there(book: Book, row: Row) -> bool:
    """Whether this very one is written: by a keeping of this process before."""
    at_us = row["ended_us"]
    return (
        book.execute(
            "SELECT 1 FROM requests WHERE ended_us BETWEEN ? AND ? AND server = ? AND model = ? "
            f"AND about & {IS_OURS} AND took_us IS ? AND kind IS ?",
            (at_us, at_us + 9, row["server"], row["model"], row["took_us"], row["kind"]),
        ).fetchone()
        is not None
    )


def _is_seen_already(book: Book, row: Row, taken: set[int]) -> bool:
    at_us, within_us = row["ended_us"], (row["end_within_us"] or 0) + SLACK_US
    found = book.execute(
        "SELECT ended_us FROM requests WHERE ended_us BETWEEN ? AND ? AND server = ? AND model = ? "
        f"AND NOT about & {IS_OURS} AND abs(ended_us - ?) <= coalesce(end_within_us, 0) + ? "
        "ORDER BY abs(ended_us - ?)",
        (
            at_us - _MOST_US,
            at_us + _MOST_US,
            row["server"],
            row["model"],
            at_us,
            within_us,
            at_us,
        ),
    ).fetchall()
    same = [key for (key,) in found if key not in taken][:1]
    taken.update(same)
    return bool(same)


def _seen_of(book: Book, row: Row) -> tuple[int, int, int, int | None] | None:
    """What another process has seen of an own request: a row of its own, or part of a busy time."""
    at_us = row["ended_us"]
    found = book.execute(
        "SELECT ended_us, about, count, took_us FROM requests WHERE ended_us BETWEEN ? AND ? "
        f"AND server = ? AND model = ? AND NOT about & {IS_OURS} "
        "AND (abs(ended_us - ?) <= coalesce(end_within_us, 0) + ? "
        "     OR (count > 1 AND ? BETWEEN ended_us - took_us AND ended_us)) "
        "ORDER BY abs(ended_us - ?)",
        (
            at_us - _MOST_US,
            at_us + _BUSY_US,
            row["server"],
            row["model"],
            at_us,
            SLACK_US,
            at_us,
            at_us,
        ),
    ).fetchone()
    return found and (found[0], found[1], found[2], found[3])


def _match_own(book: Book, row: Row, anew: bool, taken: set[int]) -> int:
    """How many of its requests are own ones of another process, each of which counts once."""
    at_us, count = row["ended_us"], row["count"]
    within_us = min((row["end_within_us"] or 0) + SLACK_US, _MOST_US)
    # those that overlap are one busy time: all that ended in it
    since_us = at_us - (row["took_us"] or 0 if count > 1 else 0) - within_us
    found = book.execute(
        "SELECT ended_us FROM requests WHERE ended_us BETWEEN ? AND ? AND server = ? AND model = ? "
        f"AND about & {IS_OURS} AND (? OR NOT about & {IS_MATCHED}) ORDER BY abs(ended_us - ?)",
        (since_us, at_us + within_us, row["server"], row["model"], anew, at_us),
    ).fetchall()
    own = [key for (key,) in found if key not in taken][:count]
    for key in own:
        book.execute(f"UPDATE requests SET about = about | {IS_MATCHED} WHERE ended_us = ?", (key,))
    taken.update(own)
    return len(own)


def _take_one_out(
    book: Book, server: int, model: int, at_us: int, about: int, count: int, took_us: int | None
) -> None:
    """Of a busy time that others made one request is ours."""
    if count > 1:
        book.execute("UPDATE requests SET count = count - 1 WHERE ended_us = ?", (at_us,))
    else:
        book.execute("DELETE FROM requests WHERE ended_us = ?", (at_us,))
    taken = {"server": server, "model": model, "about": about & IS_WORK, "count": -1}
    count_request(book, at_us, {**taken, "took_us": -(took_us or 0) if count == 1 else 0})
