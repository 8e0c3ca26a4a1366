"""Main memory and CPU of this machine; of the container, where one limits memory."""

from __future__ import annotations

import time

from lifecycle_widgets.container_memory import LimitedGroup, limited_group
from lifecycle_widgets.monitor.system.kept_file import KeptFile
from lifecycle_widgets.monitor.system.sources import Sources

MACHINE, CONTAINER = "this machine", "this container"
_LOOK_AGAIN_S = 30.0  # for a limit: it is rarely set later, or another


class Host:
    """Reads memory and CPU; keeps the last CPU times, so that a reading covers the time since.

    (`psutil.cpu_percent` keeps them too, but one set for everybody in the process: two monitors,
    or a monitor and a person's own code, would halve each other's intervals.)

    Parameters
    ----------
    sources:
        Where the machine's figures come from.
    """

    def __init__(self, sources: Sources | None = None) -> None:
        self._sources = sources or Sources()
        self._last_s: tuple[float, float] | None = None
        self._cpu_fraction = 0.0
        #: the group that limits memory, as of the last reading of it; None where there is none
        self.group: LimitedGroup | None = None
        #: what of memory holds files, in whatever the last reading of it was of; None: not told
        self.page_cache_bytes: int | None = None
        self._files: dict[str, KeptFile] = {}  # of the group
        self._look_again_s = 0.0

    def memory(self) -> tuple[int, int, str]:
        """Used and total main memory, in bytes, and whose: ``MACHINE`` or ``CONTAINER``."""
        self._look_for_a_limit()
        if self.group is not None:
            try:
                container = self.group.read(self._content)
            except (OSError, ValueError):  # it is limited no more
                self.group, self._look_again_s = None, 0.0
            else:
                self.page_cache_bytes = container.page_cache_bytes
                return container.used_bytes, container.total_bytes, CONTAINER
        self.page_cache_bytes = None
        memory = self._sources.memory()
        self.page_cache_bytes = memory.page_cache_bytes
        return memory.total_bytes - memory.available_bytes, memory.total_bytes, MACHINE

    def _look_for_a_limit(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._look_again_s:
            group = limited_group()
            if group != self.group:
                self.group, self._files = group, {}
            self._look_again_s = now_s + _LOOK_AGAIN_S

    def _content(self, name: str) -> bytes:
        if self.group is not None and name not in self._files:
            self._files[name] = KeptFile(self.group.folder / name)
        return self._files[name].read_all()

    def cpu_fraction(self) -> float:
        """How busy all cores together were since the last call, 0 to 1; 0 at the first call."""
        busy_s, total_s = self._sources.cores()
        last_busy_s, last_total_s = self._last_s or (busy_s, total_s)
        if total_s > last_total_s:  # else too soon: the clock of the CPU times ticks in 10 ms
            spent = (busy_s - last_busy_s) / (total_s - last_total_s)
            self._cpu_fraction = min(1.0, max(0.0, spent))
            self._last_s = busy_s, total_s
        self._last_s = self._last_s or (busy_s, total_s)
        return self._cpu_fraction
