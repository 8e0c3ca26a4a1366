"""Signals: a cell that asks again is a loop."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from lifecycle_widgets.advisor.adaptive.signals import AskedInThisCell
from lifecycle_widgets.server import Server

ELSEWHERE = Server("http://192.0.2.9:1")


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Runs a cell in an IPython of its own, which has the signal and asks the model."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)

    def ask() -> None:
        with ELSEWHERE.own_requests.noted("a", "chat"):
            pass

    heard: list[object] = []
    signal = AskedInThisCell()
    shell.push({"ask": ask, "say": lambda: heard.append(signal("a:latest", ELSEWHERE))})
    shell.push({"heard": heard})
    yield lambda code: shell.run_cell(code).raise_error()
    shell.atexit_operations()
    atexit.unregister(shell.atexit_operations)
    InteractiveShell.clear_instance()


def test_a_cell_that_has_asked_before_is_a_loop(cell: Callable[[str], None]) -> None:
    cell("say(); ask(); say(); ask(); say()")
    cell("say()")  # the next one has not
    cell("assert heard == [None, 'soon', 'soon', None]")


def test_one_that_nobody_has_any_more_is_told_no_longer(cell: Callable[[str], None]) -> None:
    events = InteractiveShell.instance().events
    before = len(events.callbacks["pre_run_cell"])
    another = AskedInThisCell()
    assert len(events.callbacks["pre_run_cell"]) == before + 1
    del another
    cell("pass")
    assert len(events.callbacks["pre_run_cell"]) == before
