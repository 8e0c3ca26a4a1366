"""The downstream task: an ordinary process, run and timed; by default one that reads a file."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil

from lifecycle_widgets.experiments.ground.pagecache import forget
from lifecycle_widgets.experiments.shortage.disks import disk_of

_PREFIX = "lifecycle-task-"
_BLOCK_BYTES = 1 << 20
_SECTOR_BYTES = 512  # what the kernel counts reads in, whatever the disk has
_LOOK_S = 0.002
# Says when it is there, and waits for a line, so that it can be put under a budget and timed from
# its beginning; then becomes the task, whose output nobody reads. Without a line its owner is gone.
# On Linux it is killed when its owner is (PR_SET_PDEATHSIG).
_GATE = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
os.write(1, b".")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
sys.stdin.readline() or sys.exit(1)
os.execvp(sys.argv[1], sys.argv[1:])
"""
# On Windows a program cannot become another one, and nothing is put under a budget there: the task
# is started at once. The kernel's interrupt is for us, who end it; so it is kept from the task.
_HAS_GATE = hasattr(os, "fork")
_OWN_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
_READ = "import sys\nwith open(sys.argv[1], 'rb', 0) as file:\n    while file.read(1 << 20): pass"


@dataclass(frozen=True)
class TaskRun:
    """One run of the task: seconds on the clock, bytes that came from the disk (None: unknown)."""

    seconds: float
    disk_read_bytes: int | None


class TaskFailed(RuntimeError):
    """The task could not be started, or ended with an error; the text has its last words."""


def run_task(
    command: Sequence[str],
    *,
    adopt: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> TaskRun:
    """Run a command to its end, and time it.

    Parameters
    ----------
    command:
        The program and its arguments.
    adopt:
        Called with the process's number before the command begins.
    stop:
        When it is set, the task is ended.

    Returns
    -------
    TaskRun
        Of a task that was stopped too: how far it had come.

    Raises
    ------
    TaskFailed
        It could not be started, or its exit status was not 0.

    Examples
    --------
    >>> run_task(["true"]).seconds < 5
    True
    """
    program = shutil.which(command[0])
    if program is None:
        raise TaskFailed(f"The task cannot be started: there is no program {command[0]!r}.")
    began_s = time.monotonic()
    process = _at_the_gate(command) if _HAS_GATE else _started([program, *command[1:]])
    words: list[bytes] = []
    reader = threading.Thread(
        target=lambda: words.append(process.stderr.read()),  # type: ignore[union-attr]
        name="lifecycle-task",
        daemon=True,
    )
    try:
        reader.start()
        if process.stdout is not None:
            process.stdout.read(1)
        if adopt is not None:
            adopt(process.pid)
        if process.stdin is not None:
            began_s = time.monotonic()
            process.stdin.write(b"\n")
            process.stdin.close()
        status, read_bytes = _ended(process, stop)
        seconds = time.monotonic() - began_s
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
        reader.join()
        for pipe in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
    if status and not (stop is not None and stop.is_set()):
        said = (b"".join(words).decode(errors="replace").strip().splitlines() or ["nothing"])[-1]
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        raise TaskFailed(f"The task {command[0]!r} ended with {how}; its last words: {said}.")
    return TaskRun(seconds, read_bytes)


def _at_the_gate(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """The task, about to begin: it waits for a line."""
    return subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", _GATE, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """The task, begun."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        creationflags=_OWN_GROUP,
    )


def _ended(
    process: subprocess.Popen[bytes], stop: threading.Event | None
) -> tuple[int, int | None]:
    """Wait for the end; exit status, and bytes read from the disk (counted on Linux)."""
    while True:
        if (ended := _looked(process)) is not None:
            return ended
        if stop is not None and stop.is_set():
            process.kill()
        time.sleep(_LOOK_S if stop is None or not stop.is_set() else 0.001)


def _looked(process: subprocess.Popen[bytes]) -> tuple[int, int | None] | None:
    """Its exit status, and bytes read from the disk; None while it runs."""
    if not hasattr(os, "wait4"):  # Windows
        status = process.poll()
        return None if status is None else (status, None)
    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if not pid:
        return None
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_inblock * _SECTOR_BYTES if psutil.LINUX else None


class BigFile:
    """A file of random bytes on a real disk, for a task to read; removed at the end.

    Files that a killed kernel has left are removed when the next one is made.

    Parameters
    ----------
    size_bytes:
        How large.
    folders:
        Where it may be; the first one on a disk that can be slowed down is taken, else the first.

    Raises
    ------
    OSError
        On entering, when there is too little room.
    """

    def __init__(self, size_bytes: int, folders: Sequence[Path] | None = None) -> None:
        self.size_bytes = size_bytes
        places = [p for p in folders or _places() if p.is_dir() and os.access(p, os.W_OK)]
        if not places:
            raise OSError("There is no folder for a large file. Set TMPDIR to one.")
        self.folder = next((p for p in places if disk_of(p) is not None), places[0])
        self._own: Path | None = None

    @property
    def path(self) -> Path:
        """The file."""
        assert self._own is not None, "use `with`"
        return self._own / "data"

    @property
    def task(self) -> list[str]:
        """The task that reads it from beginning to end."""
        if shutil.which("cat") is None:
            return [sys.executable, "-S", "-E", "-c", _READ, str(self.path)]
        return ["cat", str(self.path)]

    def require_room(self) -> None:
        """Raise OSError when the disk has too little room for it, and for the rest of the day."""
        free_bytes = shutil.disk_usage(self.folder).free
        needed_bytes = self.size_bytes + 500_000_000
        if free_bytes < needed_bytes:
            raise OSError(
                f"The task needs {needed_bytes / 1e9:.1f} GB of room in {self.folder}, and "
                f"{free_bytes / 1e9:.1f} GB are free. Free some, or set TMPDIR to another disk."
            )

    def __enter__(self) -> BigFile:
        _sweep(self.folder)
        self.require_room()
        self._own = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=self.folder))
        try:
            block = os.urandom(_BLOCK_BYTES)
            with self.path.open("wb") as file:
                for _ in range(-(-self.size_bytes // _BLOCK_BYTES)):
                    file.write(block)
                file.truncate(self.size_bytes)
            self.forget()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)

    def forget(self) -> None:
        """Have the kernel drop it from the page cache: who reads it next is charged for it."""
        forget(self.path)


def _places() -> list[Path]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return [Path(tempfile.gettempdir()), cache, Path.cwd()]


def _sweep(folder: Path) -> None:
    for left in folder.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
