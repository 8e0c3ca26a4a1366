"""What a `Scheduler` tells: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Why = Literal["expired", "requested", "evicted", "reloaded", "crashed"]
State = Literal["waiting", "loading", "answering", "done", "cancelled", "failed", "refused"]


@dataclass(frozen=True)
class InMemory:
    """A model in memory, as /api/ps would list it.

    Parameters
    ----------
    model:
        The name that loaded it. Other names over the same weights are served by the same runner.
    weights:
        The weights file that it is known by.
    since_s:
        When its load had ended, in seconds.
    expires_at_s:
        What /api/ps says, in seconds; ``math.inf`` for forever. While it is busy this is the
        deadline from before, which may be past; before its first request has ended, now plus
        keep_alive.
    keep_alive_s:
        For how long it stays after its last request, in seconds. 0 also for one that is to leave.
    busy:
        How many requests it has.
    crashed:
        True when its runner has ended, which Ollama has not noticed yet.
    """

    model: str
    weights: str
    since_s: float
    expires_at_s: float
    keep_alive_s: float
    busy: int
    crashed: bool


@dataclass(frozen=True)
class Departure:
    """A model that was in memory from ``since_s`` until ``at_s``, and why it left.

    ``why`` is one of "expired" (its keep_alive had run out; 0 counts), "requested" (an unload),
    "evicted" (for another model), "reloaded" (for the same with other options) and "crashed"
    (its runner had ended before, whatever it was that took it off the list).
    """

    model: str
    weights: str
    since_s: float
    at_s: float
    why: Why


@dataclass(frozen=True)
class Call:
    """One request, and how far it has come. Seconds; None for what has not happened.

    ``load_began_s`` is set when a load was made for it, ``served_s`` when its model was in
    memory, ``answer_began_s`` when it was its turn there (see `Scheduler`, ``parallel``).
    ``state`` is "waiting" (for a load to begin), "loading", "answering" (or waiting for its turn),
    "done", "cancelled" (the client went away), "failed" (the runner crashed), or "refused"
    (HTTP 503: the queue was full).
    """

    ticket: int
    model: str
    asked_s: float
    load_began_s: float | None
    served_s: float | None
    answer_began_s: float | None
    ended_s: float | None
    state: State
