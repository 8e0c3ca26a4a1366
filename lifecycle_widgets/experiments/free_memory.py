"""How much main memory an experiment can have: of the machine, or of the container it runs in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil

from lifecycle_widgets.experiments.control_group_files import own_groups, statistic

# of a control group: its limit and its use; what of that is page cache, which gives way
_V1 = (
    ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ("total_inactive_file", "total_active_file"),
)
_V2 = (("memory.max", "memory.current"), ("inactive_file", "active_file"))


def free_memory_bytes() -> int:
    """The memory that processes of ours can still have without swapping, in bytes.

    What the operating system calls available; in a container (a notebook server of JupyterHub or
    Binder, say) less, when a control group limits it: the machine's figures are all that a process
    is shown there, and a process that goes by them is killed.

    Examples
    --------
    >>> 0 <= free_memory_bytes() <= psutil.virtual_memory().total
    True
    """
    return max(0, min([psutil.virtual_memory().available, *_left_by_groups()]))


def _left_by_groups() -> Iterator[int]:
    """What each control group that we are in leaves us; those without a limit are left out."""
    for controller, (files, cache) in (("memory", _V1), ("", _V2)):
        for folder in own_groups(controller):
            with contextlib.suppress(OSError, ValueError):  # no such file, or "max": no limit
                limit, used = (int((folder / file).read_text()) for file in files)
                yield limit - used + _given_way(folder, cache)


def _given_way(folder: Path, cache: tuple[str, str]) -> int:
    return sum(statistic(folder, name) for name in cache)
