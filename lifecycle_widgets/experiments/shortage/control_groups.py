"""The three ways to a control group: version 1, version 2, and a scope of systemd's user manager.

Each makes one group with a budget, takes processes in, tells what they use, and is removed.
Sources: Linux, Documentation/admin-guide/cgroup-v1/memory and blkio-controller, and cgroup-v2;
systemd, org.freedesktop.systemd1(5), ``AttachProcessesToUnit``.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import psutil

from lifecycle_widgets.container_memory import mount_of, own_group, own_groups, statistic
from lifecycle_widgets.experiments.shortage.control_group_files import (
    REMOVE_S,
    members_of,
    offers,
    remove_group,
)
from lifecycle_widgets.experiments.shortage.disks import Disk

_COMMAND_S = 10.0


class GroupRefused(Exception):
    """This way is not open here; the text says why."""


class Group(ABC):
    """One control group, made of one or more folders of the control group filesystem."""

    name: ClassVar[str] = ""

    def __init__(self, label: str) -> None:
        self.label = label
        self.folders: list[Path] = []
        self.disk_is_limited = False

    @classmethod
    @abstractmethod
    def _homes(cls) -> Iterator[Path]:
        """The folders in which groups could be made, the best first."""

    @abstractmethod
    def make(self, memory_bytes: int, disk: Disk | None, bytes_per_s: int | None) -> None:
        """Make it, with its budget. Raises GroupRefused or OSError."""

    @abstractmethod
    def page_cache_bytes(self) -> int:
        """How much page cache is counted for it."""

    @abstractmethod
    def used_bytes(self) -> int:
        """How much memory is counted for it, page cache included."""

    def adopt(self, pid: int) -> None:
        """Put a process in."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid))

    def members(self) -> list[int]:
        """The processes in it."""
        return sorted({pid for folder in self.folders for pid in members_of(folder)})

    def remove(self) -> None:
        """Remove it; its processes must have ended. Harmless when it was never made."""
        while self.folders:
            remove_group(self.folders.pop())

    @classmethod
    def sweep(cls, prefix: str) -> None:
        """Remove the groups of owners that are gone (their names tell whose they are)."""
        for home in cls._homes():
            for folder in home.glob(f"{prefix}-*"):
                if _owner_is_gone(folder.name):
                    for pid in members_of(folder):
                        with contextlib.suppress(OSError):
                            os.kill(pid, 9)
                    remove_group(folder)


class V1Group(Group):
    """A group of control groups version 1: a folder for memory, and one for the disk."""

    name = "control groups v1"

    @classmethod
    def _homes(cls) -> Iterator[Path]:
        yield from (*_homes_v1("memory"), *_homes_v1("blkio"))

    def make(self, memory_bytes: int, disk: Disk | None, bytes_per_s: int | None) -> None:
        folder = self._folder("memory")
        if folder is None:
            raise GroupRefused("no memory controller that this user may use")
        (folder / "memory.limit_in_bytes").write_text(str(memory_bytes))
        with contextlib.suppress(OSError):  # without swap accounting there is no such file
            (folder / "memory.memsw.limit_in_bytes").write_text(str(memory_bytes))
        if disk is not None and bytes_per_s is not None and (disks := self._folder("blkio")):
            with contextlib.suppress(OSError):
                limit = disks / "blkio.throttle.read_bps_device"
                limit.write_text(f"{disk.numbers} {bytes_per_s}")
                self.disk_is_limited = True

    def _folder(self, controller: str) -> Path | None:
        for home in _homes_v1(controller):
            with contextlib.suppress(OSError):
                folder = home / self.label
                folder.mkdir()
                self.folders.append(folder)
                return folder
        return None

    def page_cache_bytes(self) -> int:
        return statistic(self.folders[0], "total_cache")

    def used_bytes(self) -> int:
        return int((self.folders[0] / "memory.usage_in_bytes").read_text())


class V2Group(Group):
    """A group of control groups version 2, below the nearest group that this user may divide."""

    name = "control groups v2"

    @classmethod
    def _homes(cls) -> Iterator[Path]:
        return (home for home in own_groups("") if os.access(home, os.W_OK))

    def make(self, memory_bytes: int, disk: Disk | None, bytes_per_s: int | None) -> None:
        home = next((h for h in self._homes() if offers(h, "memory")), None)
        if home is None:
            raise GroupRefused("no memory controller that this user may use")
        folder = home / self.label
        slow = disk is not None and bytes_per_s is not None and offers(home, "io")
        folder.mkdir()
        self.folders.append(folder)
        (folder / "memory.max").write_text(str(memory_bytes))
        with contextlib.suppress(OSError):  # a kernel without swap has no such file
            (folder / "memory.swap.max").write_text("0")
        if slow and disk is not None:
            with contextlib.suppress(OSError):
                (folder / "io.max").write_text(f"{disk.numbers} rbps={bytes_per_s}")
                self.disk_is_limited = True

    def page_cache_bytes(self) -> int:
        return statistic(self.folders[0], "file")

    def used_bytes(self) -> int:
        return int((self.folders[0] / "memory.current").read_text())


