"""Shortage: little memory and a slow disk, made real for a few processes of our own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType

import psutil

from lifecycle_widgets.experiments.shortage.control_groups import (
    Group,
    GroupRefused,
    SystemdScope,
    V1Group,
    V2Group,
)
from lifecycle_widgets.experiments.shortage.disks import Disk, disk_of

_PREFIX = "lifecycle-shortage"
_WAYS: tuple[type[Group], ...] = (V1Group, V2Group, SystemdScope)
_EMPTY_S = 5.0


class Shortage:
    """A budget of memory, and of disk speed, for the processes that are put into it.

    Made with Linux's control groups: version 1 or 2 where this user may write to them, else a
    scope of systemd's user manager. For processes that we start ourselves only; nobody else's are
    ever moved. It ends with everything in it, however that happens; a group that a killed kernel
    left behind is removed when the next one is made.

    All three have been run. A user of systemd is commonly given memory to divide, not the disk.

    Parameters
    ----------
    memory_bytes:
        The budget of memory for all of them together, the page cache of what they read included.
    disk_bytes_per_s:
        How fast they may read from the disk that holds ``folder``; None: as fast as it is.
    folder:
        On which disk that is. Some filesystems (in memory, btrfs, overlays, network) have no disk
        that can be slowed down; then ``disk_is_limited`` is False.

    Raises
    ------
    PermissionError
        On entering, when none can be made here; it says why, and what would be needed.

    Examples
    --------
    >>> with Shortage(500_000_000) as shortage:  # doctest: +SKIP
    ...     shortage.adopt(sandbox.pid)
    ...     print(shortage.page_cache_bytes())
    """

    def __init__(
        self,
        memory_bytes: int,
        disk_bytes_per_s: int | None = None,
        *,
        folder: str | Path = ".",
    ) -> None:
        if memory_bytes <= 0 or (disk_bytes_per_s is not None and disk_bytes_per_s <= 0):
            raise ValueError("A budget of memory or of disk speed is more than 0.")
        self.memory_bytes, self.disk_bytes_per_s = memory_bytes, disk_bytes_per_s
        self._disk: Disk | None = disk_of(folder) if disk_bytes_per_s else None
        self._group: Group | None = None

    @staticmethod
    def why_not() -> str | None:
        """Why none can be made here, in a sentence; None when one can (it is tried)."""
        child = None
        try:
            with Shortage(1 << 30) as shortage:  # it ends the child
                child = subprocess.Popen(["sleep", "60"])
                shortage.adopt(child.pid)
                return None
        except PermissionError as fault:
            return str(fault)
        finally:
            if child is not None:
                child.kill()
                child.wait()

    def __enter__(self) -> Shortage:
        if not psutil.LINUX:
            raise PermissionError(
                "A shortage of memory is made with Linux's control groups, which this system does "
                "not have. All experiments run here without one."
            )
        refusals = []
        for way in _WAYS:
            way.sweep(_PREFIX)
            group = way(f"{_PREFIX}-{os.getpid()}-{time.monotonic_ns()}")
            try:
                group.make(self.memory_bytes, self._disk, self.disk_bytes_per_s)
            except (GroupRefused, OSError) as fault:
                group.remove()
                refusals.append(f"{way.name}: {fault}")
                continue
            self._group = group
            return self
        raise PermissionError(
            f"No shortage can be made here ({'; '.join(refusals)}). It takes control groups that "
            "this user may write to, or a systemd user session."
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        group = self._made()
        deadline_s = time.monotonic() + _EMPTY_S
        while (left := group.members()) and time.monotonic() < deadline_s:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        group.remove()
        self._group = None

    def _made(self) -> Group:
        if self._group is None:
            raise RuntimeError("The shortage is not in force. Use `with Shortage(...)`.")
        return self._group

    def adopt(self, pid: int) -> None:
        """Put a process of ours in; what it starts from now on is in it too.

        Memory that it has already stays counted where it was.

        Raises
        ------
        PermissionError
            When the system does not let us.
        """
        try:
            self._made().adopt(pid)
        except (OSError, GroupRefused) as fault:
            raise PermissionError(f"Process {pid} cannot be put under a budget: {fault}.") from None

    @property
    def way(self) -> str:
        """How it was made, such as ``"control groups v1"``."""
        return self._made().name

    @property
    def disk_is_limited(self) -> bool:
        """Whether reading from the disk is slowed down."""
        return self._made().disk_is_limited

    def page_cache_bytes(self) -> int:
        """How much of the budget is page cache: files that have been read, ready to read again."""
        return self._made().page_cache_bytes()

    def used_bytes(self) -> int:
        """How much of the budget is in use, page cache included."""
        return self._made().used_bytes()
