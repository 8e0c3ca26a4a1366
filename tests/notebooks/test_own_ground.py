"""The lessons on a person's own Ollama: they run to the end, and touch nobody's model."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle_widgets.experiments import ANSWERS
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server
from tests.notebooks.test_notebooks import NOTEBOOKS, run
from tests.recorded import RecordedServer, ollama

SMALL, MIDDLE = "smollm2:135m", "smollm2:135m-f16"
pytestmark = pytest.mark.slow


LONG = os.environ.get("LIFECYCLE_LONG") == "1"
SHORT = [NOTEBOOKS[0], NOTEBOOKS[5]]  # the fifth goes on with scripted models


@pytest.fixture(params=NOTEBOOKS if LONG else SHORT, ids=lambda n: n.name)
def notebook(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """Somebody's own server, as far as can be known, whose model was preloaded for an hour."""
    with Sandbox(models=[SMALL, MIDDLE]) as sandbox:
        yield Server(sandbox.url)


def on(server: str, notebook: Path) -> None:
    run(notebook, OLLAMA_HOST=server, **{SANDBOX_URL_VARIABLE: ""})


def test_when_every_model_is_in_memory_none_is_touched(notebook: Path, own: Server) -> None:
    own.preload(SMALL, "1h")
    own.preload(MIDDLE, "1h")
    time.sleep(0.5)  # the deadline is set once more, a moment after the answer
    before = set(own.residents())
    on(own.url, notebook)
    assert set(own.residents()) == before, "their deadlines are as they were, too"


@pytest.mark.skipif(not LONG, reason="needs LIFECYCLE_LONG=1")
def test_lesson_5_takes_a_model_that_can_use_tools() -> None:
    """And no scripted one of its own (those, when every model is in memory: above)."""
    with Sandbox(models=[SMALL, MIDDLE], answers=ANSWERS) as sandbox:  # somebody's, by its address
        own = Server(sandbox.url)
        on(own.url, NOTEBOOKS[5])
        assert sandbox.log_tail(100_000).count('"/api/chat"') > 3 * (3 + 3 + 4 + 4 + 3 + 3)
        assert own.residents() == (), "what it has loaded has left with it"


@pytest.mark.skipif(not LONG, reason="needs LIFECYCLE_LONG=1")
def test_the_start_beside_somebodys_model(own: Server) -> None:
    """It takes the other one, though that is larger; its cells can be run again and again."""
    for resident in own.residents():
        own.unload(resident.name)
    own.preload(SMALL, "1h")
    time.sleep(0.5)  # the deadline is set once more, a moment after the answer
    before = own.residents()
    on(own.url, NOTEBOOKS[0])
    assert own.residents() == before


@pytest.mark.parametrize("number", [0, 4])
def test_a_server_that_does_not_tell_what_is_in_memory(number: int) -> None:
    with RecordedServer(ollama(ps=None)) as recorded:
        on(recorded.url, NOTEBOOKS[number])
        assert not recorded.asked("/api/chat"), "who knows whose model that would be"
        assert not recorded.asked("/api/generate")
