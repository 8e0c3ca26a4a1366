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

    def __str__(self) -> str:
        if self.since and self.before:
            return f"{self.since} until before {self.before}"
        return f"since {self.since}" if self.since else f"before {self.before}"


HOLDS: dict[str, Holds] = {
    # 0.5.7 cut numbers to whole seconds, and took less than one second for "unload"
    "keep_alive 0.5": Holds(since="0.11.8"),
    "keep_alive 1.5": Holds(since="0.11.8"),
    'keep_alive ".5s"': Holds(since="0.11.8"),
    'keep_alive "900ms"': Holds(since="0.11.8"),
    "half a second is not zero": Holds(since="0.11.8"),
    # until then a loading model was among the loaded ones, and others were loaded beside it
    "a loading model is not listed": Holds(since="0.30.0"),
    "unloading a loading model does nothing": Holds(since="0.30.0"),
    "loads come one after the other": Holds(since="0.30.0"),
    "the queue has an end": Holds(since="0.30.0"),
    "one request at a time": Holds(since="0.10.0"),
    "ps tells the context length": Holds(since="0.10.0"),
    "tags tell capabilities": Holds(since="0.30.0"),
    "show tells capabilities": Holds(since="0.6.5"),
    "another method": Holds(since="0.7.0"),
    "a capability that is missing": Holds(since="0.9.0"),
    "an unknown model, chat": Holds(since="0.24.0"),
    "an unknown model, show": Holds(since="0.24.0"),
    "no model, embed": Holds(since="0.24.0"),
    "a name that is none, generate": Holds(since="0.24.0"),
    "a name that is none, chat": Holds(since="0.24.0"),
}

TRIED = ("0.5.7", "0.30.0", "0.32.15", "0.33.1", "0.34.0")
"""The versions on which the facts were tried."""


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
