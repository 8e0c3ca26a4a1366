"""Busy: a time in which one model had at least one request in flight, as it was witnessed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Busy:
    """When it was busy, by the monotonic clock; None: not told, or (its end) it goes on.

    ``begin_within_s`` and ``end_within_s`` say by how much the times may be off. ``is_exact``: its
    end is known by the deadline that it has set. ``witnesses`` are names in `WITNESSES`.
    ``has_load``: the model was loaded in it, which its first request may have waited for before it
    began; ``load_s`` is how long that took. ``is_silent``: the runner has done nothing for so long
    that it is not said to go on; when the deadline moves, it has been a request all the same.
    ``is_told``: requests in it were told one by one already, by the log.
    """

    model: str
    began_s: float | None = None
    begin_within_s: float | None = None
    ended_s: float | None = None
    end_within_s: float | None = None
    is_exact: bool = False
    keep_alive_s: float | None = None
    has_load: bool = False
    load_s: float | None = None
    witnesses: set[str] = field(default_factory=set)
    is_silent: bool = False
    is_told: bool = False
