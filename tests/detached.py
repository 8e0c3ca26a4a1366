"""Other people's work: programs that run beside a test and are not of its family."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BUSY = "while True: pass"


@contextmanager
def detached(code: str = BUSY, count: int = 1) -> Iterator[list[int]]:
    """So many Python programs that no process of ours has as a child; ended at the end.

    A shell starts each in a session of its own and ends at once, so it is adopted by another.
    """
    pids: list[int] = []
    start = '"$0" -S -c "$1" >/dev/null 2>&1 & echo $!'
    try:
        for _ in range(count):
            command = ["sh", "-c", start, sys.executable, code]
            pids.append(int(subprocess.check_output(command, start_new_session=True, timeout=60)))
        yield pids
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
