"""The numbers of all processes, listed anew only when there may be others."""

from __future__ import annotations

import math
import time

import psutil

from lifecycle_widgets.monitor.system.kept_file import KeptFile

_LIST_AGAIN_S = 10.0  # whatever the system says


class Pids:
    """Lists the processes, for several who ask within one sample.

    To list some hundred processes takes most of a millisecond. Linux tells in one line how many
    threads there are, and which number was given out last: while both are the same, nothing has
    been started, and nothing has ended.
    """

    def __init__(self) -> None:
        self.now: frozenset[int] = frozenset()  #: as of the last look
        self._counts = KeptFile("/proc/loadavg") if psutil.LINUX else None
        self._counted: tuple[bytes, bytes] | None = None
        self._listed_s = -math.inf

    def look(self) -> frozenset[int]:
        """The numbers of all processes; the same object while they are the same.

        Raises what psutil does where they cannot be listed.
        """
        counted, now_s = self._count(), time.monotonic()
        is_late = now_s - self._listed_s >= _LIST_AGAIN_S
        if counted is None or counted != self._counted or is_late:
            found = frozenset(psutil.pids())
            if found != self.now:
                self.now = found
            self._counted, self._listed_s = counted, now_s
        return self.now

    def _count(self) -> tuple[bytes, bytes] | None:
        """How many threads there are, and the last number; None where that is not told."""
        if self._counts is None:
            return None
        try:
            *_, threads, last = self._counts.read().split()
        except (OSError, ValueError):
            return None
        total = threads.partition(b"/")[2]
        return (total, last) if int(last) else None  # a sandboxed system may say 0