class SystemdScope(V2Group):
    """A scope of systemd's user manager, for those who may write to no control group themselves.

    The manager moves the processes (it asks the system's, where it may not itself). A process that
    waits for our end holds the scope open.
    """

    name = "systemd user scope"

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self._holder: subprocess.Popen[bytes] | None = None

    @classmethod
    def _homes(cls) -> Iterator[Path]:
        return iter(())  # its folder is systemd's

    @classmethod
    def sweep(cls, prefix: str) -> None:
        deadline_s = time.monotonic() + REMOVE_S
        while left := cls._left(prefix):
            _run("systemctl", "--user", "kill", "--signal=KILL", *left)
            if time.monotonic() > deadline_s:
                return
            time.sleep(0.05)

    @staticmethod
    def _left(prefix: str) -> list[str]:
        """The scopes of owners that are gone."""
        if not shutil.which("systemctl"):
            return []
        command = ["systemctl", "--user", "list-units", "--plain", "--no-legend"]
        listed = _run(*command, f"{prefix}-*.scope")
        units = [line.split()[0] for line in listed.stdout.splitlines()]
        return [unit for unit in units if _owner_is_gone(unit.removesuffix(".scope"))]

    def make(self, memory_bytes: int, disk: Disk | None, bytes_per_s: int | None) -> None:
        if not (shutil.which("systemd-run") and shutil.which("busctl")):
            raise GroupRefused("systemd is not here")
        # without Delegate it takes no processes in
        settings = ["Delegate=yes", f"MemoryMax={memory_bytes}", "MemorySwapMax=0"]
        if disk is not None and bytes_per_s is not None:
            settings.append(f"IOReadBandwidthMax=/dev/{disk.name} {bytes_per_s}")
        command = ["systemd-run", "--user", "--scope", "--quiet", f"--unit={self.label}"]
        command += [part for setting in settings for part in ("--property", setting)]
        self._holder = subprocess.Popen(
            [*command, "cat"],  # it ends when we do, however that happens
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        folder = self._scope()
        if folder is None or not (folder / "memory.max").exists():
            raise GroupRefused(self._complaint() or "the user manager has no memory controller")
        self.folders.append(folder)
        with contextlib.suppress(OSError):  # often it is not given to users
            self.disk_is_limited = bool((folder / "io.max").read_text().strip())

    def _scope(self) -> Path | None:
        mount, holder = mount_of("cgroup2", ""), self._holder
        deadline_s = time.monotonic() + _COMMAND_S
        while mount is not None and holder is not None and time.monotonic() < deadline_s:
            if holder.poll() is not None:
                return None
            own = own_group("", holder.pid)
            if own is not None and own.endswith(f"{self.label}.scope"):
                return mount / own.lstrip("/")
            time.sleep(0.05)
        return None

    def _complaint(self) -> str:
        if self._holder is None or self._holder.poll() is None or self._holder.stderr is None:
            return ""
        return self._holder.stderr.read().decode(errors="replace").strip().rstrip(".")

    def adopt(self, pid: int) -> None:
        manager = "org.freedesktop.systemd1"
        call = ["busctl", "--user", "call", manager, "/org/freedesktop/systemd1"]
        call += [f"{manager}.Manager", "AttachProcessesToUnit", "ssau"]
        done = _run(*call, f"{self.label}.scope", "", "1", str(pid))
        if done.returncode:
            raise GroupRefused(done.stderr.strip().rstrip(".") or "systemd refused")

    def members(self) -> list[int]:
        holder = self._holder.pid if self._holder is not None else 0
        return [pid for pid in super().members() if pid != holder]

    def remove(self) -> None:
        if self._holder is not None:
            self._holder.kill()
            self._holder.wait()
            for pipe in (self._holder.stdin, self._holder.stderr):
                if pipe is not None:
                    pipe.close()
            self._holder = None
        deadline_s = time.monotonic() + REMOVE_S  # systemd removes it after its last process
        while any(folder.exists() for folder in self.folders) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        self.folders.clear()


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    """What a command of systemd says; a manager that hangs counts as one that refuses."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_S)
    except subprocess.TimeoutExpired:
        silent = f"systemd did not answer {command[0]} within {_COMMAND_S:g} s"
        return subprocess.CompletedProcess(command, 124, "", silent)


def _homes_v1(controller: str) -> list[Path]:
    """Our own group of that controller, and the uppermost one that is to be seen."""
    folders = own_groups(controller)
    places = dict.fromkeys((folders[0], folders[-1])) if folders else ()
    return [place for place in places if os.access(place, os.W_OK)]


def _owner_is_gone(name: str) -> bool:
    match = re.search(r"-(\d+)-\d+$", name)
    return match is not None and not psutil.pid_exists(int(match.group(1)))
