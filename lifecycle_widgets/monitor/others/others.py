"""What other work takes of this machine: its CPU, disk and memory, less what is ours.

Ours are this process, the watched server's processes, and whatever these have started: private
Ollamas with their runners, downstream tasks. Everything else is others' work, the kernel's own and
that of a hypervisor's other guests (steal) too. Waiting for a disk is no work.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from dataclasses import dataclass

import psutil

from lifecycle_widgets.monitor.others.family import Family, Meter
from lifecycle_widgets.monitor.others.quota import Quota, own_quota
from lifecycle_widgets.monitor.system.processes import Process
from lifecycle_widgets.monitor.system.sources import Sources

_LEAST_S = 0.4  # what follows faster would show the ticks of the CPU times (10 ms)
_UNTOLD = (psutil.Error, OSError, AttributeError, RuntimeError)


@dataclass(frozen=True)
class Taken:
    """What others took; None where it is not told.

    ``cpu``: the share of all cores, 0 to 1, or of those that this container may have where that
    is more; ``disk_bytes_per_s``: read and written; ``ram_bytes``: main memory.
    """

    cpu: float | None = None
    disk_bytes_per_s: float | None = None
    ram_bytes: int | None = None


@dataclass(frozen=True)
class _Sums:
    """What the whole machine, and this container, have done so far."""

    at_s: float
    busy_s: float
    total_s: float
    disk_bytes: float | None
    container_s: float | None

    def cpu_since(self, before: _Sums, ours_s: float | None, quota: Quota | None) -> float | None:
        """The share of all cores that was not ours; None when it is not told."""
        total_s = self.total_s - before.total_s
        if ours_s is None or total_s <= 0:
            return None
        share = (self.busy_s - before.busy_s - ours_s) / total_s
        if quota is not None:
            if self.container_s is None or before.container_s is None:
                return None
            others_s = self.container_s - before.container_s - ours_s
            share = max(share, others_s / (self.at_s - before.at_s) / quota.cores)
        return min(1.0, max(0.0, share))

    def disk_since(self, before: _Sums, ours_bytes: float | None) -> float | None:
        """Bytes per second that were not ours; None when it is not told."""
        if ours_bytes is None or self.disk_bytes is None or before.disk_bytes is None:
            return None
        others = self.disk_bytes - before.disk_bytes - ours_bytes
        return max(0.0, others) / (self.at_s - before.at_s)


class Others:
    """Reads what others took since the reading before; one within 0.4 s repeats it.

    Parameters
    ----------
    sources:
        Where the machine's figures come from.

    Examples
    --------
    >>> others = Others()
    >>> others.read(servers=(), ram_used_bytes=None).cpu is None  # there was none before
    True
    """

    def __init__(self, sources: Sources | None = None) -> None:
        self._sources = sources or Sources()
        self._family = Family()
        self._cpu, self._disk = Meter(cpu_s), Meter(_disk_bytes)
        self._quota = own_quota()
        self._last: _Sums | None = None
        self._taken = Taken()

    def read(
        self,
        servers: Collection[int],
        ram_used_bytes: int | None,
        alive: frozenset[int] | None = None,
    ) -> Taken:
        """What others took.

        Parameters
        ----------
        servers:
            The processes of the watched server, as far as they are known.
        ram_used_bytes:
            Main memory in use, all together; None: not told.
        alive:
            The numbers of all processes, where they have just been listed.
        """
        now_s = time.monotonic()
        if self._last is not None and now_s - self._last.at_s < _LEAST_S:
            return self._taken
        self._family.look({os.getpid(), *servers}, alive)
        ours_s, ours_bytes = (meter.since_last(self._family) for meter in (self._cpu, self._disk))
        container_s = self._quota.used_s() if self._quota is not None else None
        before = self._last
        disks = self._sources.disks()
        disk_bytes = None if disks is None else float(disks.read + disks.written)
        self._last = _Sums(now_s, *self._sources.cores(), disk_bytes, container_s)
        cpu, disk = None, None
        if before is not None:
            cpu = self._last.cpu_since(before, ours_s, self._quota)
            disk = self._last.disk_since(before, ours_bytes)
        self._taken = Taken(cpu, disk, self._ram(ram_used_bytes))
        return self._taken

    def _ram(self, used_bytes: int | None) -> int | None:
        if used_bytes is None:
            return None
        ours_bytes = 0
        for process in self._family.members.values():
            try:
                ours_bytes += _own_bytes(process)
            except psutil.NoSuchProcess:
                pass
            except _UNTOLD:
                return None
        return max(0, used_bytes - ours_bytes)


def cpu_s(process: Process) -> float:
    """Seconds of CPU that it has taken, and the ended children that it has waited for."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _disk_bytes(process: Process) -> float:
    told = process.io_counters()
    return float(told.read_bytes + told.write_bytes)


def _own_bytes(process: Process) -> int:
    """Its memory without the pages of files, which are page cache and not counted as used."""
    told = process.memory_info()
    return int(told.rss - getattr(told, "shared", 0))
