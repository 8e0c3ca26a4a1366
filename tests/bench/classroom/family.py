"""What a process and all that it has started take: memory by shares, and the processor."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import TracebackType

import psutil


class Family:
    """Looks at a process and its descendants until the block ends.

    Memory is the sum of proportional shares (PSS): what several share is counted once.
    """

    def __init__(self, pid: int, every_s: float = 0.5) -> None:
        self.head, self.every_s = psutil.Process(pid), every_s
        self.peak_bytes = self.now_bytes = 0
        self._cpu_s: dict[tuple[int, float], float] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def cpu_s(self) -> float:
        """Seconds of the processor, those of processes that have ended included."""
        return sum(self._cpu_s.values())

    def __enter__(self) -> Family:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(self.every_s):
            self.look()

    def look(self) -> int:
        """What they take now, in bytes."""
        total = 0
        with suppress(psutil.Error):
            for one in (self.head, *self.head.children(recursive=True)):
                with suppress(psutil.Error):
                    times = one.cpu_times()
                    self._cpu_s[one.pid, one.create_time()] = times.user + times.system
                    total += one.memory_full_info().pss
        self.now_bytes, self.peak_bytes = total, max(total, self.peak_bytes)
        return total
