"""The limit of memory that a process is in: none, a control group's, a container's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import psutil
import pytest

from lifecycle_widgets.container_memory import container_memory, mount_of, own_groups
from lifecycle_widgets.experiments.shortage.shortage import Shortage

WHY_NOT = Shortage.why_not()
MB = 1_000_000
TELLS = """
from lifecycle_widgets.container_memory import container_memory
held = bytearray(50_000_000)
print(container_memory())
"""
WAITS = """
import subprocess, sys
from lifecycle_widgets.container_memory import own_groups
sys.stdin.readline()
group = (own_groups("memory") or own_groups(""))[0]
sys.exit(subprocess.run([part.replace("GROUP", str(group)) for part in sys.argv[1:]]).returncode)
"""


def in_a_group(*command: str) -> str:
    """What a command prints in a group of 400 MB; GROUP in it is the group's folder."""
    with Shortage(400 * MB) as shortage:
        child = subprocess.Popen(
            [sys.executable, "-c", WAITS, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        shortage.adopt(child.pid)
        told, _ = child.communicate("\n", timeout=60)
    assert child.returncode == 0
    return told


def figures(told: str) -> tuple[int, int]:
    """Limit and use of a printed ContainerMemory."""
    assert told.startswith("ContainerMemory("), told
    total, used = (int(part.split("=")[1]) for part in told.strip(" )\n").split("(")[1].split(","))
    return total, used


def test_a_limit_is_less_than_the_machine() -> None:
    container = container_memory()
    if container is not None:  # the tests themselves run in a container
        assert 0 <= container.used_bytes <= container.total_bytes < psutil.virtual_memory().total
        assert container.free_bytes == container.total_bytes - container.used_bytes


@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
def test_in_a_group_it_is_the_groups() -> None:
    total, used = figures(in_a_group(sys.executable, "-c", TELLS))
    assert total == pytest.approx(400 * MB, abs=1 * MB)
    assert 50 * MB < used < 120 * MB


@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
def test_in_a_container_its_group_is_all_that_is_seen() -> None:
    """Docker on version 1: the path is the host's, and the mount shows the container's folder."""
    mount = mount_of("cgroup", "memory")
    if mount is None or not own_groups("memory"):
        pytest.skip("control groups version 1 are not here")
    if not shutil.which("unshare") or os.geteuid() != 0:
        pytest.skip("it takes root to make a container")
    enter = f'mount --bind GROUP {mount} && exec "$0" -c "$1"'
    told = in_a_group("unshare", "--mount", "sh", "-c", enter, sys.executable, TELLS)
    total, used = figures(told)
    assert total == pytest.approx(400 * MB, abs=1 * MB)
    assert 50 * MB < used < 120 * MB
