"""Which process of this machine a server is: by its port, its user, or what its runners hold."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from lifecycle_widgets.monitor.runners.command_lines import digest_in
from lifecycle_widgets.monitor.runners.processes import Processes, forwarder_of, name_of
from lifecycle_widgets.monitor.runners.sockets import Listening, who_listens

_LOOK_AGAIN_S = 10.0  # where it was not found, or its runners were not seen yet
_LOOKS = 2  # of several servers it is one when so many readings in a row say the same


class ServerProcess:
    """Finds the process of the server that answers at an address of this machine.

    It is the process that listens there. Where that cannot be seen (it is another user's), it is
    that user's only Ollama; of several, the one whose runners alone hold the weights that the
    server says are in memory. Else it is none, and `why_not` says why: never another server.
    """

    def __init__(self, host: str, port: int, processes: Processes) -> None:
        self._host, self._port = host, port
        self._processes = processes
        #: the process; it stays while the server is down, for its runners may outlive it
        self.pid: int | None = None
        self._candidates: tuple[int, ...] = ()  # one of these it is
        self._is_certain = False  # it was seen to listen there
        self._is_proven = False  # its runners were seen
        self._none = ""  # why there are no candidates
        self._agreed: tuple[int | None, int] = (None, 0)
        self._looked_s, self._alive, self._known = 0.0, False, frozenset[int]()

    def look(self, *, again: bool = False) -> None:
        """Find it; when nothing has changed, nothing is done (it takes some 20 ms)."""
        known = frozenset(self._processes.servers)
        alive = self.pid in self._processes.alive
        settled = alive and self._is_proven
        waited = time.monotonic() - self._looked_s >= _LOOK_AGAIN_S
        is_new = known != self._known and not (settled and self._is_certain)
        if again or is_new or alive != self._alive or (waited and not settled):
            self._looked_s, self._known = time.monotonic(), known
            self._locate()
        self._alive = self.pid in self._processes.alive

    def judge(self, weights: Sequence[str | None]) -> None:
        """Take in what the server says is in memory.

        Parameters
        ----------
        weights:
            The weights file of each model; None where it is not told.
        """
        if not self._candidates:
            self.pid = None
            return
        fit = [pid for pid in self._candidates if self._holds(pid, weights)] if weights else []
        if len(self._candidates) == 1 or fit == [self.pid]:
            self._is_proven = self._is_proven or bool(fit)
        elif len(fit) == 1:
            times = self._agreed[1] + 1 if self._agreed[0] == fit[0] else 1
            self._agreed = fit[0], times
            if times >= _LOOKS:
                self.pid, self._is_proven = fit[0], True
        else:
            self._agreed = None, 0

    def why_not(self, *, holds: bool) -> str | None:
        """Why its runners cannot be seen, in a sentence; None when they can.

        Parameters
        ----------
        holds:
            Whether it says that models are in memory.
        """
        if self.pid is None and len(self._candidates) > 1:
            return (
                f"{len(self._candidates)} Ollamas of one user run here, and it cannot be seen "
                "which runner is whose."
            )
        if self.pid is None:
            return self._none
        if holds and not self._is_proven:
            return (
                "Models are in memory, but no process that can be seen here holds them: the "
                "server's are hidden, or in a container."
            )
        return None

    # --- who it is -------------------------------------------------------------------------------

    def _locate(self) -> None:
        found: list[int] = []
        try:
            one = who_listens(self._host, self._port)
        except OSError:  # of one's own processes every system tells it
            self._none = f"Which process listens on port {self._port} cannot be seen here."
        else:
            found = self._behind(one)
            self._is_certain = one is not None and found == [one.pid]
            if one is None:  # it is down, or nowhere to be seen
                self._candidates = ()
                return
        self._candidates = tuple(found)
        if self.pid not in found or (len(found) > 1 and not self._is_proven):
            self.pid, self._is_proven = None, False
        if len(found) == 1:
            self.pid = found[0]
        self._processes.adopt(frozenset(found))

    def _behind(self, one: Listening | None) -> list[int]:
        """The processes that the server may be; none, and ``_none`` says why."""
        port = f"port {self._port}"
        if one is None:
            self._none = (
                f"No process listens on {port} here: what answers is in a container, or on another "
                "machine."
            )
            return []
        if one.pid is not None:
            self._processes.look_at(one.pid)  # it may have become what it is just now
            if one.pid in self._processes.servers or self._processes.runners_of(one.pid):
                return [one.pid]
            self._none = _not_a_server(name_of(one.pid), port)
            return []
        if one.uid is None:
            self._none = f"Which process listens on {port} cannot be seen."
            return []
        if name := forwarder_of(one.uid, self._port):
            self._none = _not_a_server(name, port)
            return []
        self._none = (
            f"What listens on {port} belongs to {_user(one.uid)}, and no Ollama of that user can "
            "be seen: it is hidden, in a container, or behind a tunnel or proxy."
        )
        return self._processes.of_user(one.uid)

    def _holds(self, pid: int, weights: Sequence[str | None]) -> bool:
        """Whether the runners of a process can be those of the models in memory."""
        models = [runner.model for runner in self._processes.runners_of(pid)]
        if self._is_certain:
            return bool(models)
        paths = {os.path.normpath(model) for model in models if model and digest_in(model)}
        if len(paths) < len(models):  # an engine that names its models otherwise
            return True
        told = [os.path.normpath(path) for path in weights if path is not None]
        if not told:  # nothing to compare: enough for an only one, not for one of several
            return bool(models) and len(self._candidates) == 1
        return paths.issuperset(told)


def _not_a_server(name: str, port: str) -> str:
    if "ollama" in name.lower():  # another user's, or a proxy of that name
        return f"{name} listens on {port}, and no runner of it can be seen."
    return (
        f"{name} listens on {port}, not Ollama itself: the processes behind it (a tunnel, a "
        "container, a proxy) cannot be seen."
    )


def _user(uid: int) -> str:
    try:
        import pwd

        return f"the user {pwd.getpwuid(uid).pw_name}"
    except (ImportError, KeyError):
        return f"user {uid}"
