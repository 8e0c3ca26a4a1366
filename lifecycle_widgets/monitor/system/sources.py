"""What is read of the whole machine: memory, CPU times, disks; once for all who ask in a sample."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

import psutil

from lifecycle_widgets.monitor.system.cores import Cores, linux_cores, other_cores
from lifecycle_widgets.monitor.system.disks import DiskBytes, LinuxDisks, other_disks
from lifecycle_widgets.monitor.system.main_memory import LinuxMemory, MainMemory, other_memory

_SAME_S = 0.05  # a sample takes a few milliseconds, and the next one comes half a second later

_Value = TypeVar("_Value")


class OnceASample(Generic[_Value]):
    """A reading that is not made again within 50 ms: two who ask in one sample get the same.

    Parameters
    ----------
    read:
        Makes a reading; what it raises is not kept.
    """

    def __init__(self, read: Callable[[], _Value]) -> None:
        self._read = read
        self._last: tuple[float, _Value] | None = None

    def __call__(self) -> _Value:
        now_s = time.monotonic()
        if self._last is None or now_s - self._last[0] >= _SAME_S:
            self._last = now_s, self._read()
        return self._last[1]


class Sources:
    """The readings of one monitor.

    Examples
    --------
    >>> sources = Sources()
    >>> 0 < sources.memory().available_bytes <= sources.memory().total_bytes
    True
    """

    def __init__(self) -> None:
        is_linux = psutil.LINUX
        self.memory: Callable[[], MainMemory] = OnceASample(
            LinuxMemory().read if is_linux else other_memory
        )
        self.cores: Callable[[], Cores] = OnceASample(linux_cores() if is_linux else other_cores)
        #: None: not told
        self.disks: Callable[[], DiskBytes | None] = OnceASample(
            LinuxDisks().read if is_linux else other_disks
        )
