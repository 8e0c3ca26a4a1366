"""Who of several processes writes what is seen of a server: a lease, which ends by itself."""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle_widgets.history.file.book import Book
from lifecycle_widgets.history.file.rows import US

LEASE_S = 15.0
"""For how long a holder has it, at least; it renews it each time that it writes."""

_LONGEST_US = 120 * US


@dataclass(frozen=True)
class Lease:
    """Who has it until when, and up to when is written what was seen."""

    holder: str
    until_us: int
    seen_us: int

    def is_free_for(self, holder: str, now_us: int) -> bool:
        """Whether ``holder`` may take it: it is its own, it has ended, or the clock was set back.

        Examples
        --------
        >>> [Lease("a", 20 * US, 0).is_free_for("b", now * US) for now in (10, 21, -3600)]
        [False, True, True]
        """
        return self.holder == holder or not now_us < self.until_us <= now_us + _LONGEST_US


def lease_until_us(now_us: int, interval_s: float) -> int:
    """When a lease ends that is taken now by one who writes no more often than it samples."""
    return now_us + min(round(max(LEASE_S, 2.5 * interval_s) * US), _LONGEST_US)


def lease_of(book: Book, server: str) -> Lease | None:
    """The lease as it stands; None before the first."""
    found = book.execute(
        "SELECT holder, until_us, seen_us FROM leases "
        "WHERE server = (SELECT id FROM servers WHERE name = ?)",
        (server,),
    ).fetchone()
    return Lease(*found) if found else None


def put_lease(book: Book, server: int, lease: Lease) -> None:
    book.execute(
        "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)",
        (server, lease.holder, lease.until_us, lease.seen_us),
    )
