"""What a trial may end with, beside that it is so: it is not, or that cannot be found out."""

from __future__ import annotations


class NotSo(AssertionError):
    """The trial showed something else; the message says what was seen."""


class CannotTry(Exception):
    """The trial cannot be made on this server; the message says why."""


def require(condition: object, seen: object) -> None:
    """Raise `NotSo` with what was seen, unless the condition is true."""
    if not condition:
        raise NotSo(str(seen))


def require_equal(seen: object, wanted: object, what: str = "seen") -> None:
    """Raise `NotSo` with both, unless they are equal."""
    require(seen == wanted, f"{what} {seen!r}, not {wanted!r}")
