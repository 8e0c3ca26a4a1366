"""What the tests of faults share: ways to ask, to wait, and to see what is left behind."""

from __future__ import annotations

import gc
import json
import os
import threading
import urllib.error
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from lifecycle_widgets.agent import AgentRun, run_agent
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import Server
from tests.sandbox.sandbox_tools import SMALL, eventually, weights

SHORT = {"num_predict": 6, "temperature": 0}
LONG = {"num_predict": 3000, "temperature": 0}
STORY = "Write a long story about a lighthouse."


def until(condition: Callable[[], object], what: str, within_s: float = 30.0) -> None:
    """Wait until something is so; fail by its name when it does not come."""
    assert eventually(condition, within_s), f"after {within_s:g} s still not: {what}"


def works(server: Server, model: str = SMALL) -> Run:
    """The next run works."""
    run = run_agent("Say hello.", model=model, server=server, options=SHORT)
    assert run.error is None
    assert run.answer
    return run


def telling(server: Server, model: str = SMALL) -> AgentRun:
    """A run in the middle of a long answer."""
    run = AgentRun(STORY, model=model, server=server, options=LONG).start()
    until(lambda: len(run.answer) > 20, "the answer has begun")
    return run


def left(monitor: Monitor) -> list[tuple[str, str | None]]:
    """Which models were in memory, and why each left."""
    return [(stay.model, stay.why) for stay in monitor.residencies()]


def is_resident(monitor: Monitor, model: str = SMALL) -> bool:
    """Whether the last sample shows the model in memory, with its runner."""
    sample = monitor.latest
    if sample is None:
        return False
    listed = any(resident.name == model for resident in sample.residents or ())
    return listed and any(runner.model == model for runner in sample.runners or ())


def own_model(server: Server, folder: Path, name: str) -> Path:
    """Make a model with weights of its own in the sandbox, which a test may damage.

    The sandbox's other weights are links into the cache, so these have other bytes (one more at
    the end), and with that another name.
    """
    copy = folder / "copy.gguf"
    with copy.open("wb") as file:
        file.write(weights().read_bytes() + b"\0")
    digest = server.client.create_blob(copy)
    copy.unlink()
    server.client.create(model=name, files={"model.gguf": digest})
    path = server.weights_path(name)
    assert path is not None
    assert not path.is_symlink()
    return path


def explanation(error: urllib.error.HTTPError) -> str:
    """What Ollama says in an answer that is an error."""
    with error:
        return str(json.loads(error.read())["error"])


class Belongings:
    """What this process has: children, threads and open files (sockets are files)."""

    def __init__(self) -> None:
        gc.collect()
        me = psutil.Process()
        self.children = {child.pid for child in me.children(recursive=True)}
        self.threads = set(threading.enumerate())
        self.files = Counter(filter(None, map(self._file, os.listdir("/proc/self/fd"))))

    @staticmethod
    def _file(number: str) -> str | None:
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:  # that of the listing itself
            return None
        # a sandbox that has ended keeps its log, to be read
        return None if target.endswith("ollama.log (deleted)") else target.split(":")[0]

    def more_than(self, before: Belongings) -> dict[str, Any]:
        """What there is now and was not before."""
        found: dict[str, Any] = {
            "children": self.children - before.children,
            "threads": self.threads - before.threads,
            "files": self.files - before.files,
        }
        return {name: more for name, more in found.items() if more}
