"""Runners by the process table: when each began and ended, told by nobody but the kernel."""

from __future__ import annotations

import os
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

LOOK_S = 0.02
_WEIGHTS = re.compile(rb"sha256-([0-9a-f]{64})")
_PARENT, _BEGAN = 1, 19  # in /proc/PID/stat, counted from the state, which follows the name


@dataclass
class Life:
    """A runner: its process, the digest of its weights, its beginning and its end (monotonic)."""

    pid: int
    weights: str
    began_s: float
    ended_s: float | None = None


class ProcessTable:
    """Looks at the children of an Ollama every 20 ms, in a thread of its own.

    A beginning is known to 10 ms (the kernel's note), an end to 20 ms.

    Parameters
    ----------
    ollama:
        Its process number.
    """

    def __init__(self, ollama: int) -> None:
        self.lives: list[Life] = []
        """All runners that there have been, in order of their beginning."""
        self._ollama = ollama
        self._alive: dict[int, Life] = {}
        self._others: set[int] = set()  # process numbers that are no children of it
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="process-table", daemon=True)

    def __enter__(self) -> ProcessTable:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def alive(self) -> list[Life]:
        """The runners that have not ended."""
        return [life for life in self.lives if life.ended_s is None]

    def _work(self) -> None:
        while not self._stop.is_set():
            self._look()
            self._stop.wait(LOOK_S)

    def _look(self) -> None:
        now = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        self._others &= now
        for pid in sorted(now - self._others - set(self._alive)):
            self._see(pid)
        for pid, life in list(self._alive.items()):
            if pid not in now or _stat(pid)[0] in ("Z", "X", ""):
                life.ended_s = time.monotonic()
                del self._alive[pid]

    def _see(self, pid: int) -> None:
        stat = _stat(pid)
        if stat[0] in ("Z", "X", ""):
            return
        if int(stat[_PARENT]) != self._ollama:
            self._others.add(pid)
            return
        weights = _WEIGHTS.search(_read(f"/proc/{pid}/cmdline"))
        if weights is not None:  # else it is still the copy of Ollama that exec will replace
            after_boot_s = int(stat[_BEGAN]) / os.sysconf("SC_CLK_TCK")
            age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - after_boot_s
            life = Life(pid, weights[1].decode(), time.monotonic() - age_s)
            self._alive[pid] = life
            self.lives.append(life)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; an empty state for no such process."""
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].decode().split() or [""]


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
