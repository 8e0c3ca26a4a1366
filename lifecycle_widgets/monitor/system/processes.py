"""One process, as psutil tells it; on Linux by files that stay open, at a quarter of the cost."""

from __future__ import annotations

import contextlib
import mmap
import os
import re
import time
from typing import Any, NamedTuple, Protocol

import psutil

from lifecycle_widgets.monitor.system.kept_file import KeptFile


class CpuTimes(NamedTuple):
    """Seconds of CPU: its own, and those of the ended children that it has waited for."""

    user: float
    system: float
    children_user: float
    children_system: float


class Disk(NamedTuple):
    """Bytes that it has read from disks and written to them."""

    read_bytes: int
    write_bytes: int


class Memory(NamedTuple):
    """Bytes of main memory: all that it has there, and of these the pages of files."""

    rss: int
    shared: int


class Process(Protocol):
    """What is asked of a process; both of psutil's and of ours.

    The answers have at least the fields of `CpuTimes`, `Disk` and `Memory`. Each question raises
    psutil.NoSuchProcess where it has ended, and OSError, psutil.Error, AttributeError or
    NotImplementedError where it does not tell.
    """

    @property
    def pid(self) -> int: ...
    def cpu_times(self) -> Any: ...
    def io_counters(self) -> Any: ...
    def memory_info(self) -> Any: ...


def open_process(pid: int) -> Process:
    """A process, for many questions. Raises psutil.Error, OSError.

    Examples
    --------
    >>> open_process(os.getpid()).memory_info().rss > 1e6
    True
    """
    if psutil.LINUX:
        return LinuxProcess(pid)
    process: Process = psutil.Process(pid)
    return process


def started_s(process: Process) -> float:
    """When it was started, by the clock of ``time.monotonic()``. Raises psutil.Error, OSError.

    Examples
    --------
    >>> 0 <= time.monotonic() - started_s(open_process(os.getpid())) < 1e6
    True
    """
    if isinstance(process, LinuxProcess):
        process.cpu_times()  # raises where it is hidden
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - process.started_ticks / _TICKS
    else:
        age_s = time.time() - psutil.Process(process.pid).create_time()
    return time.monotonic() - age_s


def command_line_of(pid: int) -> list[str]:
    """The words that it was started with; none where it has none. Raises psutil.Error, OSError.

    Examples
    --------
    >>> command_line_of(os.getpid()) == psutil.Process().cmdline()
    True
    """
    if not psutil.LINUX:
        return list(psutil.Process(pid).cmdline())
    told = os.fsdecode(_content(pid, "cmdline"))
    if not told.endswith("\0"):  # a program that shows something else there
        return told.split()
    words = told[:-1].split("\0")
    return words[0].split(" ") if len(words) == 1 else words


def parent_of(pid: int) -> int:
    """Who started it, or has adopted it. Raises psutil.Error, OSError.

    Examples
    --------
    >>> parent_of(os.getpid()) == os.getppid()
    True
    """
    if not psutil.LINUX:
        return int(psutil.Process(pid).ppid())
    return int(_content(pid, "stat").rpartition(b")")[2].split(None, 2)[1])


def ancestors_of(pid: int, most: int) -> list[int]:
    """Who started it, who started that one, and so on. Raises psutil.Error, OSError.

    Examples
    --------
    >>> ancestors_of(os.getpid(), most=1) == [os.getppid()]
    True
    """
    if not psutil.LINUX:  # where a number may be another's than the parent's by now
        return [above.pid for above in psutil.Process(pid).parents()[:most]]
    found: list[int] = []
    while len(found) < most and (pid := parent_of(pid)):
        found.append(pid)
    return found


def _content(pid: int, name: str) -> bytes:
    try:
        descriptor = os.open(f"/proc/{pid}/{name}", os.O_RDONLY)
        try:
            return os.read(descriptor, _MOST_BYTES)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None


class LinuxProcess:
    """Reads /proc. It stays the process that it was, whoever gets its number later."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._stat = KeptFile(f"/proc/{pid}/stat")
        self._io = KeptFile(f"/proc/{pid}/io")
        self._statm = KeptFile(f"/proc/{pid}/statm")
        self.started_ticks = _NOT_READ  #: since the machine's start
        with contextlib.suppress(OSError):  # it is hidden: each question will say so
            self.started_ticks = int(self._fields()[_STARTED])

    def cpu_times(self) -> CpuTimes:
        return CpuTimes(*(int(ticks) / _TICKS for ticks in self._fields()[_CPU]))

    def io_counters(self) -> Disk:
        told = _DISK.search(self._read(self._io))
        if told is None:
            raise OSError("no such figures")
        return Disk(int(told[1]), int(told[2]))

    def memory_info(self) -> Memory:
        _, rss, shared, *_ = self._read(self._statm).split(b" ", 3)
        return Memory(int(rss) * mmap.PAGESIZE, int(shared) * mmap.PAGESIZE)

    def _fields(self) -> list[bytes]:
        """Of its stat, from the state on: before that stands its name, which may be anything."""
        fields = self._bytes(self._stat).rpartition(b")")[2].split(b" ", _STARTED + 1)
        if self.started_ticks not in (_NOT_READ, int(fields[_STARTED])):
            raise psutil.NoSuchProcess(self.pid)
        return fields

    def _read(self, file: KeptFile) -> bytes:
        was_open, told = file.is_open, self._bytes(file)
        if not was_open:
            self._fields()  # raises when the number has become another's before it was opened
        return told

    def _bytes(self, file: KeptFile) -> bytes:
        try:
            return file.read()
        except (FileNotFoundError, ProcessLookupError):
            raise psutil.NoSuchProcess(self.pid) from None


_DISK = re.compile(rb"\nread_bytes: (\d+)\nwrite_bytes: (\d+)\n")
_NOT_READ = -1
_MOST_BYTES = 1 << 16  # of a command line
_CPU, _STARTED = slice(12, 16), 20  # fields of stat (proc(5): 14 to 17, and 22)
if psutil.LINUX:
    _TICKS = os.sysconf("SC_CLK_TCK")
