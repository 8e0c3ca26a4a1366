"""What other work takes: told apart from ours, also from what of ours has ended already."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.monitor.others import Others
from lifecycle_widgets.monitor.others.family import Family, Meter
from lifecycle_widgets.monitor.others.others import cpu_s
from lifecycle_widgets.monitor.system.cores import other_cores as cpu_times
from lifecycle_widgets.server import Server
from tests.detached import detached
from tests.monitor.hidden_files import hide
from tests.recorded import RecordedServer, ollama

NOBODY = "127.0.0.1:9"  # the discard port: no Ollama there
# three programs one after another, each as busy as its parent is afterwards
GENERATIONS = """
import subprocess, sys, time
BURN = "import time\\nwhile time.process_time() < 0.3: pass"
for _ in range(3):
    subprocess.run([sys.executable, "-S", "-c", BURN])
exec(BURN)
"""


def spent_s() -> float:
    """By us, and by all of our children that have ended, as the kernel tells it."""
    whos = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, whos))


def failing(*_: object, **__: object) -> Any:
    raise psutil.AccessDenied(1)


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere it is not told of what has ended")
def test_what_ours_spend_is_counted_once_also_when_they_end() -> None:
    """Against the kernel's own account, looked at while children and their children come and go."""
    family, meter = Family(), Meter(cpu_s)
    family.look({os.getpid()})
    meter.since_last(family)
    before_s, counted_s, looks = spent_s(), 0.0, 0
    child = subprocess.Popen([sys.executable, "-S", "-c", GENERATIONS])
    while child.poll() is None or looks < 3:
        time.sleep(0.05)
        family.look({os.getpid()})
        counted_s += meter.since_last(family) or 0.0
        looks += 1
    family.look({os.getpid()})
    counted_s += meter.since_last(family) or 0.0
    told_s = spent_s() - before_s
    assert told_s > 1.2
    assert counted_s == pytest.approx(told_s, abs=0.1)
    assert child.pid not in family.members


def test_others_are_told_apart_from_ours() -> None:
    with detached() as (pid,):
        others, busy = Others(), psutil.Process(pid)
        others.read((), None)
        began_s, total_s = cpu_s(busy), cpu_times()[1]
        time.sleep(1.0)
        share = (cpu_s(busy) - began_s) / (cpu_times()[1] - total_s)
        taken = others.read((), psutil.virtual_memory().used)
        assert taken.cpu is not None
        assert share - 0.05 < taken.cpu <= 1
        assert taken.ram_bytes is not None
        assert taken.ram_bytes < psutil.virtual_memory().used - 20e6, "this process is not among"
        assert others.read((), None) is taken, "too soon for another reading"
        family = Family()
        family.look({os.getpid(), pid})  # as a server's process is, whoever has started it
        assert {os.getpid(), pid} <= family.members.keys()


def test_a_sample_tells_it_from_the_second_on() -> None:
    monitor = Monitor(NOBODY)
    first = monitor.read()
    time.sleep(0.5)
    second = monitor.read()
    assert first.cpu_of_others is None
    assert second.cpu_of_others is not None
    assert 0 <= second.cpu_of_others <= 1
    assert second.ram_of_others_bytes is not None
    assert second.ram_used_bytes is not None
    assert 0 < second.ram_of_others_bytes < second.ram_used_bytes
    if psutil.LINUX and psutil.disk_io_counters() is not None:
        assert second.disk_of_others_bytes_per_s is not None


@pytest.mark.parametrize("where", ["another machine", "behind a door"])
def test_it_is_not_told_where_the_servers_processes_are_not_seen(where: str) -> None:
    """They might be the ones that are busy."""
    with RecordedServer(ollama()) as recorded:
        monitor = Monitor(Server("192.0.2.1") if where == "another machine" else recorded.url)
        monitor.read()
        time.sleep(0.5)
        sample = monitor.read()
    assert sample.unseen
    assert sample.cpu_of_others is None
    assert sample.ram_of_others_bytes is None


