"""What these tests share: other Python processes, and looking at who is alive."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil

import lifecycle_widgets
from lifecycle_widgets.sandbox.store import record, store

ROOT = Path(lifecycle_widgets.__file__).parents[1]
SMALL = "smollm2:135m"


def environment(**changes: str | None) -> dict[str, str]:
    """This process's environment, with the package importable, and with changes (None removes)."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name, value in changes.items():
        env.pop(name, None)
        if value is not None:
            env[name] = value
    return env


def run_python(code: str, timeout: float = 150, **changes: Any) -> subprocess.CompletedProcess[str]:
    """Run code in a Python of its own and wait for it; stdout and stderr are kept."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def start_python(code: str, **changes: str | None) -> subprocess.Popen[str]:
    """Start code in a Python of its own; its stdout and stderr come as one."""
    return subprocess.Popen(
        [sys.executable, "-u", "-c", code],
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_line(process: subprocess.Popen[str], text: str) -> str:
    """Read what a process prints until a line contains `text`; return the line."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if text in line:
            return line
    raise AssertionError(f"{text!r} was never printed:\n{''.join(seen)}")


def eventually(condition: Callable[[], object], within_s: float = 5.0) -> bool:
    """Whether a condition becomes true in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_alive(pid: int) -> bool:
    """Whether a process runs (one that only waits to be collected does not)."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_gone(pids: Iterable[int]) -> bool:
    """Whether none of these processes runs any more, within five seconds."""
    pids = list(pids)
    return eventually(lambda: not any(is_alive(pid) for pid in pids))


def ask(url: str, path: str, body: object = None) -> Any:
    """One JSON request to an Ollama."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url + path, data), timeout=60) as answer:
        return json.loads(answer.read())


def load(url: str, model: str = SMALL) -> None:
    """Make a model resident."""
    ask(url, "/api/generate", {"model": model})


def generate(url: str, model: str = SMALL, tokens: int = 8, **more: Any) -> Any:
    """A short answer, always the same."""
    options = {"num_predict": tokens, "temperature": 0, **more.pop("options", {})}
    body = {"model": model, "prompt": "Name three rivers.", "stream": False, "options": options}
    return ask(url, "/api/generate", body | more)


def runners(ollama: int) -> list[psutil.Process]:
    """The runners of an Ollama."""
    return psutil.Process(ollama).children(recursive=True)


def weights(model: str = SMALL) -> Path:
    """The weights of a model in the cache; to be read only."""
    known = record(model)
    assert known is not None
    blobs = (store() / "blobs" / blob for blob in known["blobs"])
    return max(blobs, key=lambda blob: blob.stat().st_size)


def fill(disk: Path, but_bytes: int = 0) -> Path:
    """Leave no more than so many bytes free, also where somebody else writes meanwhile."""
    filler = disk / "filler"
    with filler.open("ab") as file:
        while (more := shutil.disk_usage(disk).free - but_bytes) > 0:
            try:
                os.posix_fallocate(file.fileno(), filler.stat().st_size, more)
            except OSError as error:
                assert error.errno == errno.ENOSPC
    return filler
