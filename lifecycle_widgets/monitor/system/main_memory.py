"""Main memory and swap of this machine, in bytes."""

from __future__ import annotations

import mmap
import re
from collections.abc import Mapping
from typing import NamedTuple

import psutil

from lifecycle_widgets.monitor.system.kept_file import KeptFile

_SWAPPED_IN = re.compile(rb"^pswpin (\d+)$", re.MULTILINE)


class MainMemory(NamedTuple):
    """One reading; None for what is not told."""

    total_bytes: int
    available_bytes: int
    page_cache_bytes: int | None
    swap_total_bytes: int | None
    swap_used_bytes: int | None
    swapped_in_bytes: int | None  #: since the machine's start


class LinuxMemory:
    """Reads /proc/meminfo; and /proc/vmstat, where there is swap."""

    def __init__(self) -> None:
        self._meminfo, self._vmstat = KeptFile("/proc/meminfo"), KeptFile("/proc/vmstat")

    def read(self) -> MainMemory:
        """One reading. Raises OSError where it is hidden."""
        words = self._meminfo.read().replace(b" kB", b"").split()
        told = dict(zip(words[::2], words[1::2], strict=False))
        total, available = _bytes(told, b"MemTotal") or 0, _bytes(told, b"MemAvailable") or -1
        if not 0 <= available <= total:  # an old kernel, or a container's own idea of it
            memory = psutil.virtual_memory()
            total, available = memory.total, memory.available
        swap_total, swap_free = _bytes(told, b"SwapTotal"), _bytes(told, b"SwapFree") or 0
        return MainMemory(
            total_bytes=total,
            available_bytes=available,
            page_cache_bytes=_page_cache(told),
            swap_total_bytes=swap_total,
            swap_used_bytes=None if swap_total is None else max(0, swap_total - swap_free),
            swapped_in_bytes=self._swapped_in() if swap_total else swap_total,
        )

    def _swapped_in(self) -> int | None:
        try:
            found = _SWAPPED_IN.search(self._vmstat.read_all())
        except OSError:
            return None
        return None if found is None else int(found[1]) * mmap.PAGESIZE


def _bytes(told: Mapping[bytes, bytes], name: bytes) -> int | None:
    kilobytes = told.get(name + b":")
    return None if kilobytes is None else int(kilobytes) * 1024


def _page_cache(told: Mapping[bytes, bytes]) -> int | None:
    """Files; what programs share in memory (tmpfs) is counted with them, and is no cache."""
    buffers, cached, shared = (_bytes(told, name) for name in (b"Buffers", b"Cached", b"Shmem"))
    return None if cached is None else max(0, cached + (buffers or 0) - (shared or 0))


def other_memory() -> MainMemory:
    """As psutil tells it. Raises what it does."""
    memory = psutil.virtual_memory()
    total = used = swapped_in = None
    try:
        swap = psutil.swap_memory()
        total, used = swap.total, swap.used
        swapped_in = None if psutil.WINDOWS else swap.sin
    except (psutil.Error, OSError, RuntimeError, AttributeError):
        pass  # swap is not told
    cached = getattr(memory, "cached", None)
    return MainMemory(memory.total, memory.available, cached, total, used, swapped_in)
