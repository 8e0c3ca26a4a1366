"""The values of the monitor: one reading of everything, and one stay of a model in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lifecycle_widgets.server import Resident


@dataclass(frozen=True)
class Runner:
    """A process that holds one resident model.

    ``rss_bytes`` is the memory that the process really has; ``model`` is None until the model is
    known (it is loading, and was not seen in memory before).
    """

    pid: int
    rss_bytes: int
    model: str | None


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU of this machine. ``utilization`` is 0 to 1.

    None (for the name: empty) is what the card does not tell: a MIG slice has no utilization, one
    that shares main memory no memory of its own.
    """

    index: int
    name: str
    utilization: float | None
    memory_used_bytes: int | None
    memory_total_bytes: int | None


@dataclass(frozen=True)
class Sample:
    """One reading of everything at one time.

    Parameters
    ----------
    at, t_s:
        When: wall clock with time zone, for display, and ``time.monotonic()``, for durations.
    ram_used_bytes, ram_total_bytes:
        Main memory of what ``ram_of`` says; used is what could not be given out again without
        swapping (so not the page cache). None when it cannot be read.
    cpu_fraction:
        How busy the whole machine was since the sample before, 0 to 1; None when it cannot be read.
    runners:
        The server's runners; None when they cannot be seen.
    gpus:
        The GPUs of this machine; empty where there is none.
    residents:
        The models in memory, from /api/ps; None when the server did not answer, or does not tell.
    error:
        Why it did not answer, in a sentence; None when it did.
    unseen:
        Why ``runners`` is None, in a sentence: memory is then only what Ollama tells.
    not_told:
        Why ``residents`` is None though the server answers, in a sentence.
    ram_of:
        ``"this machine"``, or ``"this container"`` where a limit of memory is in force.
    faults:
        What of this machine could not be read, in sentences; the rest of the sample is good.
    """

    at: datetime
    t_s: float
    ram_used_bytes: int | None
    ram_total_bytes: int | None
    cpu_fraction: float | None
    runners: tuple[Runner, ...] | None
    gpus: tuple[Gpu, ...]
    residents: tuple[Resident, ...] | None
    error: str | None = None
    unseen: str | None = None
    not_told: str | None = None
    ram_of: str = "this machine"
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Residency:
    """One stay of a model in memory.

    Parameters
    ----------
    model:
        Its name, as in /api/ps.
    since:
        When it was first seen; the oldest sample's time when it was there already.
    until:
        When it was first seen to have left; None while it is still resident.
    why:
        Why it left; None while it is still resident, else one of

        - ``"expired"``: its ``keep_alive`` had run out (0 counts);
        - ``"requested"``: it was unloaded through this `Server`;
        - ``"evicted"``: it left early and another model took its place, or the same one with
          other options (``num_ctx``, for one), which Ollama loads anew;
        - ``"crashed"``: its runner ended while Ollama still listed it;
        - ``"server gone"``: the server did not answer when it left;
        - ``"unknown"``: none of these is to be seen; another client unloaded it, most likely.

        Decided from the samples that follow, so "unknown" may become "evicted" a moment later.
    expires_at:
        The last deadline that was seen: in the past for a model that is busy. None for forever,
        and where none was told.
    is_forever:
        True when no time limit was in force.
    is_told:
        False when the server did not tell until when it stays.
    """

    model: str
    since: datetime
    until: datetime | None
    why: str | None
    expires_at: datetime | None
    is_forever: bool
    is_told: bool = True
