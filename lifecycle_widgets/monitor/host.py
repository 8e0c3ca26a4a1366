"""Main memory and CPU of this machine; of the container, where one limits memory."""

from __future__ import annotations

import time

import psutil

from lifecycle_widgets.container_memory import container_memory

MACHINE, CONTAINER = "this machine", "this container"
_LOOK_AGAIN_S = 10.0  # for a limit, where there is none: it is rarely set later


class Host:
    """Reads memory and CPU; keeps the last CPU times, so that a reading covers the time since.

    (`psutil.cpu_percent` keeps them too, but one set for everybody in the process: two monitors,
    or a monitor and a person's own code, would halve each other's intervals.)
    """

    def __init__(self) -> None:
        self._last_s: tuple[float, float] | None = None
        self._cpu_fraction = 0.0
        self._no_limit_until_s = 0.0

    def memory(self) -> tuple[int, int, str]:
        """Used and total main memory, in bytes, and whose: ``MACHINE`` or ``CONTAINER``."""
        now_s = time.monotonic()
        if now_s >= self._no_limit_until_s:
            if (container := container_memory()) is not None:
                return container.used_bytes, container.total_bytes, CONTAINER
            self._no_limit_until_s = now_s + _LOOK_AGAIN_S
        memory = psutil.virtual_memory()
        return memory.total - memory.available, memory.total, MACHINE

    def cpu_fraction(self) -> float:
        """How busy all cores together were since the last call, 0 to 1; 0 at the first call."""
        busy_s, total_s = cpu_times()
        last_busy_s, last_total_s = self._last_s or (busy_s, total_s)
        if total_s > last_total_s:  # else too soon: the clock of the CPU times ticks in 10 ms
            spent = (busy_s - last_busy_s) / (total_s - last_total_s)
            self._cpu_fraction = min(1.0, max(0.0, spent))
            self._last_s = busy_s, total_s
        self._last_s = self._last_s or (busy_s, total_s)
        return self._cpu_fraction


def cpu_times() -> tuple[float, float]:
    """Seconds that all cores together were busy, and in all; waiting for a disk is not busy."""
    times = psutil.cpu_times()
    total_s = float(sum(times))
    # Linux counts the time of virtual machines twice: in guest, and in user or nice
    total_s -= getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return total_s - times.idle - getattr(times, "iowait", 0.0), total_s
