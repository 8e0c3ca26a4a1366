"""Fixtures: every test talks to a real Ollama, the private one, and never to a person's own.

And how several workers share the tests (``-n auto``): each has a sandbox of its own, and what
measures times has right of way.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from lifecycle_widgets.experiments import InARow, InARowResult
from lifecycle_widgets.sandbox import Sandbox, prepare
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server

HISTORY = Path(tempfile.mkdtemp(prefix="lifecycle-history-")) / "history.sqlite"
"""Nothing is written into a person's own history: not by this process, nor by what it starts."""
os.environ["LIFECYCLE_WIDGETS_HISTORY"] = str(HISTORY)
os.environ["LIFECYCLE_WIDGETS_NEIGHBOURS"] = str(HISTORY.parent / "board")  # other workers' not
atexit.register(shutil.rmtree, HISTORY.parent, ignore_errors=True)

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
MOST_WORKERS = 4  # each holds up to three models in memory
GIVE_WAY = 10  # niceness; who has 0 beside it gets nine tenths of a core
BEGUN = pytest.StashKey[bool]()
MEASURES = (  # and claim something about times, which what runs beside them could disturb
    "tests/experiments/load/test_cold_and_warm.py",
    "tests/experiments/shortage/test_downstream.py",
    "tests/experiments/loop/test_in_a_loop.py",
    "tests/experiments/arms/test_in_a_row.py",
    "tests/experiments/arms/test_in_turn.py",
    "tests/experiments/shortage/test_shortage.py",
    "tests/experiments/shortage/test_task.py",
    "tests/facts/test_facts.py",
    "tests/monitor/test_monitor.py::test_what_it_costs",
    "tests/notebooks/test_notebooks.py::test_it_runs[1]",
    "tests/notebooks/test_notebooks.py::test_it_runs[2]",
    "tests/notebooks/test_notebooks.py::test_it_runs[3]",
    "tests/test_scheduler_live.py",
    "tests/widgets/test_break_even_slider.py",
)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The private Ollama of the whole test run, with the three models."""
    with Sandbox() as started, pytest.MonkeyPatch.context() as environment:
        found_first(started, environment)
        yield started


def found_first(sandbox: Sandbox, environment: pytest.MonkeyPatch) -> None:
    """Let ``Server.find()`` find this one, here and in all that is started from here."""
    for name in ("OLLAMA_HOST", SANDBOX_URL_VARIABLE):
        environment.setenv(name, sandbox.url)


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
    """A small but real one: three calls each with 0, two seconds, and five minutes, at a price."""
    experiment = InARow(
        "smollm2:135m",
        keep_alives=(0, "2s", "5m"),
        gaps_s=(0.2, 4.0),
        price_s_per_gb_min=1.0,
        server=Server(sandbox.url),
    )
    return experiment.run()


# --- several workers ----------------------------------------------------------------------------


class Sharing(LoadFileScheduling):
    """The tests of a file are for one worker, and so are all those that measure times."""

    def _split_scope(self, nodeid: str) -> str:
        return "what measures" if nodeid.startswith(MEASURES) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing:
    config.option.loadscopereorder = False  # in our order, below
    return Sharing(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """``-n auto``: two more than there are cores, for half of the tests' time is waiting."""
    return min((os.cpu_count() or 1) + 2, MOST_WORKERS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first, so that a mistake shows soon; the other way round for several workers.

    Those begin with what takes long, so that at the end none is waited for.
    """
    if not IS_WORKER:
        items.sort(key=_is_slow)
        return
    slow = Counter(item.path for item in items if _is_slow(item))
    items.sort(key=lambda item: (not item.nodeid.startswith(MEASURES), -slow[item.path]))


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


@pytest.fixture(scope="session", autouse=IS_WORKER)
def _prepared() -> None:
    """Nobody's time is measured while another worker prepares the models for the first time."""
    prepare()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A worker whose first test does not measure gives way, with all that it will start."""
    if IS_WORKER and BEGUN not in item.config.stash:
        item.config.stash[BEGUN] = True
        if not item.nodeid.startswith(MEASURES):
            os.nice(GIVE_WAY)
