"""A whole Linux kernel that runs as a process: User Mode Linux (Debian: user-mode-linux)."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

KERNEL, MAKE_DISK = shutil.which("linux.uml"), shutil.which("mkfs.ext4")
WHY_NOT = (
    None
    if KERNEL and MAKE_DISK
    else "no User Mode Linux; on Debian and Ubuntu: apt install user-mode-linux e2fsprogs"
)
_LIMIT_S = 300


def make_disk(path: Path, size_bytes: int, content: Path | None = None) -> Path:
    """A disk image with an ext4 filesystem, empty or with what is in a folder."""
    assert MAKE_DISK is not None
    with path.open("wb") as file:
        file.truncate(size_bytes)
    filled = ["-d", str(content)] if content is not None else []
    subprocess.run([MAKE_DISK, "-q", *filled, str(path)], check=True, timeout=120)
    return path


def boot(disks: Sequence[Path], *arguments: str) -> str:
    """What the kernel and its programs print on the console until it halts."""
    assert KERNEL is not None
    command = [KERNEL, "mem=2G", "con=null", "con0=null,fd:1", "quiet", "rw", *arguments]
    command += [f"ubd{number}={disk}" for number, disk in enumerate(disks)]
    # its processes are many: they are ended as a group, however this ends
    kernel = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        return kernel.communicate(timeout=_LIMIT_S)[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(kernel.pid, signal.SIGKILL)
        kernel.wait()
