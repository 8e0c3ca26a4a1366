"""Loads and sandboxes leave nothing behind; `python -m tests.bench endurance` is the long form."""

from __future__ import annotations

import gc
import socket

import pytest
from sandbox_tools import all_gone, eventually

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.bench.endurance import (
    MODEL,
    Footprint,
    footprint,
    load_and_unload,
    sandbox_with_a_load,
)


def counts(pid: int | None = None) -> tuple[int, int, int]:
    """Descendants, threads and descriptors, without what only waits for the garbage collector."""
    gc.collect()
    now: Footprint = footprint(pid)
    return now.children, now.threads, now.descriptors


def no_more_than(before: tuple[int, int, int], pid: int | None = None) -> bool:
    return all(a <= b for a, b in zip(counts(pid), before, strict=True))


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.slow
def test_ten_loads_leave_no_process_thread_or_descriptor() -> None:
    with Sandbox(models=[MODEL]) as sandbox:
        server = Server(sandbox.url)
        load_and_unload(server, 1)  # what is kept for the next time, such as a connection
        before, ollama = counts(), footprint(sandbox.pid)
        load_and_unload(server, 10)
        assert eventually(lambda: no_more_than(before)), f"{counts()} after {before}"
        # Go's runtime may start a thread when it likes
        limit = (0, ollama.threads + 8, ollama.descriptors + 2)
        assert eventually(lambda: no_more_than(limit, sandbox.pid)), footprint(sandbox.pid)
        server.close()


@pytest.mark.slow
def test_four_sandboxes_leave_nothing() -> None:
    sandbox_with_a_load()
    before = counts()
    traces = [sandbox_with_a_load() for _ in range(4)]
    assert all_gone(pid for trace in traces for pid in trace.pids)
    assert all(len(trace.pids) == 3 and refuses(trace.port) for trace in traces)
    assert not any(trace.folder.exists() for trace in traces)
    assert eventually(lambda: no_more_than(before)), f"{counts()} after {before}"
