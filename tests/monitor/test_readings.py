"""A probe that fails: the others go on, no sample is lost, and it is said once."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psutil
import pynvml
import pytest

from lifecycle_widgets.experiments.shortage.shortage import Shortage
from lifecycle_widgets.monitor import Monitor
from tests.monitor.hidden_files import hide
from tests.recorded import RecordedServer, ollama


def failing(fault: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise fault

    return fail


FAULTS = [OSError(13, "no /proc"), RuntimeError("odd"), psutil.AccessDenied(1), KeyError("cpu")]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
@pytest.mark.parametrize(
    ("module", "name", "said"),
    [
        (psutil, "virtual_memory", "Main memory cannot be read"),
        (psutil, "cpu_times", "The CPU cannot be read"),
        (psutil, "pids", "The processes cannot be read"),
        (pynvml, "nvmlDeviceGetCount", "The number of GPUs cannot be read"),
    ],
)
def test_a_probe_that_fails_fails_alone_and_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    module: Any,
    name: str,
    said: str,
    fault: Exception,
) -> None:
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 0)
    monkeypatch.setattr(psutil, "LINUX", False)  # which has files for most of it
    monkeypatch.setattr(module, name, failing(fault))
    with RecordedServer(ollama()) as recorded, caplog.at_level(logging.WARNING):
        monitor = Monitor(recorded.url)
        samples = [monitor.read() for _ in range(4)]
    told = {
        "virtual_memory": samples[-1].ram_used_bytes,
        "cpu_times": samples[-1].cpu_fraction,
        "residents": samples[-1].residents,
    }
    assert told.pop(name, None) is None
    assert all(value is not None for value in told.values())
    assert samples[-1].runners is None
    assert samples[-1].unseen
    for sample in samples:
        assert sum(line.startswith(said) for line in sample.faults) == 1, sample.faults
        assert all("\n" not in line for line in sample.faults)
    logged = [r for r in caplog.records if said in r.getMessage()]
    assert len(logged) == 1
    monkeypatch.undo()
    assert not [line for line in monitor.read().faults if "GPU" not in line]  # it has recovered


@pytest.mark.skipif(not psutil.LINUX, reason="such files are Linux's")
@pytest.mark.parametrize(
    ("ending", "said"),
    [("/meminfo", "Main memory cannot be read"), ("/proc/stat", "The CPU cannot be read")],
)
def test_a_file_that_cannot_be_read_fails_alone_and_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, ending: str, said: str
) -> None:
    hide(monkeypatch, ending, OSError(24, "too many open files"))
    with RecordedServer(ollama()) as recorded, caplog.at_level(logging.WARNING):
        monitor = Monitor(recorded.url)
        samples = [monitor.read() for _ in range(3)]
        assert all(sample.residents for sample in samples)
        assert (samples[-1].ram_used_bytes is None) == (ending == "/meminfo")
        assert (samples[-1].cpu_fraction is None) == (ending == "/proc/stat")
        for sample in samples:
            assert sum(line.startswith(said) for line in sample.faults) == 1, sample.faults
        assert len([r for r in caplog.records if said in r.getMessage()]) == 1
        monkeypatch.undo()
        assert monitor.read().faults == ()


def test_whatever_the_processes_answer_a_sample_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each single process may be gone, hidden or odd at any moment."""
    monkeypatch.setattr(psutil, "LINUX", False)
    with RecordedServer(ollama()) as recorded:
        monitor = Monitor(recorded.url)
        for name in ("cmdline", "ppid", "parents", "memory_info", "uids", "status", "is_running"):
            for fault in (psutil.AccessDenied(1), psutil.NoSuchProcess(1), OSError(5, "i/o")):
                monkeypatch.setattr(psutil.Process, name, failing(fault))
                sample = monitor.read()
                assert sample.residents
                assert sample.faults == ()
            monkeypatch.undo()


LIMITED = """
import sys
sys.stdin.readline()
from lifecycle_widgets.monitor import Monitor
held = bytearray(50_000_000)
sample = Monitor("127.0.0.1:9").read()
told = sample.ram_of, sample.ram_used_bytes, sample.ram_total_bytes
print(*told, sample.machine.page_cache_bytes, sep=",")
"""


@pytest.mark.skipif(Shortage.why_not() is not None, reason=str(Shortage.why_not()))
def test_where_memory_is_limited_it_is_the_containers() -> None:
    with Shortage(400_000_000) as shortage:
        child = subprocess.Popen(
            [sys.executable, "-c", LIMITED],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        shortage.adopt(child.pid)
        told, _ = child.communicate("\n", timeout=60)
    ram_of, used, total, page_cache = told.strip().split(",")
    assert ram_of == "this container"
    assert int(total) == pytest.approx(400e6, rel=0.01)
    assert 50e6 < int(used) < 300e6
    assert int(page_cache) < 400e6 - int(used), "the container's own"


def test_a_system_that_does_not_tell_who_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """As macOS does not, of another user's processes."""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(psutil, "net_connections", failing(psutil.AccessDenied(1)))
    monkeypatch.setattr(psutil.Process, "net_connections", failing(psutil.AccessDenied(1)))
    monkeypatch.setattr("os.geteuid", lambda: 501)
    with RecordedServer(ollama()) as recorded:
        sample = Monitor(recorded.url).read()
    assert sample.runners is None
    assert sample.unseen
    assert sample.faults == ()
