"""In which versions of Ollama a fact holds: the one place where versions differ.

A fact that is not named here holds in all of them. The versions in `TRIED` were tried; between
them the first release was found in the history of Ollama's source, or is the first one looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Holds:
    """From which version on a fact holds, and before which one (None: no such bound)."""

    since: str | None = None
    before: str | None = None

    def holds_in(self, version: str) -> bool:
        """Whether the version lies within."""
        late_enough = self.since is None or _key(version) >= _key(self.since)
        return late_enough and (self.before is None or _key(version) < _key(self.before))

    def __str__(self) -> str:
        if self.since and self.before:
            return f"{self.since} until before {self.before}"
        return f"since {self.since}" if self.since else f"before {self.before}"


HOLDS: dict[str, tuple[Holds, ...]] = {
    # 0.5.7 cut numbers to whole seconds, and took less than one second for "unload"
    "keep_alive 0.5": (Holds(since="0.11.8"),),
    "keep_alive 1.5": (Holds(since="0.11.8"),),
    'keep_alive ".5s"': (Holds(since="0.11.8"),),
    'keep_alive "900ms"': (Holds(since="0.11.8"),),
    "half a second is not zero": (Holds(since="0.11.8"),),
    # 0.5.7 listed a model while it loaded, and began to load others meanwhile
    "a loading model is not listed": (Holds(since="0.11.10"),),
    "a request given up in the queue": (Holds(since="0.11.10"),),
    "unloading a loading model does nothing": (Holds(since="0.11.10"),),
    "loads come one after the other": (Holds(since="0.11.10"),),
    "the queue has an end": (Holds(since="0.11.10"),),
    # 0.5.7 queued requests to models in memory as well; models with equal keep_alives: by chance
    "the queue is for loads only": (Holds(since="0.11.10"),),
    "the queue hangs": (Holds(since="0.11.10"),),
    "ties go by path": (Holds(since="0.11.10"),),
    # in between, nobody watched the first part of a load (in 0.24.0: at times)
    "a load that stalls is ended": (Holds(before="0.11.10"), Holds(since="0.24.0")),
    "a runner that ends while loading": (Holds(before="0.11.10"), Holds(since="0.24.0")),
    "num ctx is at most the trained one": (Holds(since="0.30.0"),),
    "one request at a time": (Holds(since="0.10.0"),),
    "ps tells the context length": (Holds(since="0.10.0"),),
    "tags tell capabilities": (Holds(since="0.30.0"),),
    "show tells capabilities": (Holds(since="0.6.5"),),
    "cached tokens are told": (Holds(since="0.34.0"),),
    "another method": (Holds(since="0.7.0"),),
    "a capability that is missing": (Holds(since="0.24.0"),),
    "an unknown model, chat": (Holds(since="0.24.0"),),
    "an unknown model, show": (Holds(since="0.30.0"),),
    "no model, embed": (Holds(since="0.24.0"),),
    "a name that is none, generate": (Holds(since="0.24.0"),),
    "a name that is none, chat": (Holds(since="0.24.0"),),
}

TRIED = ("0.5.7", "0.11.10", "0.24.0", "0.30.0", "0.32.15", "0.33.1", "0.34.0")
"""The versions on which the facts were tried."""


def holds_in(name: str, version: str) -> bool:
    """Whether the fact of that name is to be expected in that version.

    Examples
    --------
    >>> holds_in("a fact without a row", "0.1.0")
    True
    """
    rows = HOLDS.get(name)
    return rows is None or any(row.holds_in(version) for row in rows)


def said_of(name: str) -> str:
    """In which versions it holds, in words; empty when in all."""
    return " and ".join(map(str, HOLDS.get(name, ())))


def _key(version: str) -> tuple[int, ...]:
    """``"0.30.0-rc2"`` counts as 0.30.0."""
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("-")[0])[:3])
