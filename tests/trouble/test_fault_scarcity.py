"""A full disk, and no file descriptors left: in Ollama, and in the process that asks."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from trouble_tools import SMALL, is_resident, left, telling, until, works

from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.experiments import ColdAndWarm, ColdAndWarmResult, load_result
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server, ServerError, ServerUnreachable
from tests.sandbox.sandbox_tools import fill, run_python, wait_for_line
from tests.widgets.registry import registry

# --- a full disk ----------------------------------------------------------------------------------

USE = """
import os, pathlib
from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
with Sandbox(models=["smollm2:135m"]) as box:
    server = Server(box.url)
    ask = lambda: run_agent("Hi.", model="smollm2:135m", server=server, options={"num_predict": 4})
    ask()
    disk = pathlib.Path(os.environ["TMPDIR"])
    print("ready", flush=True)
    input()
    for _ in range(5):
        assert ask().answer
        server.unload("smollm2:135m")
    print("answered", len(box.log_tail(1)) > 0, flush=True)
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("may not mount a small disk here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_sandbox_that_cannot_start_on_a_full_disk_says_why(disk: Path) -> None:
    filler = fill(disk, but_bytes=2 * resource.getpagesize())
    start = "from lifecycle_widgets.sandbox import Sandbox; Sandbox(models=()).start().stop()"
    done = run_python(start, TMPDIR=str(disk))
    assert done.returncode == 1
    assert "no space left on device" in done.stderr
    assert ".StartFailed: " in done.stderr
    assert list(disk.iterdir()) == [filler], "it cleans up"
    filler.unlink()
    done = run_python(start, TMPDIR=str(disk))
    assert done.returncode == 0, done.stderr
    assert list(disk.iterdir()) == []


def test_a_disk_that_fills_up_under_a_sandbox_costs_its_log_and_no_answer(disk: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-u", "-c", USE],
        env={**os.environ, "TMPDIR": str(disk)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    wait_for_line(owner, "ready")
    filler = fill(disk)
    said, _ = owner.communicate("\n", timeout=120)
    assert owner.returncode == 0
    assert "answered True" in said
    assert list(disk.iterdir()) == [filler]


def test_a_result_that_cannot_be_saved_is_kept_and_so_is_the_older_one(
    server: Server, disk: Path, tmp_path: Path
) -> None:
    result = ColdAndWarm(SMALL, rounds=1, server=server).run()
    place = result.save(disk / "result")
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    larger = ColdAndWarmResult(result.frame.loc[result.frame.index.repeat(2000)], result.facts)
    filler = fill(disk)
    with pytest.raises(OSError, match=r"was not saved .*It is still in memory: make room") as full:
        larger.save(place)
    assert str(place) in str(full.value)
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before
    assert len(load_result(place).frame) == len(result.frame)
    with pytest.raises(OSError, match="was not saved"):
        larger.save(disk / "other")
    assert list((disk / "other").iterdir() if (disk / "other").exists() else ()) == []
    assert len(load_result(larger.save(tmp_path / "elsewhere")).frame) == len(larger.frame)
    filler.unlink()
    assert len(load_result(larger.save(place)).frame) == len(larger.frame)


def test_a_pull_onto_a_full_disk_says_so_and_works_when_there_is_room(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    with (
        registry(tmp_path) as served,
        Sandbox(models=(), runner_env={"SSL_CERT_FILE": str(served.certificate)}) as box,
    ):
        served.go_on.set()
        server, name = Server(box.url), f"{served.host}/library/tiny:1"
        filler = fill(disk, but_bytes=1_000_000)  # the model has three times as many
        with pytest.raises(ServerError, match=r"no space left on device.*make room on it"):
            list(server.pull(name))
        assert server.models() == ()
        filler.unlink()
        list(server.pull(name))
        assert [model.name for model in server.models()] == [name]
        server.close()
    assert list(disk.iterdir()) == []


# --- no file descriptors --------------------------------------------------------------------------


@contextmanager
def descriptors(pid: int, most: int) -> Iterator[None]:
    """Let a process have no more than so many open files."""
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)


@pytest.mark.slow
def test_an_ollama_without_file_descriptors_is_said_to_hang_and_comes_back(
    box: Sandbox, server: Server
) -> None:
    with Monitor(server) as monitor:
        run = telling(server)
        until(lambda: is_resident(monitor), "resident")
        server.close()  # its connection would be good still
        with descriptors(box.pid, 3):
            with pytest.raises(ServerUnreachable, match="is there, but did not answer within 2 s"):
                server.residents()
            with pytest.raises(ServerUnreachable, match="is there, but did not answer within 2 s"):
                run_agent("Hi.", model=SMALL, server=server)
            reached = len(run.answer)
            until(lambda: len(run.answer) > reached, "the run that has its connection goes on")
        run.stop()
        run.wait(5)
        works(server)
        until(lambda: monitor.latest is not None and not monitor.latest.error, "it answers")
        assert left(monitor) == [(SMALL, None)], "it was in memory all the time"


def test_an_ollama_that_cannot_start_a_runner_for_want_of_descriptors_says_so(
    box: Sandbox, server: Server
) -> None:
    assert server.models()
    # enough for one connection more, not for the pipes of a runner
    with (
        descriptors(box.pid, psutil.Process(box.pid).num_fds() + 1),
        pytest.raises(ServerError, match="Ollama has no file descriptors left: end what"),
    ):
        server.preload(SMALL)
    works(server)


OURS = """
import resource, time
import lifecycle_widgets as lw
from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.server import Server
server = Server({url!r})
ask = lambda: run_agent("Hi.", model="smollm2:135m", server=server, options={{"num_predict": 4}})
ask()
server.close()
with lw.Monitor(server) as monitor:
    while not monitor.samples:
        time.sleep(0.05)
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, usual[1]))
    hoard = []

    def told(attempt, times=20):
        try:
            while True:
                hoard.append(open("/dev/null"))
        except OSError:
            pass
        try:
            attempt()
        except Exception as error:
            return f"{{type(error).__name__}}: {{error}}"
        server.close()  # once more: the monitor has just given back a file of its own
        return told(attempt, times - 1) if times else "no error"

    for attempt in (ask, server.residents, lambda: server.preload("smollm2:135m")):
        print(told(attempt))
    time.sleep(1.5)
    for file in hoard:
        file.close()
    count = len(monitor.samples)
    print("again:", ask().error)
    while len(monitor.samples) < count + 2:
        time.sleep(0.05)
    print("samples:", monitor.latest.error, monitor.is_running)
"""


def test_a_process_without_file_descriptors_is_told_that_it_is_its_own_fault(box: Sandbox) -> None:
    done = run_python(OURS.format(url=box.url))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    told = "ServerUnreachable: This process has too many open files to ask Ollama"
    assert [line.startswith(told) for line in lines[:3]] == [True] * 3, done.stdout
    assert lines[3:] == ["again: None", "samples: None True"]
