"""What the tests of structures share: drivers, structures, and ways to wait and to look."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil

from lifecycle_widgets.sandbox import Sandbox
from tests.scripted import SMALL

FEW = {"num_predict": 6, "temperature": 0}
STORY = "Write a long story about a lighthouse."


def driver(url: str, model: str = SMALL, **more: Any) -> Any:
    """A person's driver. (griptape takes a second to import.)"""
    from griptape.drivers.prompt.ollama import OllamaPromptDriver

    return OllamaPromptDriver(model=model, host=url, **more)


def short(url: str, model: str = SMALL, **more: Any) -> Any:
    """One whose answers are a few tokens."""
    return driver(url, model, options=dict(FEW), **more)


def task(text: str, its_driver: Any, name: str, **more: Any) -> Any:
    """A PromptTask with that id."""
    from griptape.tasks import PromptTask

    return PromptTask(text, prompt_driver=its_driver, id=name, **more)


def pipeline(first: Any, second: Any, **more: Any) -> Any:
    """Two tasks, one after the other, with these drivers."""
    from griptape.structures import Pipeline

    tasks = [
        task("Draft: {{ args[0] }}", first, "draft"),
        task("Review: {{ parent_output }}", second, "review"),
    ]
    return Pipeline(tasks=tasks, **more)


def until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def idles(sandbox: Sandbox) -> bool:
    """Whether its runners do nothing, or are gone."""
    before_s = _runners_cpu_s(sandbox)
    time.sleep(0.4)
    return _runners_cpu_s(sandbox) - before_s < 0.1


def _runners_cpu_s(sandbox: Sandbox) -> float:
    used_s = 0.0
    for process in psutil.Process(sandbox.pid).children(recursive=True):
        with suppress(psutil.Error):
            used_s += sum(process.cpu_times()[:2])
    return used_s


def our_threads() -> list[str]:
    """The names of threads that runs have left behind."""
    return [t.name for t in threading.enumerate() if t.name.startswith("lifecycle-agent-run")]
