"""What of a reservation a process holds already, as far as that can be seen."""

from __future__ import annotations

import contextlib
from urllib.parse import urlsplit

import psutil

Children = dict[int, list[psutil.Process]]


def children() -> Children:
    """The machine's processes, by their parents."""
    found: Children = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            found.setdefault(process.ppid(), []).append(process)
    return found


def held_bytes(pids: tuple[int, ...], left: Children) -> int:
    """What the children of some processes, and theirs, hold of their own.

    Each is counted once: it is taken out of ``left``. What cannot be seen (a process that has
    ended, on some systems another user's) is not counted.
    """
    held, waiting = 0, [child for pid in pids for child in left.pop(pid, ())]
    while waiting:
        child = waiting.pop()
        waiting += left.pop(child.pid, ())
        with contextlib.suppress(psutil.Error, OSError):
            memory = child.memory_info()
            held += max(0, memory.rss - getattr(memory, "shared", 0))
    return held


def server_pid(url: str) -> int | None:
    """The process that answers at an address, where it is an Ollama of this user's.

    The sandbox of a lab is no child of its kernels.
    """
    try:
        port = urlsplit(url).port
    except ValueError:
        return None
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name().startswith("ollama") and _listens(process, port):
                return process.pid
    return None


def _listens(process: psutil.Process, port: int | None) -> bool:
    return any(
        one.status == psutil.CONN_LISTEN and one.laddr.port == port
        for one in process.net_connections("tcp")
    )
