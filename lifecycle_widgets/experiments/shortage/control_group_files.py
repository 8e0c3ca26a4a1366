"""The control group filesystem: what a group's children can have, who is in one, its removal.

Sources: Linux, Documentation/admin-guide/cgroup-v1/memory, and cgroup-v2.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

REMOVE_S = 3.0  #: how long a group may take to vanish


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