@pytest.mark.parametrize("name", ["cpu_times", "io_counters", "memory_info"])
def test_what_a_process_does_not_tell_is_not_told(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As of another user's, on some systems; the rest is, and it is no fault."""
    monkeypatch.setattr(psutil, "LINUX", False)  # which has files for each of them
    monitor = Monitor(NOBODY)
    monitor.read()
    monkeypatch.setattr(psutil.Process, name, failing)
    time.sleep(0.5)
    sample = monitor.read()
    told = {
        "cpu_times": sample.cpu_of_others,
        "io_counters": sample.disk_of_others_bytes_per_s,
        "memory_info": sample.ram_of_others_bytes,
    }
    assert told.pop(name) is None
    assert all(value is not None for value in told.values())
    assert sample.faults == ()


@pytest.mark.skipif(not psutil.LINUX, reason="such files are Linux's")
@pytest.mark.parametrize("name", ["stat", "io", "statm"])
def test_what_a_file_of_a_process_does_not_tell_is_not_told(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As that of another user's disk traffic; the rest is, and it is no fault."""
    hide(monkeypatch, f"/{os.getpid()}/{name}")
    monitor = Monitor(NOBODY)
    monitor.read()
    time.sleep(0.5)
    sample = monitor.read()
    told = {
        "stat": sample.cpu_of_others,
        "io": sample.disk_of_others_bytes_per_s,
        "statm": sample.ram_of_others_bytes,
    }
    assert told.pop(name) is None
    assert all(value is not None for value in told.values())
    assert sample.faults == ()


def test_where_nobody_inherits_what_an_ended_process_spent_it_is_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on macOS and Windows: it would count as others' work."""
    monkeypatch.setattr(psutil, "LINUX", False)
    others = Others()
    child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    others.read((), None)
    child.communicate(b"\n")
    time.sleep(0.45)
    assert others.read((), None).cpu is None
    time.sleep(0.45)
    assert others.read((), None).cpu is not None


def test_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    others = Others()
    children = [
        subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
        for _ in range(8)
    ]
    try:
        others.read((), 10**9)
        spent: list[float] = []
        for _ in range(3):
            time.sleep(0.45)
            began_s = time.thread_time()
            others.read((), 10**9)
            spent.append(time.thread_time() - began_s)
    finally:
        for child in children:
            child.communicate(b"\n")
    with capsys.disabled():
        print(f"\nothers: {min(spent) * 1e3:.2f} ms of CPU per sample, with 9 processes of ours")
    assert min(spent) < 0.01


LIMITED = """
import sys, time
from lifecycle_widgets.monitor.others import Others
print("ready", flush=True)
sys.stdin.readline()
others = Others()
others.read((), None)
time.sleep(1.5)
print(others.read((), None).cpu)
"""
CPU, CPUACCT = (Path("/sys/fs/cgroup") / name for name in ("cpu", "cpuacct"))


@pytest.mark.skipif(
    not all(os.access(folder / "cgroup.procs", os.W_OK) for folder in (CPU, CPUACCT)),
    reason="needs control groups of version 1 that may be changed",
)
def test_where_the_cpu_is_limited_it_is_the_containers_share() -> None:
    """A neighbour in it takes a fifth of a core: of the machine little, of what there is, all."""
    groups = [folder / f"lifecycle-test-{os.getpid()}" for folder in (CPU, CPUACCT)]
    child = subprocess.Popen(
        [sys.executable, "-c", LIMITED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        with detached() as (pid,):
            for group in groups:
                group.mkdir()
                for member in (child.pid, pid):
                    (group / "cgroup.procs").write_text(str(member))
            (groups[0] / "cpu.cfs_quota_us").write_text("20000")  # of 100000
            told, _ = child.communicate("\n", timeout=120)
    finally:
        child.kill()
        child.wait()
        for group in groups:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    group.rmdir()
                    break
                time.sleep(0.05)
    assert float(told) > 0.6
