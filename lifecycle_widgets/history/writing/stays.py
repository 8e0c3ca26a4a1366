"""Stays in memory into the file, also those that go on: nothing is lost with a kernel."""

from __future__ import annotations

from typing import Any

from lifecycle_widgets.history.file.book import Book
from lifecycle_widgets.history.file.rows import US, about_stay, keep_alive_ms, time_us, us
from lifecycle_widgets.history.writing.rollups import count_loads
from lifecycle_widgets.monitor import Residency

UNSEEN_US = 30 * US
"""For how long nobody may have looked at a stay that is still taken for the same one."""

_NEAR_US = 1 * US


def add_stay(
    book: Book, server: int, stay: Residency, now_us: int, settled_us: int, from_us: int
) -> bool:
    """One that is over, or goes on: then it is written again with the next ones.

    Parameters
    ----------
    now_us, settled_us:
        Now, and up to when nothing that was seen changes any more.
    from_us:
        Since when this server is watched: what was there already, nobody saw loading.

    Returns
    -------
    bool
        Whether it was written as one that is over.
    """
    row = _row(book, server, stay)
    is_over = row["until_us"] is not None and row["until_us"] <= settled_us
    row["seen_us"] = row["until_us"] if row["until_us"] is not None else now_us
    if not is_over:
        row["until_us"] = row["why"] = None
    seen_loads = stay.loads - (1 if row["since_us"] <= from_us + _NEAR_US else 0)
    before = _same(book, row)
    if before is None:
        at_us = book.add("residencies", "since_us", row)
        count_loads(book, at_us, server, row["model"], seen_loads)
    else:
        since_us, loads, requests = before
        row["loads"], row["requests"] = max(loads, stay.loads), max(requests, stay.requests)
        del row["since_us"]
        sets = ", ".join(f"{name} = ?" for name in row)
        book.execute(f"UPDATE residencies SET {sets} WHERE since_us = ?", (*row.values(), since_us))
        count_loads(book, since_us, server, row["model"], row["loads"] - loads)
    return is_over


def close_unseen(book: Book, server: int, now_us: int) -> None:
    """Those that nobody saw end: they are known until somebody looked last."""
    book.execute(
        "UPDATE residencies SET until_us = seen_us, why = ? "
        "WHERE server = ? AND until_us IS NULL AND NOT seen_us BETWEEN ? AND ?",
        (book.word("unknown"), server, now_us - UNSEEN_US, now_us + UNSEEN_US),
    )


def _row(book: Book, server: int, stay: Residency) -> dict[str, Any]:
    return {
        "since_us": time_us(stay.since),
        "server": server,
        "model": book.model(stay.model),
        "until_us": time_us(stay.until) if stay.until is not None else None,
        "seen_us": 0,
        "why": book.word(stay.why),
        "expires_us": time_us(stay.expires_at) if stay.expires_at is not None else None,
        "about": about_stay(stay),
        "loads": stay.loads,
        "requests": stay.requests,
        "size_bytes": stay.size_bytes,
        "vram_bytes": stay.vram_bytes,
        "loaded_by": book.word(stay.loaded_by),
        "touched_by": book.word(stay.touched_by),
        "keep_alive_ms": keep_alive_ms(stay.keep_alive_s),
        "load_us": us(stay.load_s),
    }


_SAME = """
    SELECT since_us, loads, requests FROM residencies
    WHERE since_us IN (
        SELECT since_us FROM residencies WHERE until_us IS NULL
        UNION ALL SELECT since_us FROM residencies WHERE until_us >= :since - :near)
    AND server = :server AND model = :model AND (
        abs(since_us - :since) <= 10
        OR (until_us IS NULL AND abs(since_us - :since) <= :near)
        OR (since_us < :end - :near
            AND coalesce(until_us, seen_us + :unseen) > :since + :near))
    ORDER BY abs(since_us - :since)"""


def _same(book: Book, row: dict[str, Any]) -> tuple[int, int, int] | None:
    """The stay in the file that this one is: it began when that did, or while that went on."""
    given = {
        "server": row["server"],
        "model": row["model"],
        "since": row["since_us"],
        "end": row["seen_us"],
        "near": _NEAR_US,
        "unseen": UNSEEN_US,
    }
    found = book.execute(_SAME, given).fetchone()
    return found and (int(found[0]), int(found[1]), int(found[2]))
