"""Memory by the kernel's own accounts: of a process's pages, and of a control group."""

from __future__ import annotations

import re
from pathlib import Path

import psutil

from lifecycle_widgets.experiments.shortage.shortage import Shortage

_RSS = re.compile(r"^Rss:\s+(\d+) kB", re.MULTILINE)


def pages_bytes(pid: int) -> int:
    """The resident pages of a process, which the kernel counts one by one when it is asked.

    (RSS in /proc/PID/statm, which others read, is a running count that may lag.)
    """
    found = _RSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    assert found is not None
    return int(found[1]) * 1024


class Account:
    """What an Ollama's runners have allocated, by the account of a control group around all.

    The account has the pages of files, which a process's RSS counts too, under its page cache;
    these are left out here. Ollama's own growth since the beginning is deducted.

    Parameters
    ----------
    group:
        In force, with nothing but this Ollama and its runners in it.
    ollama:
        Its process number; it has no runner yet.
    """

    def __init__(self, group: Shortage, ollama: int) -> None:
        group.adopt(ollama)
        self._group, self._ollama = group, psutil.Process(ollama)
        self._at_first_bytes = self._allocated_bytes()

    def runners_bytes(self) -> int:
        """What the runners have allocated now."""
        return self._allocated_bytes() - self._at_first_bytes

    def _allocated_bytes(self) -> int:
        own = int(self._ollama.memory_info().rss)
        return self._group.used_bytes() - self._group.page_cache_bytes() - own
