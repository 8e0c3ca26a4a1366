"""The folder that all users of the machine share, and files in it that nobody can turn against us.

Everybody may write there, so nothing in it is trusted. The folder is opened once for each use and
files are named relative to it: a link that somebody puts there, or in its place, leads nowhere.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has other locks
    fcntl = None  # type: ignore[assignment]

VARIABLE = "LIFECYCLE_WIDGETS_NEIGHBOURS"
"""Names another folder; "off" is none."""
_NAME = "lifecycle_widgets-neighbours"
_LOCK = "lock"
_MOST_FILES = 2000
_MOST_BYTES = 16_000
_DIR_FDS = hasattr(os, "O_DIRECTORY") and {os.open, os.rename} <= os.supports_dir_fd
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


def board() -> Path | None:
    """Where the notices are; None where there is to be no board.

    ``/tmp`` where there is one: the folder for temporary files may be each user's own.
    """
    chosen = os.environ.get(VARIABLE, "")
    if chosen.strip().lower() == "off":
        return None
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path("/tmp" if _is_shared("/tmp") else tempfile.gettempdir()) / _NAME


def _is_shared(folder: str) -> bool:
    with contextlib.suppress(OSError):
        return os.name == "posix" and bool(os.stat(folder).st_mode & stat.S_ISVTX)
    return False


@dataclass(frozen=True)
class Found:
    """A file on the board: its name, its text, whose it is, and whether its writer holds it."""

    name: str
    text: bytes
    uid: int | None
    is_held: bool


class Board:
    """The folder, opened. Every method raises OSError, and nothing else, when it cannot be done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._fd: int | None = None
        if not _DIR_FDS:  # Windows, where the folder for temporary files is the user's own
            folder.mkdir(parents=True, exist_ok=True)
            return
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        try:
            self._fd = os.open(folder, flags)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, 0o700)  # two may come at once; the other one opens it, too
                os.chmod(folder, 0o1777)  # past the umask: each may write, none remove another's
            self._fd = os.open(folder, flags)

    def close(self) -> None:
        """Close it."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def put(self, name: str, text: bytes) -> int | None:
        """Write a file, whole, for all to read; the descriptor that holds it, where that is told.

        The lock on it ends with this process, also where that becomes another program.
        """
        part = f".{secrets.token_hex(8)}.part"
        fd = self._open(part, _WRITE, 0o644)
        try:
            if fcntl is not None:
                os.fchmod(fd, 0o644)  # whatever the umask
                with contextlib.suppress(OSError):  # no locks on this disk
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            view = memoryview(text)
            while view:
                view = view[os.write(fd, view) :]
            if sys.platform == "win32":  # what is open cannot be renamed
                os.close(fd)
                os.replace(self.folder / part, self.folder / name)
                return None
            os.replace(part, name, src_dir_fd=self._fd, dst_dir_fd=self._fd)
            return fd
        except BaseException:
            with contextlib.suppress(OSError):
                os.close(fd)
            self.remove(part)
            raise

    def remove(self, name: str) -> None:
        """Remove a file, where one may."""
        with contextlib.suppress(OSError):
            if self._fd is None:
                os.unlink(self.folder / name)
            else:
                os.unlink(name, dir_fd=self._fd)

    def files(self) -> Iterator[Found]:
        """The notices, of whoever; what is no plain, small file that can be read is left out."""
        names = os.listdir(self.folder if self._fd is None else self._fd)
        for name in sorted(name for name in names if name.endswith(".json"))[:_MOST_FILES]:
            with contextlib.suppress(OSError, ValueError):
                yield self._read(name)

    def _read(self, name: str) -> Found:
        fd = self._open(name, _READ)
        try:
            about = os.fstat(fd)
            if not stat.S_ISREG(about.st_mode) or about.st_size > _MOST_BYTES:
                raise OSError(errno.EINVAL, "no notice", name)
            uid = about.st_uid if os.name == "posix" else None
            return Found(name, os.read(fd, _MOST_BYTES), uid, _is_held(fd))
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def turn(self, wait_s: float) -> Iterator[bool]:
        """One at a time of all users; False when it is not our turn after so long."""
        fd = None
        try:
            with contextlib.suppress(OSError):
                fd = self._open_lock()
            yield fd is not None and _waited(fd, wait_s)
        finally:
            if fd is not None:
                os.close(fd)

    def _open_lock(self) -> int:
        """The lock's file, which another user may have made: no O_CREAT on what is there."""
        how = os.O_RDWR if sys.platform == "win32" else _READ
        try:
            return self._open(_LOCK, how)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                fd = self._open(_LOCK, _WRITE, 0o644)
                with contextlib.suppress(OSError, AttributeError):
                    os.fchmod(fd, 0o644)
                os.write(fd, b"\n")
                os.close(fd)
            return self._open(_LOCK, how)

    def _open(self, name: str, flags: int, mode: int = 0) -> int:
        if self._fd is None:
            return os.open(self.folder / name, flags, mode)
        return os.open(name, flags, mode, dir_fd=self._fd)


def _is_held(fd: int) -> bool:
    """Whether the writer of an open file still holds it; also where that cannot be told."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no locks on this disk
        return True
    return False


def _waited(fd: int, wait_s: float) -> bool:
    until_s = time.monotonic() + wait_s
    while True:
        with contextlib.suppress(OSError, ImportError):
            if fcntl is not None:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            elif sys.platform == "win32":
                import msvcrt

                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            return True
        if time.monotonic() >= until_s:
            return False
        time.sleep(0.02)


@contextlib.contextmanager
def opened() -> Iterator[Board]:
    """The board, open; raises OSError where there is none."""
    folder = board()
    if folder is None:
        raise FileNotFoundError(errno.ENOENT, f"{VARIABLE} is off", "board")
    found = Board(folder)
    try:
        yield found
    finally:
        found.close()
