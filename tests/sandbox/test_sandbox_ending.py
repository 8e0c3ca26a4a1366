"""A sandbox ends with the process that started it, however that ends, and takes all with it."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from sandbox_tools import (
    SMALL,
    all_gone,
    ask,
    eventually,
    is_alive,
    load,
    runners,
    start_python,
    wait_for_line,
)

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.errors import CacheInUse

OWNER = f"""
import json, os, signal, sys, threading, time
from lifecycle_widgets.sandbox import Sandbox
box = Sandbox(models=["{SMALL}"])
# From a thread that ends: the sandbox belongs to the process.
thread = threading.Thread(target=box.start)
thread.start()
thread.join()
print(json.dumps(dict(url=box.url, pid=box.pid, folder=str(box.log_path.parent))))
"""


def start_owner(then: str) -> tuple[subprocess.Popen[str], dict[str, Any], list[int]]:
    """A process with a sandbox and a resident model; and the ids of guard, Ollama and runner."""
    owner = start_python(OWNER + then)
    about = json.loads(wait_for_line(owner, "{"))
    load(about["url"])
    ollama = psutil.Process(about["pid"])
    pids = [ollama.ppid(), ollama.pid, *(runner.pid for runner in runners(ollama.pid))]
    assert len(pids) == 3
    return owner, about, pids


def end(owner: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    owner.send_signal(number)
    owner.wait(10)
    assert owner.stdout is not None
    owner.stdout.close()


def test_ends_when_its_owner_is_killed() -> None:
    owner, about, pids = start_owner("time.sleep(60)")
    end(owner)
    assert all_gone(pids)
    assert eventually(lambda: not Path(about["folder"]).exists())


@pytest.mark.parametrize("then", ["sys.exit()", "raise RuntimeError", "os._exit(3)"])
def test_ends_when_its_owner_ends(then: str) -> None:
    wait = "while not os.path.exists(box.log_path.parent / 'go'):\n    time.sleep(0.05)\n"
    owner, about, pids = start_owner(wait + then)
    (Path(about["folder"]) / "go").touch()
    owner.wait(20)
    assert all_gone(pids)
    assert eventually(lambda: not Path(about["folder"]).exists())
    assert owner.stdout is not None
    owner.stdout.close()


def test_lives_on_when_its_owner_becomes_another_program() -> None:
    then = "os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(60)'])"
    owner, about, pids = start_owner(then)
    time.sleep(1.0)
    assert ask(about["url"], "/api/ps")["models"]
    assert all(is_alive(pid) for pid in pids)
    end(owner)
    assert all_gone(pids)
    assert eventually(lambda: not Path(about["folder"]).exists())


def test_ctrl_c_does_not_reach_it() -> None:
    owner, _, pids = start_owner(
        "signal.signal(signal.SIGINT, signal.SIG_IGN); print('ready'); time.sleep(60)"
    )
    wait_for_line(owner, "ready")
    os.killpg(owner.pid, signal.SIGINT)  # what a terminal and a kernel interrupt do
    time.sleep(0.6)
    assert all(is_alive(pid) for pid in pids)
    end(owner)
    assert all_gone(pids)


def test_when_ollama_is_killed_its_runners_end_and_it_can_start_again() -> None:
    with Sandbox(models=[SMALL]) as box:
        load(box.url)
        guard = psutil.Process(box.pid).ppid()
        pids = [guard, *(runner.pid for runner in runners(box.pid))]
        os.kill(box.pid, signal.SIGKILL)
        # The guard waits to be collected by this process, its parent: that is "gone".
        assert all_gone(pids)
        assert eventually(lambda: not box.is_running)
        assert "POST" in box.log_tail()
        box.start()
        assert ask(box.url, "/api/version")


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's parent-death signal")
def test_when_the_guard_is_killed_all_ends_and_the_next_start_cleans_up() -> None:
    box = Sandbox(models=[SMALL]).start()
    load(box.url)
    folder = box.log_path.parent
    pids = [box.pid, *(runner.pid for runner in runners(box.pid))]
    os.kill(psutil.Process(box.pid).ppid(), signal.SIGKILL)
    assert all_gone(pids)
    assert folder.exists()
    # A folder that is a minute old and whose guard is gone is nobody's.
    os.utime(folder, (time.time() - 120, time.time() - 120))
    with Sandbox(models=()):
        assert not folder.exists()
    box.stop()


def _stop_in_child(box: Sandbox) -> None:
    box.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_copy_does_not_stop_it() -> None:
    with Sandbox(models=()) as box:
        child = multiprocessing.get_context("fork").Process(target=_stop_in_child, args=(box,))
        child.start()
        child.join(10)
        assert child.exitcode == 0
        assert box.is_running
        assert ask(box.url, "/api/version")


def test_a_running_sandbox_holds_the_cache_also_after_exec(
    empty_cache: Path, ollama_on_path: Path
) -> None:
    from lifecycle_widgets.sandbox import remove

    code = OWNER.replace(f'models=["{SMALL}"]', "models=()")
    owner = start_python(
        code + "os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(60)'])"
    )
    about = json.loads(wait_for_line(owner, "{"))
    with pytest.raises(CacheInUse, match="in use"):
        remove(wait_s=0.5)
    assert ask(about["url"], "/api/version")
    end(owner)
    assert remove()  # waits for the guard to end
    assert not empty_cache.exists()
