"""What is read of the system by files that stay open: the same as psutil tells, for less."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lifecycle_widgets.monitor.system.cores import linux_cores, other_cores
from lifecycle_widgets.monitor.system.disks import LinuxDisks, other_disks
from lifecycle_widgets.monitor.system.kept_file import KeptFile
from lifecycle_widgets.monitor.system.main_memory import LinuxMemory, other_memory
from lifecycle_widgets.monitor.system.pids import Pids
from lifecycle_widgets.monitor.system.processes import LinuxProcess, started_s
from tests.monitor.hidden_files import hide

pytestmark = pytest.mark.skipif(not psutil.LINUX, reason="the files are Linux's")
WAITS = [sys.executable, "-S", "-c", "input()"]


def test_memory_cores_and_disks_are_as_psutil_tells_them() -> None:
    ours, theirs = LinuxMemory().read(), other_memory()
    assert ours.total_bytes == theirs.total_bytes
    assert ours.available_bytes == pytest.approx(theirs.available_bytes, rel=0.05)
    assert ours.swap_total_bytes == theirs.swap_total_bytes
    assert ours.swapped_in_bytes == pytest.approx(theirs.swapped_in_bytes, abs=1e7)
    told = psutil.virtual_memory()
    files = told.cached + told.buffers - told.shared  # psutil's cached has the kernel's own, too
    assert ours.page_cache_bytes == pytest.approx(files, abs=0.05 * told.total)
    assert linux_cores()() == pytest.approx(other_cores(), abs=1.0)
    disks, all_of_them = LinuxDisks().read(), other_disks()
    assert (disks is None) == (all_of_them is None)
    if disks is not None and all_of_them is not None:  # which counts what lies on disks twice
        assert disks.read <= all_of_them.read
        assert disks.written <= all_of_them.written


def test_a_process_is_as_psutil_tells_it() -> None:
    ours, theirs = LinuxProcess(os.getpid()), psutil.Process()
    assert ours.cpu_times() == pytest.approx(theirs.cpu_times()[:4], abs=0.1)
    assert ours.memory_info().rss == pytest.approx(theirs.memory_info().rss, rel=0.05)
    assert ours.memory_info().shared == pytest.approx(theirs.memory_info().shared, rel=0.1)
    read, written = ours.io_counters()
    told = theirs.io_counters()
    assert (read, written) == pytest.approx((told.read_bytes, told.write_bytes), abs=1e6)
    age_s = time.time() - theirs.create_time()
    assert time.monotonic() - started_s(ours) == pytest.approx(age_s, abs=1.5)


def test_one_that_has_ended_says_so_whatever_is_asked() -> None:
    child = subprocess.Popen(WAITS, stdin=subprocess.PIPE)
    opened, unopened = LinuxProcess(child.pid), LinuxProcess(child.pid)
    opened.io_counters(), opened.memory_info()
    child.communicate(b"\n")
    for process in (opened, unopened):
        for ask in (process.cpu_times, process.io_counters, process.memory_info):
            for _ in range(2):
                with pytest.raises(psutil.NoSuchProcess):
                    ask()
    with pytest.raises(psutil.NoSuchProcess):
        LinuxProcess(child.pid)


def test_a_number_that_is_anothers_by_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a process has ended before a file of it was opened. Here the other one is we."""
    child = subprocess.Popen(WAITS, stdin=subprocess.PIPE)
    process = LinuxProcess(child.pid)
    child.communicate(b"\n")
    open_file, gone = os.open, f"/proc/{child.pid}/"

    def opened(path: str, flags: int) -> int:
        return open_file(str(path).replace(gone, f"/proc/{os.getpid()}/"), flags)

    monkeypatch.setattr(os, "open", opened)
    for ask in (process.memory_info, process.io_counters, process.cpu_times):
        with pytest.raises(psutil.NoSuchProcess):
            ask()


def test_processes_are_listed_anew_when_one_has_begun_or_ended() -> None:
    pids = Pids()
    assert os.getpid() in pids.look()
    child = subprocess.Popen(WAITS, stdin=subprocess.PIPE)
    assert child.pid in pids.look()
    before = pids.look()
    child.communicate(b"\n")
    assert child.pid not in pids.look()
    assert child.pid in before


def test_and_each_time_where_the_system_does_not_count_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hide(monkeypatch, "/loadavg")
    pids, listed = Pids(), list[int]()
    monkeypatch.setattr(psutil, "pids", lambda: listed)
    for pid in range(1, 4):
        listed.append(pid)
        assert pids.look() == set(listed)


def test_a_file_is_read_anew_each_time_and_closed_in_the_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    file = KeptFile(path)
    assert file.read() == b"one"
    path.write_text("x" * 40_000)
    assert file.read_all() == b"x" * 40_000
    assert file.is_open
    file.close()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        file.read()


def test_where_many_files_are_open_none_is_kept(tmp_path: Path) -> None:
    """A process has 1024 descriptors, most often."""
    path = tmp_path / "file"
    path.write_text("one")
    held = [os.open(path, os.O_RDONLY) for _ in range(520)]
    try:
        file = KeptFile(path)
        assert file.read() == b"one"
        assert not file.is_open
    finally:
        for descriptor in held:
            os.close(descriptor)
