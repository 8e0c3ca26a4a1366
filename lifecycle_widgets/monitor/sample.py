"""One reading of everything: the machine, the GPUs, the runners, and what /api/ps lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lifecycle_widgets.server import Resident


@dataclass(frozen=True)
class Runner:
    """A process that holds one resident model, or loads it.

    ``rss_bytes`` is the memory that the process really has; ``model`` is None until the model is
    known. ``weights`` is the SHA-256 of the weights' file, ``options`` what else the command line
    says of how the model was loaded; each None where it does not tell.
    """

    pid: int
    rss_bytes: int
    model: str | None
    weights: str | None = None
    options: str | None = None


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
    cpu_of_others:
        The share of the machine's CPU (of this container's, where a limit is in force and that is
        more) that other work took since the sample before, 0 to 1: all that is not this process,
        the server's processes, or started by them. None where it is not told: in the first
        sample, and where the server's processes cannot be seen.
    disk_of_others_bytes_per_s, ram_of_others_bytes:
        What others read and wrote on disks meanwhile, and what of main memory they have; None
        where it is not told.
    most_models:
        How many models may be in memory at once, as this Ollama was started; None where that
        cannot be seen.
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
    cpu_of_others: float | None = None
    disk_of_others_bytes_per_s: float | None = None
    ram_of_others_bytes: int | None = None
    most_models: int | None = None
