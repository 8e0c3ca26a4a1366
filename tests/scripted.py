"""A real Ollama whose model says what a test writes: fixtures for a folder's conftest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.trouble import TEMPLATE, VARIABLE
from lifecycle_widgets.server import Server

SMALL, OTHER, SCRIPTED = "smollm2:135m", "smollm2:135m-f16", "scripted"
Script = Callable[..., None]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the model says; see `script`."""
    return tmp_path_factory.mktemp("scripted") / "trouble.json"


@pytest.fixture(scope="module")
def box(file: Path) -> Iterator[Sandbox]:
    """A real Ollama with a model that it knows to think and to call tools, `SCRIPTED`."""
    with Sandbox(models=[SMALL, OTHER], runner_env={VARIABLE: str(file)}) as started:
        Server(started.url).client.create(model=SCRIPTED, from_=SMALL, template=TEMPLATE)
        yield started


@pytest.fixture
def script(box: Sandbox, file: Path) -> Iterator[Script]:
    """What the model says from now on: ``script({"text": ...}, ..., token_delay_s=...)``."""

    def write(*answers: dict[str, Any], **trouble: Any) -> None:
        file.write_text(json.dumps({"script": answers, **trouble}))

    yield write
    file.unlink(missing_ok=True)
    for resident in Server(box.url).residents():
        Server(box.url).unload(resident.name)
