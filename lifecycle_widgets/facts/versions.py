"""In which versions of Ollama a fact holds: the one place where versions differ.

A fact that is not named here holds in all of them. What is given was tried on the versions in
`TRIED`, and between them taken from the history of Ollama's source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Holds:
    """From which version on a fact holds, and before which one (None: no such bound)."""

    since: str | None = None
    before: str | None = None

    def __str__(self) -> str:
        if self.since and self.before:
            return f"{self.since} until before {self.before}"
        return f"since {self.since}" if self.since else f"before {self.before}"


HOLDS: dict[str, Holds] = {}

TRIED: tuple[str, ...] = ()
"""The versions on which all facts were tried."""


def holds_in(name: str, version: str) -> bool:
    """Whether the fact of that name is to be expected in that version.

    Examples
    --------
    >>> holds_in("a fact without a row", "0.1.0")
    True
    """
    row = HOLDS.get(name)
    if row is None:
        return True
    this = _key(version)
    return not (row.since and this < _key(row.since)) and not (
        row.before and this >= _key(row.before)
    )


def _key(version: str) -> tuple[int, ...]:
    """``"0.30.0-rc2"`` counts as 0.30.0."""
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("-")[0])[:3])
