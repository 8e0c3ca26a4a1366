"""What the cases share: running a question, reading a message, waiting for samples."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from lifecycle_widgets import (
    Monitor,
    RunFailed,
    Sample,
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
)
from tests.sandbox.sandbox_tools import environment, run_python

OURS = (ServerUnreachable, ServerError, UnknownModel, RunFailed)
"""The only exceptions that a server's answers may become."""

_MOST = 400
_Value = TypeVar("_Value")


def assert_readable(message: str) -> None:
    """It is what a person reads: one line, of a sentence or two, in our own words."""
    assert message.strip()
    assert "\n" not in message.strip(), message
    assert len(message) <= _MOST, f"{len(message)} characters: {message}"
    for foreign in ("Traceback", "validation error", "pydantic"):
        assert foreign not in message, message


def told(ask: Callable[[], _Value]) -> _Value | str:
    """The answer, or the sentence for a person; any exception but ours goes on."""
    try:
        return ask()
    except OURS as fault:
        assert_readable(str(fault))
        return str(fault)


def samples(server: Server | str, count: int = 2, within_s: float = 15.0) -> tuple[Sample, ...]:
    """So many samples of a monitor; fails when they do not come."""
    with watched(server, count, within_s) as monitor:
        return monitor.samples


@contextmanager
def watched(server: Server | str, count: int = 2, within_s: float = 15.0) -> Iterator[Monitor]:
    """A monitor that has taken so many samples, and takes more."""
    monitor = Monitor(server if isinstance(server, Server) else Server(server))
    with monitor:
        wait_until(
            lambda: len(monitor.samples) >= count, f"{count} samples, of {monitor!r}", within_s
        )
        yield monitor


def wait_until(condition: Callable[[], object], what: str, within_s: float = 30.0) -> None:
    """Wait until something is so; fail by its name."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"after {within_s:g} s still not: {what}"
        time.sleep(0.02)


def printed(code: str, **environment: str | None) -> str:
    """What Python code prints in a process of its own (None takes a variable away)."""
    done: subprocess.CompletedProcess[str] = run_python(code, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def without_a_network(code: str, **changes: str | None) -> str:
    """What Python prints in a network namespace that has loopback only: nothing can go out."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    command = ["unshare", "-n", "--", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]
    command += [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=environment(**changes), capture_output=True, text=True, timeout=60
    )
    if "unshare failed" in done.stderr:
        pytest.skip(f"no network namespace can be made here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
