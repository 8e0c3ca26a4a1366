"""Simulated: what a server would have done with a workload. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lifecycle_widgets.scheduler import Departure


@dataclass(frozen=True)
class Load:
    """A model was loaded.

    Parameters
    ----------
    model:
        Which.
    asked_s:
        When the request came that needed it, in seconds.
    at_s, until_s:
        When the load began and ended; later than asked where another load, or a model that had to
        leave first, was waited for.
    """

    model: str
    asked_s: float
    at_s: float
    until_s: float


@dataclass(frozen=True)
class OneModel:
    """What became of one model.

    Parameters
    ----------
    requests, loads, evictions, unloads:
        How often. An eviction made room for another model; an unload is any other leaving: its
        keep_alive had run out.
    waiting_s:
        For how long its requests waited for it to be in memory, together: for the load, and for
        what had to be waited for before.
    held_s, idle_s:
        For how long it was in memory after its loads, and how much of it without a request.
    held_bytes:
        The memory it takes; None: not told.
    """

    requests: int
    loads: int
    evictions: int
    unloads: int
    waiting_s: float
    held_s: float
    idle_s: float
    held_bytes: float | None

    @property
    def held_gb_s(self) -> float | None:
        """The memory it was given, in GB (1e9 bytes) x seconds; None: not told how large it is."""
        return None if self.held_bytes is None else self.held_s * self.held_bytes / 1e9


@dataclass(frozen=True)
class Simulated:
    """What a server would have done.

    Parameters
    ----------
    loads, departures:
        In order. Models that are in memory at the end have no departure.
    models:
        The same in figures, of each model. Of names that share their weights: the first one's.
    until_s:
        When it ended: at the end of the last answer. What was held after that does not count, as
        it is the same for nobody.
    unanswered:
        How many requests the server had not answered by then: with none in memory that will leave,
        Ollama's scheduler hangs (`lifecycle_widgets.Scheduler.is_stuck`); or its queue was full.
    """

    loads: tuple[Load, ...]
    departures: tuple[Departure, ...]
    models: Mapping[str, OneModel]
    until_s: float
    unanswered: int

    @property
    def waiting_s(self) -> float:
        """For how long all requests waited for a model to be in memory, in seconds."""
        return sum(model.waiting_s for model in self.models.values())

    @property
    def held_gb_s(self) -> float | None:
        """The memory that was given to models, in GB x seconds; None: not told of one of them."""
        each = [model.held_gb_s for model in self.models.values()]
        told = [one for one in each if one is not None]
        return sum(told) if len(told) == len(each) else None

    @property
    def evictions(self) -> int:
        """How often a model left for another."""
        return sum(model.evictions for model in self.models.values())

    @property
    def unloads(self) -> int:
        """How often a model left because its keep_alive had run out."""
        return sum(model.unloads for model in self.models.values())
