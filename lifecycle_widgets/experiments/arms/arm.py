"""Arm: the same calls as the other arms make, under one keep_alive or setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lifecycle_widgets.keep_alive import KeepAlive


@dataclass(frozen=True)
class Call:
    """One call: which model, and how long after the end of the arm's last one, in seconds."""

    model: str
    gap_s: float
    labels: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Arm:
    """One way to make the calls.

    Parameters
    ----------
    name:
        How it is called in tables and figures.
    keep_alive:
        Sent with each call; ``KeepAlive(None)`` is not sent.
    calls:
        In order of time.
    settings:
        Of Ollama's server (``OLLAMA_MAX_LOADED_MODELS``); an arm with any needs a private one.
    """

    name: str
    keep_alive: KeepAlive
    calls: tuple[Call, ...]
    settings: Mapping[str, int] = field(default_factory=dict)

    @property
    def longest(self) -> int:
        """The number of the call that comes after the longest pause (1 when there is none)."""
        later = range(1, len(self.calls))
        return max(later, key=lambda i: self.calls[i].gap_s, default=1)
