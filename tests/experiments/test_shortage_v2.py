"""The shortage's tests once more, on a kernel that has control groups version 2.

A machine has one version or the other. User Mode Linux (Debian: user-mode-linux) is a whole kernel
that runs as a process; on it the same tests run with version 2 and a real block device.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
KERNEL, MAKE_DISK = shutil.which("linux.uml"), shutil.which("mkfs.ext4")
INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR={mount}
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 none /sys/fs/cgroup
mount -t ext4 /dev/ubda {mount} && echo BOOTED
cd {root}
{python} -m pytest -q -p no:cacheprovider --color=no --no-header tests/experiments/test_shortage.py
umount {mount}
echo o > /proc/sysrq-trigger
sleep 5
"""


@pytest.mark.slow
@pytest.mark.skipif(
    KERNEL is None or MAKE_DISK is None,
    reason="no User Mode Linux; on Debian and Ubuntu: apt install user-mode-linux e2fsprogs",
)
def test_on_a_kernel_with_version_2(tmp_path: Path) -> None:
    assert KERNEL is not None
    assert MAKE_DISK is not None
    disk, init, mount = tmp_path / "disk", tmp_path / "init", tmp_path / "mount"
    mount.mkdir()
    with disk.open("wb") as file:
        file.truncate(1 << 30)
    subprocess.run([MAKE_DISK, "-q", str(disk)], check=True, timeout=60)
    init.write_text(INIT.format(mount=mount, root=ROOT, python=sys.executable))
    init.chmod(0o755)
    command = [KERNEL, "mem=2G", f"ubd0={disk}", "root=/dev/root", "rootfstype=hostfs"]
    command += ["rootflags=/", "rw", f"init={init}", "con=null", "con0=null,fd:1", "quiet"]
    # its processes are many: they are ended as a group, however this ends
    kernel = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        before, booted, after = kernel.communicate(timeout=300)[0].partition("BOOTED")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(kernel.pid, signal.SIGKILL)
        kernel.wait()
    if not booted:
        pytest.skip(f"User Mode Linux does not run here: {before[-500:]}")
    assert " passed" in after, after
    assert "failed" not in after, after
    assert "skipped" not in after, after
