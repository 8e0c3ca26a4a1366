"""What there is on this machine for a class."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from lifecycle_widgets.container_memory import container_memory
from lifecycle_widgets.neighbours import board, reserved_bytes
from lifecycle_widgets.sandbox import MODELS, cache_dir
from lifecycle_widgets.sandbox.program import ready
from lifecycle_widgets.sandbox.store import missing


@dataclass(frozen=True)
class Machine:
    """Memory, cores and disk, and whether what a class needs is there.

    Parameters
    ----------
    memory_bytes, free_bytes:
        Of the machine, or of the container that this runs in; free: what nobody has reserved.
    cores:
        That this process may use.
    disk_free_bytes:
        Where the temporary files are.
    cache, cache_bytes, is_prepared, is_readable, is_writable:
        The folder with the private Ollama and its models, its size, whether all of it is there,
        whether other users can read it, and whether this user can change it.
    board:
        Where the kernels see each other; None: they do not.
    why_no_shortage:
        Why lesson 1 cannot make its shortage of memory here, in a sentence; None: it can.
    """

    memory_bytes: int
    free_bytes: int
    cores: int
    disk_free_bytes: int
    cache: Path
    cache_bytes: int
    is_prepared: bool
    is_readable: bool
    is_writable: bool
    board: Path | None
    why_no_shortage: str | None


def look() -> Machine:
    """What there is now. Changes nothing, but for a control group of a moment."""
    from lifecycle_widgets.experiments.shortage.shortage import Shortage

    memory, container, cache = psutil.virtual_memory(), container_memory(), cache_dir()
    free_bytes = memory.available if container is None else container.free_bytes
    return Machine(
        memory.total if container is None else container.total_bytes,
        max(0, min(free_bytes, memory.available) - reserved_bytes()),
        _cores(),
        shutil.disk_usage(_there(Path(os.environ.get("TMPDIR") or "/tmp"))).free,
        cache,
        _size_bytes(cache),
        ready() is not None and not missing(MODELS),
        _others_read(cache),
        os.access(cache, os.W_OK),
        board(),
        Shortage.why_not(),
    )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _there(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _size_bytes(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
            except (OSError, AttributeError):
                continue
    return total


def _others_read(folder: Path) -> bool:
    """Whether every folder down to it may be entered, and it may be read, by everybody."""
    try:
        above = all(parent.stat().st_mode & 0o001 for parent in folder.parents)
        return above and folder.stat().st_mode & 0o005 == 0o005
    except OSError:
        return False
