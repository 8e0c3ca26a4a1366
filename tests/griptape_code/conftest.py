"""Fixtures: an Ollama that says what a test writes, behind a relay that keeps the requests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from lifecycle_widgets.sandbox import Sandbox
from tests.grounds.clock_relay import relay
from tests.recorded import RecordedServer
from tests.scripted import box, file, script

__all__ = ["box", "file", "recorded", "script"]

_PATHS = ("version", "tags", "ps", "show", "chat")


@pytest.fixture
def recorded(box: Sandbox) -> Iterator[RecordedServer]:
    """What goes over the wire to a real Ollama."""
    routes = {f"/api/{path}": relay(box.url, f"/api/{path}") for path in _PATHS}
    with RecordedServer(routes) as server:
        yield server


_STATION = """\
from griptape.artifacts import TextArtifact
from griptape.tools import BaseTool
from griptape.utils.decorators import activity
from schema import Schema


class Clock(BaseTool):
    @activity(config={"description": "Tells the time", "schema": Schema({})})
    def now(self, _):
        return TextArtifact("noon")
"""


@pytest.fixture
def clock_of_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A tool whose class a person has in a module of their own, `station`."""
    (tmp_path / "station.py").write_text(_STATION)
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("station").Clock(install_dependencies_on_init=False)
    del sys.modules["station"]
