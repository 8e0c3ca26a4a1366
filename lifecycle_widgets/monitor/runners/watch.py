"""The runners of one server on this machine, as far as it can be seen which they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from lifecycle_widgets.monitor.in_force.values import RunnerSettings
from lifecycle_widgets.monitor.runners.command_lines import digest_in
from lifecycle_widgets.monitor.runners.processes import Known, Processes
from lifecycle_widgets.monitor.runners.server_process import ServerProcess
from lifecycle_widgets.monitor.runners.vram import OnGpus, Vram
from lifecycle_widgets.monitor.system.processes import Process
from lifecycle_widgets.server import Server


@dataclass(frozen=True)
class Found:
    """A runner process: its number, its memory, and what it serves.

    ``model`` is what its command line says, a path or a name; ``digest`` that of the weights.
    Each is None where it is not told. ``options`` is what else it says of how it was loaded, and
    ``settings`` what that means; ``on_gpus`` is what it has there, as the driver tells;
    ``cpu_s`` and ``started_s`` are as in `Runner`.
    """

    pid: int
    rss_bytes: int
    digest: str | None
    model: str | None = None
    options: str | None = None
    settings: RunnerSettings | None = None
    on_gpus: OnGpus | None = None
    cpu_s: float | None = None
    started_s: float | None = None


class RunnerWatch:
    """Finds the runners of a server, follows them, and says so when they cannot be seen.

    Parameters
    ----------
    server:
        Whose runners.

    Examples
    --------
    >>> watch = RunnerWatch(Server("192.0.2.1"))  # an address that is kept free for examples
    >>> print(watch.scan(), watch.unseen)
    None 192.0.2.1 is another machine, whose processes cannot be seen from here.
    """

    def __init__(self, server: Server) -> None:
        parts = urlsplit(server.url)
        #: why the runners cannot be seen, in a sentence; None when they can
        self.unseen: str | None = None
        self._processes = Processes()
        self._vram = Vram()
        self._server: ServerProcess | None = None
        if server.is_local:
            self._server = ServerProcess(parts.hostname or "", parts.port or 0, self._processes)
        else:
            self.unseen = (
                f"{parts.hostname} is another machine, whose processes cannot be seen from here."
            )
        self._answers: bool | None = None  # not known yet
        self._resident = 0  # how many models it says are in memory
        self._read: tuple[int | None, tuple[Found, ...]] = (None, ())  # of which server

    @property
    def server_pid(self) -> int | None:
        """The server's process; None where it is not known."""
        return None if self._server is None else self._server.pid

    @property
    def alive(self) -> frozenset[int] | None:
        """All processes of this machine, as of the last scan; None where there was none."""
        return None if self._server is None else self._processes.alive

    def scan(self) -> tuple[Found, ...] | None:
        """The runners that are alive now, with the resident set size (RSS) of each.

        None when they cannot be seen; ``unseen`` says why.
        """
        if self._server is None:
            return None
        self._read = None, ()
        self._processes.scan()
        self._server.look()
        self._read_all(self._server.pid)
        return self._shown(self._server, holds=False)

    def judge(self, weights: Sequence[str | None] | None) -> tuple[Found, ...] | None:
        """The same runners, now that the server has told what is in memory.

        Parameters
        ----------
        weights:
            The weights file of each model in memory (None: not told); None when the server does
            not answer.
        """
        if self._server is None:
            return None
        came, self._answers = not self._answers, weights is not None
        if weights is not None:
            self._resident = len(weights)
            if came:  # or came back, as another process
                self._processes.scan()
                self._server.look(again=True)
                self._read = None, ()
            self._server.judge(weights)
        if self._server.pid != self._read[0]:
            self._read_all(self._server.pid)
        return self._shown(self._server, holds=bool(weights))

    def _read_all(self, pid: int | None) -> None:
        runners = self._processes.runners_of(pid) if pid is not None else ()
        vram = self._vram.of([one.pid for one in runners])
        readings = (_reading(one, vram.get(one.pid)) for one in runners)
        self._read = pid, tuple(one for one in readings if one is not None)

    def _shown(self, server: ServerProcess, *, holds: bool) -> tuple[Found, ...] | None:
        why = server.why_not(holds=holds)
        if why is not None and self._answers is not False:  # one that is down has no runners
            self.unseen = why
            return None
        self.unseen = None
        return _holding(self._read[1], self._resident)


def _holding(found: tuple[Found, ...], resident: int) -> tuple[Found, ...]:
    """Those that name a model; others, which may be helpers, for models that are left."""
    left = max(0, resident - sum(one.model is not None for one in found))
    unnamed = sorted((one for one in found if one.model is None), key=lambda one: -one.rss_bytes)
    return tuple(one for one in found if one.model is not None or one in unnamed[:left])


def _reading(runner: Known, on_gpus: OnGpus | None) -> Found | None:
    """One reading; None when it has ended (also when its number is another's by now)."""
    opened = runner.opened
    try:
        rss_bytes = opened.memory_info().rss if opened is not None else 0
    except (psutil.Error, OSError):
        return None
    if not opened or not rss_bytes:  # a zombie has no memory
        return None
    return Found(
        runner.pid,
        rss_bytes,
        digest_in(runner.model),
        runner.model,
        runner.options,
        settings=runner.settings,
        on_gpus=on_gpus,
        cpu_s=_cpu_s(opened),
        started_s=runner.started_s,
    )


def _cpu_s(opened: Process) -> float | None:
    try:
        times = opened.cpu_times()
    except (psutil.Error, OSError, AttributeError):
        return None
    return float(times.user + times.system)
