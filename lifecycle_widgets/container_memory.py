"""The memory limit that this process is in: a container's, or a service's, of Linux.

Inside a container the machine's figures are all that `psutil` is shown, and a process that goes by
them is killed. What counts is the control group that leaves least, of version 1 or 2. Without a
limit, and on other systems, there is none.
Sources: Linux, Documentation/admin-guide/cgroup-v1/memory, and cgroup-v2.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psutil


@dataclass(frozen=True)
class ContainerMemory:
    """A limit that is in force, and what is used of it, page cache that gives way left out."""

    total_bytes: int
    used_bytes: int
    page_cache_bytes: int = field(default=0, repr=False)

    @property
    def free_bytes(self) -> int:
        """What processes in it can still have."""
        return max(0, self.total_bytes - self.used_bytes)


@dataclass(frozen=True)
class LimitedGroup:
    """A control group whose memory is limited: its folder, and its files there.

    ``gives_way`` is what of ``memory.stat`` is page cache.
    """

    folder: Path
    limit: str
    use: str
    gives_way: tuple[bytes, bytes]

    @property
    def is_v2(self) -> bool:
        """Whether it is of version 2."""
        return self.limit == _V2[0]

    def content(self, name: str) -> bytes:
        """A file of its folder. Raises OSError."""
        return (self.folder / name).read_bytes()

    def read(self, content: Callable[[str], bytes]) -> ContainerMemory:
        """What it says now.

        Parameters
        ----------
        content:
            Reads a file of its folder, by name.

        Raises
        ------
        OSError, ValueError
            When there is no such file, or no limit ("max") any more.
        """
        limit, used = int(content(self.limit)), int(content(self.use))
        cache_bytes = 0
        with contextlib.suppress(OSError):  # there is none: nothing is known to give way
            told = dict(line.split(None, 1) for line in content("memory.stat").splitlines())
            cache_bytes = sum(int(told.get(name, 0)) for name in self.gives_way)
        return ContainerMemory(limit, max(0, used - cache_bytes), cache_bytes)


_V1 = (
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    (b"total_inactive_file", b"total_active_file"),
)
_V2 = ("memory.max", "memory.current", (b"inactive_file", b"active_file"))


def container_memory() -> ContainerMemory | None:
    """The limit of memory that this process is in, and its use; None where there is none.

    Examples
    --------
    >>> container = container_memory()
    >>> container is None or container.total_bytes < psutil.virtual_memory().total
    True
    """
    tightest = _tightest()
    return None if tightest is None else tightest[1]


def limited_group() -> LimitedGroup | None:
    """The group of that limit, for whoever reads it often; None where there is none."""
    tightest = _tightest()
    return None if tightest is None else tightest[0]


def _tightest() -> tuple[LimitedGroup, ContainerMemory] | None:
    machine_bytes = psutil.virtual_memory().total  # "no limit" is 8 EiB in version 1
    limits = [one for one in _limits() if one[1].total_bytes < machine_bytes]
    return min(limits, key=lambda one: one[1].free_bytes, default=None)


def _limits() -> Iterator[tuple[LimitedGroup, ContainerMemory]]:
    """What each control group that we are in says; those without a limit are left out."""
    for controller, files in (("memory", _V1), ("", _V2)):
        for folder in own_groups(controller):
            group = LimitedGroup(folder, *files)
            with contextlib.suppress(OSError, ValueError):  # no such file, or "max": no limit
                yield group, group.read(group.content)


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
