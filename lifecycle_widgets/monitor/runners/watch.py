"""The runners of one server on this machine, as far as it can be seen which they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from lifecycle_widgets.monitor.runners.command_lines import digest_in
from lifecycle_widgets.monitor.runners.processes import Known, Processes
from lifecycle_widgets.monitor.runners.server_process import ServerProcess
from lifecycle_widgets.server import Server


@dataclass(frozen=True)
class Found:
    """A runner process: its number, its memory, and what it serves.

    ``model`` is what its command line says, a path or a name; ``digest`` that of the weights.
    Each is None where it is not told.
    """

    pid: int
    rss_bytes: int
    digest: str | None
    model: str | None = None


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
        self._server: ServerProcess | None = None
        if server.is_local:
            self._server = ServerProcess(parts.hostname or "", parts.port or 0, self._processes)
        else:
            self.unseen = (
                f"{parts.hostname} is another machine, whose processes cannot be seen from here."
            )
        self._answers: bool | None = None  # not known yet

    def scan(self) -> tuple[Found, ...] | None:
        """The runners that are alive now, with the resident set size (RSS) of each.

        None when they cannot be seen; ``unseen`` says why.
        """
        if self._server is None:
            return None
        self._processes.scan()
        self._server.look()
        return self._read(None)

    def judge(
        self, found: tuple[Found, ...] | None, weights: Sequence[str | None] | None
    ) -> tuple[Found, ...] | None:
        """The same, now that the server has told what is in memory.

        Parameters
        ----------
        found:
            What `scan` has just given.
        weights:
            The weights file of each model in memory (None: not told); None when the server does
            not answer.
        """
        if self._server is None:
            return None
        came, self._answers = not self._answers, weights is not None
        if weights is not None:
            if came:  # or came back, as another process
                self._processes.scan()
                self._server.look(again=True)
            self._server.judge(weights)
        return self._read(found, holds=bool(weights))

    def _read(
        self, found: tuple[Found, ...] | None, *, holds: bool = False
    ) -> tuple[Found, ...] | None:
        assert self._server is not None
        self.unseen = self._server.why_not(holds=holds)
        if self.unseen is not None and self._answers is not False:
            return None
        self.unseen = None
        if found is not None or self._server.pid is None:
            return found or ()
        read = map(_reading, self._processes.runners_of(self._server.pid))
        return tuple(one for one in read if one is not None)


def _reading(runner: Known) -> Found | None:
    """One reading; None when it has ended, or is a zombie, which has no memory."""
    try:
        rss_bytes = int(runner.process.memory_info().rss)
    except (psutil.Error, OSError):
        return None
    return (
        Found(runner.pid, rss_bytes, digest_in(runner.model), runner.model) if rss_bytes else None
    )
