"""Fixtures: every test talks to a real Ollama, the private one, and never to a person's own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lifecycle_widgets.experiments import InARow, InARowResult
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The private Ollama of the whole test run, with the three models."""
    with Sandbox() as started:
        before = {name: os.environ.get(name) for name in ("OLLAMA_HOST", SANDBOX_URL_VARIABLE)}
        os.environ.update(dict.fromkeys(before, started.url))
        yield started
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


@pytest.fixture
def server(sandbox: Sandbox) -> Iterator[Server]:
    """A Server on it, with nothing in memory before and after."""
    server = Server(sandbox.url)
    for resident in server.residents():
        server.unload(resident.name)
    yield server
    for resident in server.residents():
        server.unload(resident.name)


@pytest.fixture(scope="session")
def in_a_row_result(sandbox: Sandbox) -> InARowResult:
    """A small but real one: three calls each with 0, one second, and five minutes."""
    experiment = InARow(
        "smollm2:135m", keep_alives=(0, "1s", "5m"), gaps_s=(0.2, 4.0), server=Server(sandbox.url)
    )
    return experiment.run()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)
