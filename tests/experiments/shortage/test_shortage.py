"""A shortage is real, and gone afterwards, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lifecycle_widgets.experiments.shortage.disks import disk_of
from lifecycle_widgets.experiments.shortage.shortage import Shortage
from lifecycle_widgets.experiments.shortage.task import BigFile, run_task

WHY_NOT = Shortage.why_not()
possible = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
MB = 1_000_000


def groups() -> list[Path]:
    """The groups of this process, and those that a process which is gone has left."""
    found = Path("/sys/fs/cgroup").rglob("lifecycle-shortage-*")
    owners = {folder: int(folder.name.split("-")[2]) for folder in found}
    return [f for f, pid in owners.items() if pid == os.getpid() or not psutil.pid_exists(pid)]


@pytest.fixture(autouse=True)
def no_group_is_left() -> Iterator[None]:
    yield
    assert groups() == []


@possible
def test_less_memory_than_the_file_means_that_it_is_read_from_the_disk_every_time() -> None:
    with BigFile(120 * MB) as file:
        if disk_of(file.folder) is None:
            pytest.skip("no disk below the temporary folder")
        with Shortage(60 * MB, folder=file.folder) as shortage:
            run_task(file.task, adopt=shortage.adopt)
            again = run_task(file.task, adopt=shortage.adopt)
            assert again.disk_read_bytes is not None
            assert again.disk_read_bytes > 60 * MB
            assert 20 * MB < shortage.page_cache_bytes() <= shortage.used_bytes() <= 60 * MB
        file.forget()
        with Shortage(400 * MB, folder=file.folder) as shortage:
            run_task(file.task, adopt=shortage.adopt)
            again = run_task(file.task, adopt=shortage.adopt)
            assert again.disk_read_bytes == pytest.approx(0, abs=MB)
            assert shortage.page_cache_bytes() > 110 * MB


@possible
def test_a_slow_disk_is_slow() -> None:
    with BigFile(50 * MB) as file:
        fast_s = run_task(file.task).seconds
        file.forget()
        with Shortage(400 * MB, 25 * MB, folder=file.folder) as shortage:
            if not shortage.disk_is_limited:
                pytest.skip("this disk cannot be slowed down")
            slow_s = run_task(file.task, adopt=shortage.adopt).seconds
        assert slow_s > 1.5
        assert slow_s > fast_s


@possible
def test_what_is_in_it_ends_with_it() -> None:
    with Shortage(200 * MB) as shortage:
        child = subprocess.Popen(["sleep", "60"])
        shortage.adopt(child.pid)
    assert child.wait(5) == -signal.SIGKILL


@possible
def test_it_is_gone_after_a_fault() -> None:
    with Shortage(200 * MB) as shortage:
        assert groups()
        with pytest.raises(PermissionError, match="cannot be put under a budget"):
            shortage.adopt(2**22 + 1)  # no process has such a number
    assert groups() == []
    with pytest.raises(ZeroDivisionError), Shortage(200 * MB):
        1 / 0  # noqa: B018


@possible
def test_what_a_killed_process_left_is_removed_with_what_is_in_it() -> None:
    code = (
        "import subprocess, time\n"
        "from lifecycle_widgets.experiments.shortage.shortage import Shortage\n"
        "with Shortage(200_000_000) as s:\n"
        "    child = subprocess.Popen(['sleep', '60']); s.adopt(child.pid)\n"
        "    print(child.pid, flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert other.stdout is not None
    child = int(other.stdout.readline())
    with Shortage(200 * MB):
        assert psutil.pid_exists(child), "its owner is alive"
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    other.stdout.close()
    with Shortage(200 * MB):
        assert all(f"-{os.getpid()}-" in folder.name for folder in groups())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie"


@pytest.mark.skipif(
    not psutil.LINUX or os.getuid() != 0, reason="to give up rights one must have them"
)
def test_without_rights_it_says_why_and_what_it_takes() -> None:
    code = (
        "import os; from lifecycle_widgets.experiments.shortage.shortage import Shortage\n"
        "os.setgid(65534); os.setuid(65534); print(Shortage.why_not())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "No shortage can be made here (control groups v1: " in done.stdout, done.stderr
    assert "that this user may write to" in done.stdout


def test_a_budget_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        Shortage(0)
    with pytest.raises(ValueError, match="more than 0"):
        Shortage(1, 0)


def test_it_is_in_force_inside_with_only() -> None:
    with pytest.raises(RuntimeError, match="with Shortage"):
        Shortage(200 * MB).used_bytes()


def test_the_disk_of_a_folder(tmp_path: Path) -> None:
    assert disk_of("/no/such/folder") is None
    disk = disk_of(tmp_path)
    if disk is not None:
        assert (Path("/sys/block") / disk.name).exists(), "a whole disk, not a partition"
