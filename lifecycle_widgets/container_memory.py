"""The memory limit that this process is in: a container's, or a service's, of Linux.

Inside a container the machine's figures are all that `psutil` is shown, and a process that goes by
them is killed. What counts is the control group that leaves least, of version 1 or 2. Without a
limit, and on other systems, there is none.
Sources: Linux, Documentation/admin-guide/cgroup-v1/memory, and cgroup-v2.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

# of a control group: its limit and its use; what of that is page cache, which gives way
_V1 = (
    ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ("total_inactive_file", "total_active_file"),
)
_V2 = (("memory.max", "memory.current"), ("inactive_file", "active_file"))


@dataclass(frozen=True)
class ContainerMemory:
    """A limit that is in force, and what is used of it, page cache that gives way left out."""

    total_bytes: int
    used_bytes: int

    @property
    def free_bytes(self) -> int:
        """What processes in it can still have."""
        return max(0, self.total_bytes - self.used_bytes)


def container_memory() -> ContainerMemory | None:
    """The limit of memory that this process is in, and its use; None where there is none.

    Examples
    --------
    >>> container = container_memory()
    >>> container is None or container.total_bytes < psutil.virtual_memory().total
    True
    """
    machine_bytes = psutil.virtual_memory().total  # "no limit" is 8 EiB in version 1
    limits = [limit for limit in _limits() if limit.total_bytes < machine_bytes]
    return min(limits, key=lambda limit: limit.free_bytes, default=None)


def _limits() -> Iterator[ContainerMemory]:
    """What each control group that we are in says; those without a limit are left out."""
    for controller, (files, gives_way) in (("memory", _V1), ("", _V2)):
        for folder in own_groups(controller):
            with contextlib.suppress(OSError, ValueError):  # no such file, or "max": no limit
                limit, used = (int((folder / file).read_text()) for file in files)
                used -= sum(statistic(folder, name) for name in gives_way)
                yield ContainerMemory(limit, max(0, used))


# --- the control groups that we are in -----------------------------------------------------------


def own_groups(controller: str) -> list[Path]:
    """The folders of our own group of a controller and of those above it, as far as we can see.

    ``""`` is version 2. In a container the uppermost one is the container's.
    """
    mount = mount_of("cgroup" if controller else "cgroup2", controller)
    own = own_group(controller)
    if mount is None or own is None:
        return []
    place = mount / own.lstrip("/")
    above = [folder for folder in (place, *place.parents) if folder.is_relative_to(mount)]
    return [folder for folder in above if folder.is_dir()]


def own_group(controller: str, pid: int | None = None) -> str | None:
    """The path of a process's group (ours by default); ``""`` is version 2."""
    for line in _lines(f"/proc/{pid or 'self'}/cgroup"):
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if path and controller in controllers.split(","):
            return path
    return None


@cache
def mount_of(kind: str, controller: str) -> Path | None:
    """Where a control group filesystem is mounted; that does not change while we run."""
    for line in _lines("/proc/self/mountinfo"):
        fields, _, rest = line.partition(" - ")
        found, _, options = rest.partition(" ")
        if found == kind and (not controller or controller in re.split(r"[,\s]", options)):
            return Path(fields.split()[4])
    return None


def statistic(folder: Path, name: str) -> int:
    """A figure of a group's ``memory.stat``; 0 when it is not there."""
    for line in _lines(folder / "memory.stat"):
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


def _lines(path: str | Path) -> list[str]:
    """A file's lines; none when it is not there (no Linux, no /proc, no such process)."""
    with contextlib.suppress(OSError), open(path, errors="replace") as file:
        return file.read().splitlines()
    return []
