"""What can go wrong in the sandbox: one clear message and one exception each."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

THREE_WAYS = """Three ways to have an Ollama here:
  1. install Ollama with its official installer, so that `ollama` is on PATH;
  2. install the conda-forge package `ollama` into this environment;
  3. set OLLAMA_HOST to an Ollama that already runs, here or on another machine."""


class SandboxError(RuntimeError):
    """Anything that keeps the sandbox from running; the message says what to do."""


class NotHere(SandboxError):
    """This operating system cannot run a sandbox."""


class BuildFailed(SandboxError):
    """There is no `ollama`, and none could be built."""


class ModelsFailed(SandboxError):
    """The models could not be downloaded, checked, converted or registered."""


class DiskFull(SandboxError):
    """Not enough room on a disk, known beforehand or met half-way."""


class CacheUnusable(SandboxError):
    """The cache folder cannot be created or written (read-only, no rights, not a folder)."""


class CacheInUse(SandboxError):
    """The cache cannot be removed while a sandbox runs or is being prepared."""


class PortTaken(SandboxError):
    """The port that was asked for belongs to another program."""


class StartFailed(SandboxError):
    """Ollama was started and did not answer; the message ends with its log."""


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_WRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ENOENT}


def gigabytes(size_bytes: float) -> str:
    """A size as a person reads it: ``"1.6 GB"`` or ``"145 MB"`` (decimal units)."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def disk_full(what: str, where: Path, variable: str = "LIFECYCLE_WIDGETS_CACHE") -> DiskFull:
    """The error for a disk that filled up while `what` was written below `where`."""
    return DiskFull(
        f"The disk is full: {what} could not be written to {where}. Nothing half-done is kept. "
        f"Free some space, or set {variable} to a folder on a larger disk, and run this again: "
        "what is finished is not done twice."
    )


@contextmanager
def explained(what: str, where: Path, variable: str = "LIFECYCLE_WIDGETS_CACHE") -> Iterator[None]:
    """Turn the operating system's errors while writing `what` below `where` into ours.

    Args:
        what: what is being written, for the message.
        where: the folder.
        variable: the environment variable that chooses the folder.
    """
    try:
        yield
    except SandboxError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise disk_full(what, where, variable) from error
        if error.errno in _NOT_WRITABLE:
            raise CacheUnusable(
                f"The folder {where} cannot be used for {what}: {error.strerror}. Set {variable} "
                "to a folder you may write to, and run this again."
            ) from error
        raise SandboxError(f"{what}: {error}") from error
