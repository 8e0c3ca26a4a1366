"""What else a sample has of the machine: held against the kernel's own account of the same time."""

from __future__ import annotations

import os
import re
import time
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from lifecycle_widgets.container_memory import LimitedGroup
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.monitor.machine import MachineProbe, Pressure, Rate
from lifecycle_widgets.monitor.sample import Machine
from lifecycle_widgets.monitor.system.sources import Sources
from lifecycle_widgets.server import Server
from tests.detached import detached
from tests.monitor.hidden_files import hide

NOBODY = "127.0.0.1:9"  # the discard port: no Ollama there
PRESSURE = Path("/proc/pressure")
MB = 1_000_000

only_linux = pytest.mark.skipif(not psutil.LINUX, reason="such files are Linux's")


def waited_s(kind: str) -> float:
    found = re.search(r"some .*total=(\d+)", (PRESSURE / kind).read_text())
    assert found is not None
    return int(found[1]) / 1e6


def test_a_rate_is_since_the_reading_before() -> None:
    rate = Rate()
    assert rate.of(10, 100.0) is None
    assert rate.of(20, 100.5) == 20.0
    assert rate.of(25, 100.6) == 20.0, "too soon: the one before"
    assert rate.of(30, 101.0) == 20.0
    assert rate.of(5, 102.0) == 0.0, "the counter was set to 0"
    assert rate.of(None, 103.0) is None
    assert rate.of(50, 104.0) is None, "from when on is not known"
    assert rate.of(51, 105.0) == 1.0


@only_linux
def test_a_sample_has_it_from_the_second_on() -> None:
    monitor = Monitor(NOBODY)
    first = monitor.read().machine
    time.sleep(0.3)
    machine = monitor.read().machine
    swap = psutil.swap_memory()
    assert first.swap_total_bytes == machine.swap_total_bytes == swap.total
    assert machine.swap_used_bytes == pytest.approx(swap.used, abs=10 * MB)
    assert machine.page_cache_bytes is not None
    assert 0 < machine.page_cache_bytes < psutil.virtual_memory().total
    assert first.disk_read_bytes_per_s is None
    assert first.swapped_in_bytes_per_s is None
    assert machine.swapped_in_bytes_per_s is not None
    if PRESSURE.exists():
        assert first.cpu_pressure is first.memory_pressure is first.io_pressure is None
        for share in (machine.cpu_pressure, machine.memory_pressure, machine.io_pressure):
            assert share is not None
            assert 0 <= share <= 1


@pytest.mark.skipif(not PRESSURE.exists(), reason="this kernel keeps no pressure")
def test_pressure_is_the_share_of_the_time_in_which_some_waited() -> None:
    probe = MachineProbe(Sources())
    with detached(), detached(), detached():
        before_s, began_s = waited_s("cpu"), time.monotonic()
        probe.pressure(None)
        time.sleep(0.6)
        told = probe.pressure(None)
        share = (waited_s("cpu") - before_s) / (time.monotonic() - began_s)
    assert told.cpu == pytest.approx(share, abs=0.1)
    assert told.memory is not None
    assert told.io is not None


@only_linux
def test_disk_reads_are_those_of_the_disks(tmp_path: Path) -> None:
    """A file that is not in memory is read; where it lies in memory (tmpfs), nothing is."""
    path, size = tmp_path / "file", 40 * MB
    with path.open("wb") as file:
        file.write(os.urandom(size))
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    probe, began_s = MachineProbe(Sources()), time.monotonic()
    probe.disk_read_bytes_per_s()
    before = psutil.Process().io_counters().read_bytes
    path.read_bytes()
    read = psutil.Process().io_counters().read_bytes - before
    time.sleep(max(0.0, began_s + 0.3 - time.monotonic()))
    rate = probe.disk_read_bytes_per_s()
    if rate is None or read < size / 2:
        pytest.skip("the folder for temporary files is on no disk that tells")
    assert rate * (time.monotonic() - began_s) >= 0.9 * read


MEMORY = "page_cache_bytes swap_used_bytes swap_total_bytes swapped_in_bytes_per_s"


@only_linux
@pytest.mark.parametrize(
    ("ending", "absent"),
    [
        ("/pressure/cpu", "cpu_pressure"),
        ("/pressure/io", "io_pressure"),
        ("/diskstats", "disk_read_bytes_per_s"),
        ("/meminfo", MEMORY),
    ],
)
def test_each_fails_alone_and_is_absent_not_zero(
    monkeypatch: pytest.MonkeyPatch, ending: str, absent: str
) -> None:
    seen = Monitor(NOBODY)
    seen.read()
    hide(monkeypatch, ending)
    hidden = Monitor(NOBODY)
    hidden.read()
    time.sleep(0.3)
    told, sample = asdict(seen.read().machine), hidden.read()
    here = {name for name, value in told.items() if value is not None}
    left = {name for name, value in asdict(sample.machine).items() if value is not None}
    assert left == here - set(absent.split())
    if ending != "/meminfo":
        assert sample.faults == (), "what a system never tells is no fault"


def test_of_a_container_it_is_the_containers_pressure(tmp_path: Path) -> None:
    """A group of version 2 has files of its own; one of version 1 has none."""
    v1 = LimitedGroup(tmp_path, "memory.limit_in_bytes", "memory.usage_in_bytes", (b"a", b"b"))
    v2 = LimitedGroup(tmp_path, "memory.max", "memory.current", (b"a", b"b"))
    probe = MachineProbe(Sources())
    assert probe.pressure(v1) == Pressure()
    if psutil.LINUX:
        file = tmp_path / "memory.pressure"
        file.write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\nfull total=7\n")
        assert probe.pressure(v2) == Pressure()
        time.sleep(0.5)
        file.write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=1250000\nfull total=9\n")
        told = probe.pressure(v2)
        assert told.memory == pytest.approx(0.5, abs=0.1)
        assert told.cpu is None


def test_elsewhere_there_is_what_psutil_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "LINUX", False)
    monitor = Monitor(NOBODY)
    monitor.read()
    time.sleep(0.3)
    sample = monitor.read()
    assert sample.machine.swap_total_bytes == psutil.swap_memory().total
    assert sample.machine.cpu_pressure is None
    assert sample.faults == ()
    assert sample.machine != Machine()


def test_a_runners_cpu_and_its_beginning(server: Server) -> None:
    monitor = Monitor(server)
    began_s = time.monotonic()
    server.preload("smollm2:135m", "5m")
    sample = monitor.read()
    assert sample.runners is not None
    (loaded,) = sample.runners
    server.client.generate("smollm2:135m", "A long story.", options={"num_predict": 60})
    sample = monitor.read()
    assert sample.runners is not None
    (runner,) = sample.runners
    assert loaded.cpu_s is not None
    assert runner.cpu_s is not None
    assert runner.cpu_s > loaded.cpu_s
    assert runner.cpu_s == pytest.approx(sum(psutil.Process(runner.pid).cpu_times()[:2]), abs=0.1)
    assert runner.started_s is not None
    assert began_s - 0.05 <= runner.started_s <= time.monotonic()
    assert loaded.started_s == runner.started_s
