"""The control group filesystem: in which groups we are, who is in one, and what it uses.

Sources: Linux, Documentation/admin-guide/cgroup-v1/memory, and cgroup-v2.
"""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path

REMOVE_S = 3.0  #: how long a group may take to vanish


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
    with contextlib.suppress(OSError), open(f"/proc/{pid or 'self'}/cgroup") as groups:
        for line in groups:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            if controller in controllers.split(","):
                return path
    return None


def mount_of(kind: str, controller: str) -> Path | None:
    """Where a control group filesystem is mounted."""
    with contextlib.suppress(OSError), open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            fields, _, rest = line.partition(" - ")
            found, _, options = rest.split(maxsplit=2)
            if found == kind and (not controller or controller in re.split(r"[,\s]", options)):
                return Path(fields.split()[4])
    return None


def offers(home: Path, controller: str) -> bool:
    """Whether groups in that folder have the controller; switched on where that is allowed."""
    switch = home / "cgroup.subtree_control"
    with contextlib.suppress(OSError):
        if controller in switch.read_text().split():
            return True
        if controller in (home / "cgroup.controllers").read_text().split():
            switch.write_text(f"+{controller}")  # refused for a group with processes of its own
            return True
    return False


def members_of(folder: Path) -> list[int]:
    """The processes in a group; none when it is gone."""
    try:
        return [int(pid) for pid in (folder / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def statistic(folder: Path, name: str) -> int:
    """A figure of a group's ``memory.stat``; 0 when it is not there."""
    for line in (folder / "memory.stat").read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


def remove_group(folder: Path) -> None:
    """Remove a group's folder; the kernel takes a moment to let go of processes that have ended."""
    deadline_s = time.monotonic() + REMOVE_S
    while folder.exists():
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > deadline_s:
                return
            time.sleep(0.02)
