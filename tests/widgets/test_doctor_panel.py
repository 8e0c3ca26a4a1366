"""DoctorPanel: what it shows, and that nothing is done unasked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pytest

from lifecycle_widgets import Diagnosis, DoctorPanel, Monitor, Server
from tests.recorded import RecordedServer, final, model, ollama

HOSTILE = "<img src=x onerror=alert(1)>"
FOUND = (
    Diagnosis("stuck loader", "A load waits.", ("seen: it",), "Unload it.", "fault",
              ("the queue hangs",), unload="tiny:1b"),
    Diagnosis("a name", f"It is {HOSTILE}.", (HOSTILE,), HOSTILE, "warning"),
    Diagnosis("another", "Good so far.", severity="good"),
    Diagnosis("another", "Good as well.", severity="good"),
)  # fmt: skip
Shut = Callable[[Any], Any]


def texts(panel: DoctorPanel) -> list[str]:
    return [str(part.value) for part in panel._found.children if isinstance(part, widgets.HTML)]


def test_findings_say_how_grave_they_are_in_a_word(shut: Shut) -> None:
    panel = shut(DoctorPanel("localhost:1"))
    panel.diagnoses = FOUND
    fault, warning, good = texts(panel)
    assert "</span> fault</span><span>A load waits.</span>" in fault
    assert "<summary>1 piece of evidence</summary>" in fault
    assert "Because: The known hang, and races: A load waits for ever" in fault
    assert HOSTILE not in warning
    assert warning.count("&lt;img") == 3
    assert "Nothing found by 2 other checks" in good
    assert not panel.running, "showing starts nothing"


def test_examining_changes_nothing_and_unloading_takes_a_click(shut: Shut) -> None:
    answers = ollama(
        tags={"models": [model()]},
        ps=None,  # not told: so it is not waited for
        generate=final(response="", done_reason="unload"),
    )
    with RecordedServer(answers) as recorded:
        panel = shut(DoctorPanel(recorded.url, watch_s=0))
        found = panel.examine().wait(timeout_s=20)
        assert {one.severity for one in found} <= {"note", "warning", "fault", "good"}
        assert panel._status.value.count(recorded.url) == 1
        assert {request.method for request in recorded.requests} <= {"GET", "POST"}
        assert not recorded.asked("/api/generate"), "looking asks no model"
        panel.diagnoses = FOUND
        [button] = panel._cures()
        assert button.description == "Unload tiny:1b"
        button.click()
        panel.wait(timeout_s=20)
        assert len(recorded.asked("/api/generate")) == 1


def test_a_monitor_stands_for_its_server(shut: Shut) -> None:
    monitor = Monitor(Server("localhost:1"))
    panel = shut(DoctorPanel(monitor, watch_s=0))
    assert panel.server is monitor.server
    assert [one.name for one in panel.examine().wait(timeout_s=20)] == ["does not answer"]
    assert monitor.samples == ()


def test_another_server_forgets_what_was_found(shut: Shut) -> None:
    panel = shut(DoctorPanel("localhost:1"))
    panel.diagnoses = FOUND
    panel.server = "localhost:2"
    assert panel.diagnoses == ()
    assert texts(panel) == []


def test_it_looks_once_at_a_time_and_no_more_when_closed() -> None:
    panel = DoctorPanel("localhost:1", watch_s=0)
    panel.wait(timeout_s=1)
    held, go_on = threading.Event(), threading.Event()
    panel.observe(lambda _: (held.set(), go_on.wait(10)), "diagnoses")
    panel.examine()
    assert held.wait(10)
    with pytest.raises(RuntimeError, match="looking already"):
        panel.examine()
    with pytest.raises(TimeoutError, match=r"after 0\.1 s"):
        panel.wait(timeout_s=0.1)
    go_on.set()
    panel.wait(timeout_s=10)
    panel.close()
    with pytest.raises(RuntimeError, match="closed"):
        panel.examine()
