"""The processes that matter to a monitor: Ollama servers and runners, and who started whom."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from lifecycle_widgets.monitor.in_force.values import RunnerSettings
from lifecycle_widgets.monitor.runners.command_lines import (
    is_helper,
    is_server,
    listens_on,
    model_of,
    options_of,
)
from lifecycle_widgets.monitor.runners.settings import settings_of
from lifecycle_widgets.monitor.system.pids import Pids
from lifecycle_widgets.monitor.system.processes import (
    Process,
    ancestors_of,
    command_line_of,
    open_process,
    parent_of,
    started_s,
)

_GENERATIONS = 3  # between a server and its runner a wrapper or two may stand
_LOOKS = (0, 1, 2, 4, 8, 16)  # scans after which a command line is read (again)


@dataclass(frozen=True)
class Known:
    """A process that was taken in.

    ``chain``: itself, and those who started it up to the nearest Ollama server. ``model``: as in
    its command line; None for a server, and for a server's child that names none. ``options``:
    what else is there, and ``settings`` what that means. ``opened``: a runner, for the
    readings of each sample; ``started_s``: when it began, by ``time.monotonic()``.
    """

    process: psutil.Process
    chain: tuple[int, ...]
    model: str | None = None
    options: str | None = None
    settings: RunnerSettings | None = None
    opened: Process | None = None
    started_s: float | None = None

    @property
    def pid(self) -> int:
        return int(self.process.pid)


class Processes:
    """All servers and runners of this machine that can be seen, kept open from scan to scan.

    Of all processes only the numbers are listed each time; a command line is read when a number
    is new, and a few times more, ever more rarely: it may have been read between fork and exec,
    which on a busy machine lie seconds apart.
    """

    def __init__(self) -> None:
        self.alive: frozenset[int] = frozenset()  #: all processes, as of the last scan
        self._pids = Pids()
        self._scans = 0
        self._since: dict[int, int] = {}  # process number: the scan that it was new in
        self._newest = 0  # of these
        self._above: dict[int, int] = {}  # process number: its parent's
        self.servers: dict[int, Known] = {}
        self.runners: dict[int, Known] = {}
        self._parents: frozenset[int] = frozenset()  # whose children count, whatever they are

    def scan(self) -> None:
        """Take in what is new, and forget what has ended."""
        now = self._pids.look()
        if now is not self.alive:
            self.alive = now
            for known in (self.servers, self.runners, self._above):
                for pid in known.keys() - now:
                    del known[pid]
            self._since = {pid: self._since.get(pid, self._scans) for pid in now}
            self._newest = max(self._since.values(), default=0)
        if self._scans - self._newest <= _LOOKS[-1]:
            for pid, since in self._since.items():
                if self._scans - since in _LOOKS:
                    self.look_at(pid)
        self._scans += 1

    def adopt(self, servers: frozenset[int]) -> None:
        """From now on take in every child of these: an engine may have any command line."""
        if not servers <= self._parents:
            self._since = dict.fromkeys(self.alive, self._scans)  # look at all of them again
            self._newest = self._scans
        self._parents = servers

    def of_user(self, uid: int) -> list[int]:
        """The servers that a user runs."""
        return [pid for pid, one in self.servers.items() if _uid(one.process) == uid]

    def runners_of(self, pid: int) -> list[Known]:
        """The runners that a process started; itself, if it is one. Wrappers are left out."""
        found = [one for one in self.runners.values() if pid in one.chain]
        wrappers = {(above, one.model) for one in found for above in one.chain[1:]}
        return [one for one in found if (one.pid, one.model) not in wrappers]

    def look_at(self, pid: int) -> None:
        """Take the process in, if it is a server or a runner, and is not known as one."""
        if pid in self.servers or pid in self.runners:
            return
        with contextlib.suppress(psutil.Error, OSError):  # it has ended, or is not for us to see
            arguments = command_line_of(pid)
            if is_server(arguments):
                process = psutil.Process(pid)
                if not is_forked(process, arguments):  # else a runner to be
                    self.servers[pid] = Known(process, (pid,))
            elif (model := model_of(arguments)) is not None:
                process = psutil.Process(pid)
                chain = (pid, *_started_by(pid))
                told = options_of(arguments), settings_of(arguments)
                self.runners[pid] = Known(process, chain, model, *told, *_opened(pid))
            elif self._parents and self._parent(pid) in self._parents and not is_helper(arguments):
                process, chain = psutil.Process(pid), (pid, self._parent(pid))
                self.runners[pid] = Known(process, chain, None, None, None, *_opened(pid))

    def _parent(self, pid: int) -> int:
        """Who started it: asked once. Raises psutil.Error, OSError."""
        if pid not in self._above:
            self._above[pid] = parent_of(pid)
        return self._above[pid]


def _opened(pid: int) -> tuple[Process, float]:
    opened = open_process(pid)
    return opened, started_s(opened)


def is_forked(process: psutil.Process, arguments: list[str] | None = None) -> bool:
    """Whether it still has the command line of the one that started it: exec comes next.

    Parameters
    ----------
    arguments:
        Its command line, where it has been read.
    """
    with contextlib.suppress(psutil.Error, OSError):  # a parent that does not tell is another's
        parent = process.parent()
        own = process.cmdline() if arguments is None else arguments
        return parent is not None and parent.cmdline() == own
    return False


def forwarder_of(uid: int, port: int) -> str | None:
    """The name of a user's program that passes on what comes to the port; None if none is seen."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if _uid(process) == uid and listens_on(process.cmdline(), port):
                return str(process.name())
    return None


def name_of(pid: int) -> str:
    """A process's name; "another program" when it cannot be seen."""
    try:
        return str(psutil.Process(pid).name()) or "another program"
    except (psutil.Error, OSError):
        return "another program"


def _started_by(pid: int) -> Iterator[int]:
    """Who started it, up to the nearest Ollama server: what is above that has no part in it."""
    for ancestor in ancestors_of(pid, _GENERATIONS):
        yield ancestor
        with contextlib.suppress(psutil.Error, OSError):  # one that does not tell is none
            if is_server(command_line_of(ancestor)):
                return


def _uid(process: psutil.Process) -> int | None:
    try:
        return int(process.uids().effective)
    except (psutil.Error, OSError, AttributeError):  # Windows has no such numbers
        return None
