"""A page for widgets without a kernel: what would be sent to the browser is kept instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import comm
import ipywidgets as widgets
import pytest
from comm.base_comm import BaseComm

from tests.chromium import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser


class RecordingComm(BaseComm):
    """The kernel's end of a comm, as the comm package wants it, that keeps its messages."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        self.messages: list[tuple[float, dict[str, Any]]] = []
        super().__init__(*args, **keywords)

    def publish_msg(self, msg_type: str, data: Any = None, **keywords: Any) -> None:
        if msg_type == "comm_msg":
            self.messages.append((time.monotonic(), data))

    def custom(self) -> list[tuple[float, dict[str, Any]]]:
        """The widget's own messages: when, what."""
        return [(at, m["content"]) for at, m in self.messages if m["method"] == "custom"]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Widgets made in this test have a `RecordingComm`."""
    monkeypatch.setattr(comm, "create_comm", RecordingComm)


@pytest.fixture
def shut() -> Iterator[Callable[[Any], Any]]:
    """Closes what it is given at the end of the test: ``panel = shut(AgentPanel(...))``."""
    given: list[widgets.Widget] = []

    def keep(widget: Any) -> Any:
        given.append(widget)
        return widget

    yield keep
    for widget in given:
        widget.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For the page's half of a widget: each test opens a page of its own in it."""
    with chromium() as browser:
        yield browser
