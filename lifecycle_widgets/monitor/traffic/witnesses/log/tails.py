"""What is added to a log from now on: of a file, or of a program that prints it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Sequence
from typing import Protocol

_AT_ONCE = 1 << 16  # bytes; a larger buffer costs more than what is mostly read, a line
_MOST_TIMES = 16  # for each sample
_LOOK_AGAIN_S = 2.0
_END_S = 2.0

# it ends when its own end, or this process's, closes what it reads; and tells when the program has
_WATCHED = '"$@" </dev/null & exec >/dev/null; read _; kill $! 2>/dev/null'


class Tail(Protocol):
    """Something that is written on; it never waits."""

    name: str  #: what it is, in words
    lag_s: float  #: how much later than written it may be read

    def read(self) -> bytes:
        """What has been added since. Raises OSError when there will be no more."""

    def close(self) -> None:
        """Let go of it."""


class FileTail:
    """A file, followed also when it is begun anew: moved away (another file has its name) or cut.

    Parameters
    ----------
    path:
        Where it is; ``/proc/PID/fd/1`` is whatever the process writes to.
    name:
        What to call it.
    look_again_s:
        How often it is looked whether it was begun anew, in seconds.

    Raises
    ------
    OSError
        When it cannot be opened.
    """

    lag_s = 0.0

    def __init__(self, path: str, name: str, look_again_s: float = _LOOK_AGAIN_S) -> None:
        self.path, self.name, self._look_again_s = path, name, look_again_s
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115
        self._file.seek(0, os.SEEK_END)
        self._looked_s = time.monotonic()

    def read(self) -> bytes:
        data = self._file.read(_AT_ONCE)
        if len(data) == _AT_ONCE:
            data += b"".join(self._file.read(_AT_ONCE) for _ in range(1, _MOST_TIMES))
        now_s = time.monotonic()
        if not data and now_s - self._looked_s >= self._look_again_s:
            self._looked_s = now_s
            self._look_again()
        return data

    def _look_again(self) -> None:
        own = os.fstat(self._file.fileno())
        there = os.stat(self.path)  # raises where there is none any more
        if (own.st_dev, own.st_ino) != (there.st_dev, there.st_ino):
            new = open(self.path, "rb", buffering=0)  # noqa: SIM115
            self._file.close()
            self._file = new
        elif there.st_size < self._file.tell():
            self._file.seek(0)

    def close(self) -> None:
        self._file.close()


class ProgramTail:
    """What a program prints, such as ``journalctl -f``; it ends with this process.

    Parameters
    ----------
    command:
        The program and its arguments.
    name:
        What to call it.
    """

    lag_s = 0.5

    def __init__(self, command: Sequence[str], name: str) -> None:
        self.name = name
        self._child = subprocess.Popen(
            ["sh", "-c", _WATCHED, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt at the keyboard is not for it
        )
        assert self._child.stdout is not None
        os.set_blocking(self._child.stdout.fileno(), False)

    def read(self) -> bytes:
        assert self._child.stdout is not None
        try:
            data = os.read(self._child.stdout.fileno(), _AT_ONCE)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError("the program has ended")
        return data

    def close(self) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        self._child.stdout.close()
        try:
            self._child.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
