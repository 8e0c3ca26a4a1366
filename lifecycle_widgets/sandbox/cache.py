"""The cache folder: where it is, who may use it at one time, and how to get rid of it.

Standard library only: `python -m lifecycle_widgets.sandbox program` runs while the packages
this project depends on are still being installed.

What is in it is ours and only ours::

    ollama-<version>/   the program that was built
    models/             an Ollama models folder: blobs, manifests, and `prepared/` (our records)
    build/ tools/       caches of an unfinished build, kept so that it can go on
    download/           finished downloads and conversions of an unfinished preparation
    tmp/                what is being written now; worthless once its writer is gone
    locks/              one file per lock
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from lifecycle_widgets.sandbox.errors import CacheInUse, DiskFull, explained, gigabytes
from lifecycle_widgets.sandbox.posix import fcntl, require

_OURS = ("build", "tools", "download", "tmp", "models", "locks")
_POLL_S = 0.1


def cache_dir() -> Path:
    """The folder that keeps the program and the models between runs (it may not exist yet).

    ``LIFECYCLE_WIDGETS_CACHE`` wins; otherwise the platform's folder for caches.

    Example:
        >>> cache_dir().is_absolute()
        True
    """
    chosen = os.environ.get("LIFECYCLE_WIDGETS_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "lifecycle_widgets"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        return Path(local) / "lifecycle_widgets" / "Cache"
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "lifecycle_widgets"


class Hold:
    """A lock on the cache, held by this process and by children that inherit `fd`.

    Args:
        name: which lock: ``"use"`` (shared by everything that uses the cache, exclusive for
            `remove`), ``"program"`` or ``"models"`` (exclusive while one is prepared).
        shared: several may hold it at once.
        wait_s: seconds to wait, None for as long as it takes.
        waiting: called with a sentence while another process is waited for.

    Raises:
        CacheInUse: not free within `wait_s` seconds.
        CacheUnusable: the cache folder cannot be created or written.
        NotHere: this system has no such locks.
    """

    def __init__(
        self,
        name: str,
        *,
        shared: bool = False,
        wait_s: float | None = None,
        waiting: Callable[[str], None] | None = None,
    ) -> None:
        require()
        self.fd: int | None = None
        deadline = None if wait_s is None else time.monotonic() + wait_s
        path = cache_dir() / "locks" / f"{name}.lock"
        while True:
            fd = _open_lock(path, shared)
            if fd is None:
                return
            try:
                fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(fd, 40, 0).decode(errors="replace").strip()
                os.close(fd)
                if deadline is not None and time.monotonic() > deadline:
                    raise CacheInUse(
                        f"The cache {cache_dir()} is in use: a sandbox is running or being "
                        "prepared. Stop it (close its notebooks or `lifecycle-lab`), then run "
                        "this again."
                    ) from None
                if waiting:
                    waiting(
                        "waiting for another process that is preparing the same"
                        + (f" (process {holder})" if holder and not shared else "")
                    )
                time.sleep(_POLL_S)
                continue
            except BaseException:
                os.close(fd)
                raise
            if _is_still(fd, path):
                break
            os.close(fd)  # removed while we waited: that lock no longer guards anything
        self.fd = fd
        if not shared:
            os.ftruncate(fd, 0)
            os.pwrite(fd, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let go in this process; a child that inherited the lock keeps it."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def __enter__(self) -> Hold:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _open_lock(path: Path, shared: bool) -> int | None:
    """Open a lock file; None where a read-only cache has none and none is needed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:
        if shared:
            # A finished cache on a read-only disk can be used, and nobody can remove it.
            try:
                return os.open(path, os.O_RDONLY)
            except OSError:
                return None
        with explained("locks", cache_dir()):
            raise
    raise AssertionError("unreachable")


def _is_still(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False


def scratch(purpose: str) -> Path:
    """A fresh, empty folder for the holder of the lock `purpose`.

    Whatever a killed predecessor left in it is removed first: only the holder of the lock
    writes here, so all that is found is stale.
    """
    folder = cache_dir() / "tmp" / purpose
    with explained("temporary files", cache_dir()):
        delete(folder)
        folder.mkdir(parents=True)
    return folder


def require_space(needed_bytes: int, what: str) -> None:
    """Raise `DiskFull` unless the cache's disk has room for `what`.

    Args:
        needed_bytes: what it takes at its worst moment.
        what: in words, for the message.
    """
    folder = cache_dir()
    while not folder.exists():
        folder = folder.parent
    with explained(what, cache_dir()):
        free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise DiskFull(
            f"Not enough disk space in {cache_dir()}: {what} needs {gigabytes(needed_bytes)} "
            f"({needed_bytes} bytes), {gigabytes(free_bytes)} ({free_bytes} bytes) are free. Free "
            "some space, or set LIFECYCLE_WIDGETS_CACHE to a folder on a larger disk."
        )


def delete(path: Path) -> None:
    """Delete a file or a whole tree, read-only folders (Go's module files) included."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        for folder, _, _ in os.walk(path):
            os.chmod(folder, stat.S_IRWXU)
        shutil.rmtree(path)


def remove(*, wait_s: float = 5.0) -> bool:
    """Delete the program, the models and everything else the sandbox keeps on disk.

    Args:
        wait_s: seconds to wait for a sandbox that is just ending.

    Returns:
        Whether there was anything to delete.

    Raises:
        CacheInUse: a sandbox is running or being prepared.

    Example:
        >>> remove()  # doctest: +SKIP
        True
    """
    root = cache_dir()
    if not root.is_dir():
        return False
    with Hold("use", wait_s=wait_s), explained("removing it", root):
        trash = root / "tmp" / "removed"
        delete(trash)
        trash.mkdir(parents=True)
        ours = [p for p in root.iterdir() if p.name in _OURS or p.name.startswith("ollama-")]
        # By rename first: a removal that is killed half-way leaves no half a program behind.
        for path in ours:
            if path.name not in ("tmp", "locks"):
                path.rename(trash / path.name)
        delete(root / "tmp")
        delete(root / "locks")
        # The folder may hold files of the person's own (LIFECYCLE_WIDGETS_CACHE is theirs).
        if not any(root.iterdir()):
            try:
                root.rmdir()
            except OSError:
                pass  # a mount point stays, empty
    return True
