"""Every test of a fault: afterwards nothing is left of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from trouble_tools import SMALL, Belongings, until

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server

if sys.platform != "linux":
    collect_ignore_glob = ["test_*"]  # the faults are made with what Linux has


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """No process, no thread, no open file, no port (they are held by these)."""
    before = Belongings()
    yield
    until(
        lambda: not Belongings().more_than(before),
        f"nothing is left; it was: {Belongings().more_than(before)}",
        15.0,
    )


@pytest.fixture
def box(nothing_is_left: None) -> Iterator[Sandbox]:
    """A sandbox of this test alone; its folder is gone afterwards."""
    with Sandbox(models=[SMALL], OLLAMA_KEEP_ALIVE="5m") as started:
        folder: Path = started.log_path.parent
        yield started
    until(lambda: not folder.exists(), "the folder is gone", 5.0)


@pytest.fixture
def server(box: Sandbox) -> Iterator[Server]:
    """A Server on it, which gives up soon."""
    server = Server(box.url, quick_timeout_s=2.0)
    yield server
    server.close()
