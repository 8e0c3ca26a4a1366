"""What all disks together have read and written, since the machine's start."""

from __future__ import annotations

import os
from typing import NamedTuple

import psutil

from lifecycle_widgets.monitor.system.kept_file import KeptFile

_SECTOR_BYTES = 512  # in /proc/diskstats, whatever the disk's own are
_UNTOLD = (psutil.Error, OSError, AttributeError, RuntimeError)


class DiskBytes(NamedTuple):
    """Bytes so far."""

    read: int
    written: int


class LinuxDisks:
    """Reads /proc/diskstats.

    Counted are the disks themselves. What lies on them (partitions, encryption, RAID, loops) would
    count the same bytes again; it does count where no disk is told of, as in some containers.
    """

    def __init__(self) -> None:
        self._file = KeptFile("/proc/diskstats")
        self._kinds: dict[bytes, int] = {}  # of each name: 2 a disk, 1 lies on one, 0 a part of it

    def read(self) -> DiskBytes | None:
        """What it tells now; None when it does not. Raises nothing."""
        try:
            lines = [line.split(None, 10) for line in self._file.read_all().splitlines()]
            for line in lines:
                if line[2] not in self._kinds:
                    self._kinds[line[2]] = _kind(line[2].decode())
            best = max((self._kinds[line[2]] for line in lines), default=0)
            told = [line for line in lines if self._kinds[line[2]] == best > 0]
            read, written = (sum(int(line[at]) for line in told) for at in (5, 9))
        except (OSError, ValueError, IndexError):
            return None
        return DiskBytes(read * _SECTOR_BYTES, written * _SECTOR_BYTES) if told else None


def _kind(name: str) -> int:
    block = f"/sys/block/{name.replace('/', '!')}"
    return os.path.exists(block) + os.path.exists(f"{block}/device")


def other_disks() -> DiskBytes | None:
    """As psutil tells it; None when it does not."""
    try:
        told = psutil.disk_io_counters(nowrap=False)
    except _UNTOLD:
        return None
    return None if told is None else DiskBytes(told.read_bytes, told.write_bytes)
