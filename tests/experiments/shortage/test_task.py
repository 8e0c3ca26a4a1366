"""The downstream task: a real process, timed; ended by Stop; its file gone at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lifecycle_widgets.experiments.ground.pagecache import cached_fraction
from lifecycle_widgets.experiments.shortage.disks import disk_of
from lifecycle_widgets.experiments.shortage.task import BigFile, TaskFailed, run_task


def test_it_is_timed_from_the_moment_it_may_begin() -> None:
    def slow_adoption(pid: int) -> None:
        assert psutil.pid_exists(pid)
        time.sleep(0.5)

    assert run_task(["true"], adopt=slow_adoption).seconds < 0.4
    interpreter = [sys.executable, "-S", "-E", "-c", "import ctypes"]
    quickest_s = min(run_task(["true"]).seconds for _ in range(10))
    assert quickest_s < min(run_task(interpreter).seconds for _ in range(10)) / 2
    assert 0.3 < run_task(["sleep", "0.3"]).seconds < 3


def test_reads_from_the_disk_are_counted(tmp_path: Path) -> None:
    with BigFile(20_000_000, [tmp_path]) as file:
        first, second = run_task(file.task), run_task(file.task)
        if not psutil.LINUX or disk_of(tmp_path) is None:
            pytest.skip("what comes from the disk is counted on Linux, on a real disk")
        assert first.disk_read_bytes == pytest.approx(20_000_000, rel=0.1)
        assert second.disk_read_bytes == pytest.approx(0, abs=1_000_000)
        assert cached_fraction(file.path) == pytest.approx(1.0)
        file.forget()
        assert (cached_fraction(file.path) or 0) < 0.05


def test_one_that_fails_says_its_last_words() -> None:
    with pytest.raises(TaskFailed, match="no program 'no-such-program'"):
        run_task(["no-such-program"])
    with pytest.raises(TaskFailed, match=r"exit status 1; its last words: .*No such file"):
        run_task(["cat", "/no/such/file"])
    with pytest.raises(TaskFailed, match="ended with signal 9"):
        run_task([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])


def test_one_that_says_much_does_not_hang() -> None:
    chatty = "import sys; sys.stderr.write('x' * 1_000_000); sys.stdout.write('y' * 1_000_000)"
    assert run_task([sys.executable, "-c", chatty]).seconds < 20


def test_stop_ends_it() -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    assert run_task(["sleep", "60"], stop=stop).seconds < 5
    assert not [c for c in psutil.Process().children() if "sleep" in c.name()]


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere a task outlives a kernel that is killed")
@pytest.mark.parametrize("adopted", [True, False])
def test_it_does_not_outlive_its_owner(adopted: bool) -> None:
    code = (
        "import time; from lifecycle_widgets.experiments.shortage.task import run_task\n"
        "def adopt(pid):\n"
        f"    print(pid, flush=True); time.sleep({0 if adopted else 60})\n"
        "run_task(['sleep', '60'], adopt=adopt)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    task = psutil.Process(int(owner.stdout.readline()))
    until(lambda: adopted <= (task.name() == "sleep"))
    owner.kill()
    owner.communicate()
    until(lambda: not task.is_running() or task.status() == psutil.STATUS_ZOMBIE)


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.02)


def test_a_fault_while_it_is_taken_in_leaves_no_process() -> None:
    seen: list[int] = []

    def refuse(pid: int) -> None:
        seen.append(pid)
        raise PermissionError("no")

    with pytest.raises(PermissionError):
        run_task(["sleep", "60"], adopt=refuse)
    assert not psutil.pid_exists(seen[0])


def test_the_file_is_gone_afterwards_also_after_a_fault(tmp_path: Path) -> None:
    with BigFile(5_000_000, [tmp_path]) as file:
        assert file.path.stat().st_size == 5_000_000
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ZeroDivisionError), BigFile(5_000_000, [tmp_path]):
        1 / 0  # noqa: B018
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from lifecycle_widgets.experiments.shortage.task import BigFile\n"
        "with BigFile(1_000_000, [Path(sys.argv[1])]): print('made', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"made\n"
    with BigFile(1_000_000, [tmp_path]):
        assert len(list(tmp_path.iterdir())) == 2, "the other one is alive"
    os.kill(other.pid, signal.SIGKILL)
    other.communicate()
    with BigFile(1_000_000, [tmp_path]):
        assert len(list(tmp_path.iterdir())) == 1


def test_too_little_room_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"needs .* GB of room .* are free"):
        BigFile(10**15, [tmp_path]).__enter__()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="no folder for a large file"):
        BigFile(1, [tmp_path / "none"])
