"""What the monitor's tests share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

Eventually = Callable[..., None]


@pytest.fixture
def eventually() -> Eventually:
    """Wait until a condition holds; fail with its name after ``within_s`` seconds."""

    def wait(condition: Callable[[], object], what: str, within_s: float = 30.0) -> None:
        deadline_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline_s, f"after {within_s:g} s still not: {what}"
            time.sleep(0.05)

    return wait


@pytest.fixture
def threads() -> Callable[[], list[str]]:
    """The names of the monitors' threads that have begun since; other tests may have some, too."""
    before = set(threading.enumerate())
    names = ("lifecycle-monitor", "lifecycle-listeners")

    def ours() -> list[str]:
        return [t.name for t in threading.enumerate() if t.name in names and t not in before]

    return ours
