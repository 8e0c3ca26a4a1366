"""The runners of one server on this machine: which processes, whose model, how much memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import psutil

from lifecycle_widgets.monitor.sample import Runner
from lifecycle_widgets.server import Resident, Server, ServerError, ServerUnreachable, UnknownModel

_WEIGHTS = re.compile(r"sha256-([0-9a-f]{64})$")


@dataclass(frozen=True)
class Found:
    """A runner process: its id, its memory, and the digest of the weights it serves."""

    pid: int
    rss_bytes: int
    digest: str


class RunnerWatch:
    """Finds the runners of the server that listens on a port, and keeps them open.

    Of all processes only the numbers are listed each time; a command line is read once, when a
    number is new (and once more, because it may have been read between fork and exec).
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._seen: dict[int, bool] = {}  # process number: looked at twice
        self._ours: dict[int, tuple[psutil.Process, str]] = {}

    def scan(self) -> tuple[Found, ...]:
        """The runners that are alive now, with the resident set size (RSS) of each."""
        now = psutil.pids()
        for pid in now:
            if not self._seen.get(pid, False) and pid not in self._ours:
                self._look(pid)
        self._seen = {pid: pid in self._seen for pid in now}
        found = [self._read(pid, *ours) for pid, ours in self._ours.items()]
        self._ours = {one.pid: self._ours[one.pid] for one in found if one is not None}
        return tuple(one for one in found if one is not None)

    def _look(self, pid: int) -> None:
        """Take the process in when it is a runner of this server."""
        try:
            process = psutil.Process(pid)
            digest = weights_of(process.cmdline())
            if digest is not None and _serves(process, self._port):
                self._ours[pid] = process, digest
        except (psutil.Error, OSError):  # it has ended already, or is none of our business
            pass

    @staticmethod
    def _read(pid: int, process: psutil.Process, digest: str) -> Found | None:
        """One reading; None when it has ended (also when its number is another's by now)."""
        try:
            if not process.is_running():
                return None
            rss_bytes = process.memory_info().rss
        except (psutil.Error, OSError):
            return None
        return Found(pid, rss_bytes, digest) if rss_bytes else None  # a zombie has no memory


class ModelNames:
    """Tells which model a runner holds: by its weights, which the server is asked for once."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._digests: dict[tuple[str, str], str | None] = {}  # of (name, manifest): weights
        self._names: dict[str, str] = {}  # of weights: the name it was last resident under

    def named(
        self, found: Sequence[Found], residents: Sequence[Resident] | None
    ) -> tuple[Runner, ...]:
        """The runners with their models' names."""
        for resident in residents or ():
            digest = self._weights(resident)
            if digest is not None:
                self._names[digest] = resident.name
        return tuple(Runner(f.pid, f.rss_bytes, self._names.get(f.digest)) for f in found)

    def _weights(self, resident: Resident) -> str | None:
        key = (resident.name, resident.digest)
        if key not in self._digests:
            try:
                self._digests[key] = self._server.weights_digest(resident.name)
            except (UnknownModel, ServerError):  # removed while in memory: it will not tell
                self._digests[key] = None
            except ServerUnreachable:  # asked again at the next sample
                return None
        return self._digests[key]


def weights_of(arguments: Sequence[str]) -> str | None:
    """The weights' digest in a runner's command line; None when it is no runner's.

    Ollama starts every runner, whichever program it is (``llama-server``, ``ollama runner``), with
    ``--model <models>/blobs/sha256-<digest> --port <port>``.

    Examples
    --------
    >>> weights_of(["llama-server", "--model", "/m/blobs/sha256-" + "0" * 64, "--port", "4000"])[:4]
    '0000'
    >>> weights_of(["vim", "/m/blobs/sha256-" + "0" * 64]) is None
    True
    """
    if "--port" not in arguments:
        return None
    for option, value in pairwise(arguments):
        match = _WEIGHTS.search(value) if option == "--model" else None
        if match is not None:
            return match.group(1)
    return None


def _serves(process: psutil.Process, port: int) -> bool:
    """True when the process belongs to the server on that port, as far as can be known.

    Its parent is the server. A parent of another user does not tell its ports: then it is enough
    that it is an Ollama.
    """
    for ancestor in process.parents()[:2]:  # two: a wrapper script may stand between
        try:
            listening = ancestor.net_connections(kind="tcp")
        except psutil.AccessDenied:
            return "ollama" in ancestor.name().lower()
        if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in listening):
            return True
    return False
