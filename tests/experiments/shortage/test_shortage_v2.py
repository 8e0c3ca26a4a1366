"""The shortage's tests once more, on a kernel that has control groups version 2.

A machine has one version or the other. On User Mode Linux the same tests run with version 2 and a
real block device.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from user_mode_linux import WHY_NOT, boot, make_disk

ROOT = Path(__file__).parents[3]
INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR={mount}
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 none /sys/fs/cgroup
mount -t ext4 /dev/ubda {mount} && echo BOOTED
cd {root}
{python} -m pytest -q -p no:cacheprovider --color=no --no-header \
  tests/experiments/shortage/test_shortage.py tests/experiments/ground/test_free_memory.py \
  tests/platform/test_container_memory.py -k "not container_its_group"
umount {mount}
echo o > /proc/sysrq-trigger
sleep 5
"""


@pytest.mark.slow
@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
def test_on_a_kernel_with_version_2(tmp_path: Path) -> None:
    init, mount = tmp_path / "init", tmp_path / "mount"
    mount.mkdir()
    init.write_text(INIT.format(mount=mount, root=ROOT, python=sys.executable))
    init.chmod(0o755)
    root = ["root=/dev/root", "rootfstype=hostfs", "rootflags=/", f"init={init}"]
    before, booted, after = boot([make_disk(tmp_path / "disk", 1 << 30)], *root).partition("BOOTED")
    if not booted:
        pytest.skip(f"User Mode Linux does not run here: {before[-500:]}")
    assert " passed" in after, after
    assert "failed" not in after, after
    assert "skipped" not in after, after
