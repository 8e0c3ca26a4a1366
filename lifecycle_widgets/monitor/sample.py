"""One reading of everything: the machine, the GPUs, the runners, and what /api/ps lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lifecycle_widgets.server import Resident

if TYPE_CHECKING:
    from lifecycle_widgets.monitor.in_force import InForce, RunnerSettings


@dataclass(frozen=True)
class Runner:
    """A process that holds one resident model, or loads it.

    ``rss_bytes`` is the memory that the process really has; ``model`` is None until the model is
    known. ``weights`` is the SHA-256 of the weights' file, ``options`` what else the command line
    says of how the model was loaded, ``settings`` what that means; ``cpu_s`` is how many seconds
    of CPU it has taken since it began, ``started_s`` when that was (``time.monotonic()``), and
    ``vram_bytes`` what it has on GPUs, by the driver's list of processes: the ``index`` of each is
    in ``cards``. Each is None (``cards``: empty) where it is not told.
    """

    pid: int
    rss_bytes: int
    model: str | None
    weights: str | None = None
    options: str | None = None
    settings: RunnerSettings | None = None
    cpu_s: float | None = None
    started_s: float | None = None
    vram_bytes: int | None = None
    cards: tuple[int, ...] = ()


@dataclass(frozen=True)
class Machine:
    """What else was read of this machine; each None where it cannot be had.

    Where `Sample.ram_of` is a container, the page cache and the pressures are the container's.

    Parameters
    ----------
    page_cache_bytes:
        Files that the kernel keeps in memory: what a cold load need not read from the disk.
    swap_used_bytes, swap_total_bytes:
        Swap space; a total of 0 is a machine without.
    swapped_in_bytes_per_s:
        What was read back from swap since the sample before.
    disk_read_bytes_per_s:
        What all disks read since the sample before: loads show here.
    cpu_pressure, memory_pressure, io_pressure:
        The share of the time since the sample before in which some process waited for it, 0 to 1
        (Linux's pressure stall information).
    """

    page_cache_bytes: int | None = None
    swap_used_bytes: int | None = None
    swap_total_bytes: int | None = None
    swapped_in_bytes_per_s: float | None = None
    disk_read_bytes_per_s: float | None = None
    cpu_pressure: float | None = None
    memory_pressure: float | None = None
    io_pressure: float | None = None


@dataclass(frozen=True)
class Gpu:
    """A GPU of this machine, of any maker. ``utilization`` is 0 to 1.

    None (for the name: empty) is what the card does not tell: a MIG slice has no utilization,
    Intel's have none, and Apple's no power. ``is_integrated`` are those that share main memory, or
    have less than 1 GiB of their own: their memory is what they may take of it, and Ollama either
    leaves them alone or loads into main memory by them.
    """

    index: int
    name: str
    utilization: float | None
    memory_used_bytes: int | None
    memory_total_bytes: int | None
    power_w: float | None = None
    temperature_c: float | None = None
    clock_mhz: float | None = None
    is_integrated: bool = False


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
        The GPUs of this machine, of all kinds; empty where there is none (see `cards`).
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
    machine:
        What else was read of this machine.
    in_force:
        What is in force at the server, beside what was asked; None where nothing is known yet.
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
    machine: Machine = Machine()
    in_force: InForce | None = None

    @property
    def cards(self) -> tuple[Gpu, ...]:
        """The GPUs with memory of their own: Ollama puts models there, and waits for it."""
        return tuple(gpu for gpu in self.gpus if not gpu.is_integrated)
