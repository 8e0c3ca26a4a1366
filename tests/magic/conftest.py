"""Fixtures: an IPython shell in this process that has the magic, and a scripted model."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tests.scripted import box, file, script

__all__ = ["box", "file", "script"]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """As in a terminal: ``shell.run_cell(code)``; what it prints goes to capsys."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    InteractiveShell.clear_instance()
    started = InteractiveShell.instance(config=config)
    started.run_line_magic("load_ext", "lifecycle_widgets")
    yield started
    started.atexit_operations()
    atexit.unregister(started.atexit_operations)
    InteractiveShell.clear_instance()
