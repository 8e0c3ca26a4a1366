"""Child processes that cannot outlive this one: everything we start, we start through the guard."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_GUARD = Path(__file__).with_name("guard.py")
_HEARTBEAT_S = 1.0
_TAIL_LINES = 200


@dataclass(frozen=True)
class Finished:
    """How a command ended: its exit code and the last lines of what it printed."""

    code: int
    lines: tuple[str, ...]

    def tail(self, count: int) -> str:
        """The last `count` lines that are not empty."""
        return "\n".join([line for line in self.lines if line.strip()][-count:])


class Cancelled(Exception):
    """Somebody set the `cancel` event of `run`."""


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    output: int,
    cwd: Path | None = None,
    keep: Sequence[int] = (),
    remove: Path | None = None,
    grace_s: float = 2.0,
    pid_to: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command below a guard, in a session of its own (Ctrl-C does not reach it).

    Args:
        command: program and arguments.
        env: its whole environment.
        output: file descriptor for stdout and stderr, or `subprocess.PIPE`.
        cwd: its working folder.
        keep: file descriptors (locks) that the guard holds until it ends.
        remove: folder that the guard deletes at the end.
        grace_s: seconds between SIGTERM and SIGKILL.
        pid_to: file descriptor to which the guard writes the command's process id.

    Returns:
        The guard's process. SIGTERM to it ends the command; its exit code is the command's.
    """
    options = ["--owner", str(os.getpid()), "--grace", str(grace_s)]
    if remove is not None:
        options += ["--remove", str(remove)]
    if pid_to is not None:
        options += ["--pid-to", str(pid_to)]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_GUARD), *options, "--", *command],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=[*keep, *([] if pid_to is None else [pid_to])],
        start_new_session=True,
    )


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    keep: Sequence[int] = (),
    on_line: Callable[[str | None], None] | None = None,
    cancel: threading.Event | None = None,
) -> Finished:
    """Run a command to its end; it ends with this process, however that ends.

    Args:
        command: program and arguments.
        env: its whole environment.
        cwd: its working folder.
        keep: file descriptors (locks) that are held until it has really ended.
        on_line: called with every line, and with None about once a second in between.
        cancel: when set, the command is ended and `Cancelled` raised.
    """
    child = spawn(command, env=env, output=subprocess.PIPE, cwd=cwd, keep=keep)
    lines: deque[str] = deque(maxlen=_TAIL_LINES)
    try:
        assert child.stdout is not None
        _read_lines(child.stdout.fileno(), lines, on_line, cancel)
        return Finished(child.wait(), tuple(lines))
    finally:
        end(child)


def _read_lines(
    fd: int,
    lines: deque[str],
    on_line: Callable[[str | None], None] | None,
    cancel: threading.Event | None,
) -> None:
    pending, beat = b"", time.monotonic()
    while True:
        ready = select.select([fd], [], [], _HEARTBEAT_S / 4)[0]
        if cancel is not None and cancel.is_set():
            raise Cancelled
        if ready:
            chunk = os.read(fd, 65536)
            if not chunk:
                break
            *whole, pending = (pending + chunk).replace(b"\r", b"\n").split(b"\n")
            for line in whole:
                lines.append(line.decode(errors="replace"))
                if on_line:
                    on_line(lines[-1])
        if on_line and time.monotonic() - beat >= _HEARTBEAT_S:
            beat = time.monotonic()
            on_line(None)
    if pending:
        lines.append(pending.decode(errors="replace"))


def end(child: subprocess.Popen[bytes], timeout_s: float = 10.0) -> None:
    """End a guard made by `spawn`, and with it its command; harmless when it has ended."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child.stdout is not None:
        child.stdout.close()
