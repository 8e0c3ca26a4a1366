"""How much main memory an experiment can have: of the machine, or of the container it runs in."""

from __future__ import annotations

from pathlib import Path

import psutil

from lifecycle_widgets.container_memory import container_memory, limited_group, mount_of, own_group
from lifecycle_widgets.neighbours import neighbours, reserved_bytes


def free_memory_bytes() -> int:
    """The memory that processes of ours can still have without swapping, in bytes.

    What the operating system calls available; in a container (a notebook server of JupyterHub or
    Binder, say) less, when it has a limit. What experiments of other processes have reserved and do
    not hold yet is not free.

    Examples
    --------
    >>> 0 <= free_memory_bytes() <= psutil.virtual_memory().total
    True
    """
    available_bytes: int = psutil.virtual_memory().available - reserved_bytes()
    container = container_memory()
    if container is not None:
        limited_bytes = container.free_bytes - reserved_bytes(_is_in_our_limit)
        available_bytes = min(available_bytes, limited_bytes)
    return max(0, available_bytes)


def fair_share_bytes() -> float:
    """What is left for us when the others that are at work on this machine take as much.

    In a class the first few would else take all that there is.

    Examples
    --------
    >>> fair_share_bytes() <= psutil.virtual_memory().total
    True
    """
    others = {one.pid for one in neighbours()}
    return free_memory_bytes() / (1 + len(others))


def _is_in_our_limit(pid: int) -> bool:
    """Whether another process uses up the same limit: a student may have a limit of their own."""
    group = limited_group()
    if group is None:
        return False
    controller = "" if group.is_v2 else "memory"
    mount = mount_of("cgroup2" if group.is_v2 else "cgroup", controller)
    theirs = own_group(controller, pid)
    if mount is None or theirs is None:
        return True  # not seen: the safe side
    return (mount / Path(theirs.lstrip("/"))).is_relative_to(group.folder)
