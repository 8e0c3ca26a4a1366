"""Pulling a missing model from the picker: only when asked, with progress, and it can be ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ipywidgets as widgets
import pytest
from registry import Registry, registry
from widget_parts import button, parts, shown, until

from lifecycle_widgets import Sandbox, Server
from lifecycle_widgets.widgets import ModelPicker


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Registry]:
    with registry(tmp_path) as served:
        yield served


@pytest.fixture
def empty(served: Registry) -> Iterator[Server]:
    """An Ollama without models that trusts our registry."""
    with Sandbox(models=(), runner_env={"SSL_CERT_FILE": str(served.certificate)}) as sandbox:
        yield Server(sandbox.url)


def test_pull_with_progress_and_then_it_is_chosen(served: Registry, empty: Server) -> None:
    name = f"{served.host}/library/tiny:1"
    picker = ModelPicker(empty, needs=[name])
    assert "No model is installed" in picker.error
    assert empty.models() == (), "nothing is pulled unasked"
    bar = parts(picker, widgets.FloatProgress)[0]
    assert bar.layout.display == "none"
    button(picker, f"Pull {name}").click()
    until(lambda: 0.3 < bar.value < 0.7)
    assert bar.layout.display is None
    assert "pulling" in shown(picker)
    served.go_on.set()
    until(lambda: picker.models)
    until(lambda: picker.model)
    assert (picker.model, picker.error) == (name, "")
    assert parts(picker, widgets.FloatProgress) == [], "it is no longer missing"


def test_cancel_and_pull_again(served: Registry, empty: Server) -> None:
    name = f"{served.host}/library/tiny:1"
    picker = ModelPicker(empty, needs=[name])
    bar = parts(picker, widgets.FloatProgress)[0]
    button(picker, "Pull").click()
    until(lambda: bar.value > 0.3)
    button(picker, "Cancel").click()
    until(lambda: bar.layout.display == "none")
    assert button(picker, f"Pull {name}")
    assert "needed here" in shown(picker)
    served.go_on.set()
    button(picker, "Pull").click()
    until(lambda: picker.model == name)


def test_closing_ends_a_pull(served: Registry, empty: Server) -> None:
    picker = ModelPicker(empty, needs=[f"{served.host}/library/tiny:1"])
    bar, row = parts(picker, widgets.FloatProgress)[0], picker._pulls.children[0]
    button(picker, "Pull").click()
    until(lambda: bar.value > 0.3)
    picker.close()
    row.wait(20)
    assert not row.pulling
    assert empty.models() == ()


def test_a_pull_that_fails_is_one_message(server: Server) -> None:
    name = "localhost:1/library/tiny:1"  # no registry there
    picker = ModelPicker(server, needs=[name])
    assert picker.error == ""
    button(picker, f"Pull {name}").click()
    until(lambda: picker.error)
    assert picker.error.startswith(f"{name} could not be pulled. Ollama at {server.url} answered")
    assert 'role="alert"' in shown(picker)
    assert button(picker, f"Pull {name}"), "it can be tried again"
