"""Fixtures: every test talks to a real Ollama, the private one, and never to a person's own.

And how several workers share the tests (``-n auto``): each has a sandbox of its own, and what
measures times has right of way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lifecycle_widgets.experiments import InARow, InARowResult
from lifecycle_widgets.sandbox import Sandbox, prepare
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
MOST_WORKERS = 4  # each holds up to three models in memory
GIVE_WAY = 10  # niceness; who has 0 beside it gets nine tenths of a core
BEGUN = pytest.StashKey[bool]()


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


# --- several workers ----------------------------------------------------------------------------


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """``-n auto``: one more than there are cores, for half of the tests' time is waiting."""
    return min((os.cpu_count() or 1) + 1, MOST_WORKERS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Fast tests first, so that a mistake shows soon; the other way round for several workers.

    Those begin with what takes long, so that at the end none is waited for. What measures is one
    group, for one worker, and so are the tests of a file which has fixtures for the whole file.
    """
    if not IS_WORKER:
        items.sort(key=lambda item: _is(item, "slow"))
        return
    for item in items:
        if group := _group(item):
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: (not _measures(item), not _is(item, "slow")))


def _is(item: pytest.Item, mark: str) -> bool:
    return item.get_closest_marker(mark) is not None


def _measures(item: pytest.Item) -> bool:
    """Also what is said about a measurement that several tests share."""
    return _is(item, "measures") or "in_a_row_result" in getattr(item, "fixturenames", ())


def _group(item: pytest.Function) -> str | None:
    """Of the tests that one worker is to run, one after the other."""
    if _measures(item):
        return "measures"
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    shared = any(one.scope == "module" for several in fixtures for one in several)
    return item.path.stem if shared else None


@pytest.fixture(scope="session", autouse=IS_WORKER)
def _prepared() -> None:
    """Nobody's time is measured while another worker prepares the models for the first time."""
    prepare()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A worker whose first test does not measure gives way, with all that it will start."""
    if IS_WORKER and BEGUN not in item.config.stash:
        item.config.stash[BEGUN] = True
        if not _measures(item):
            os.nice(GIVE_WAY)
