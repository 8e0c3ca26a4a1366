"""Loads, measured on the real server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import plotly.graph_objects as go
import pytest

from lifecycle_widgets.experiments import ColdAndWarm, load_result
from lifecycle_widgets.experiments.ground.pagecache import cached_fraction, forget
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.recorded import SHOW, RecordedServer, chat, chunk, final, model, ollama, tags
from tests.trouble.trouble_tools import own_model

MODEL = "smollm2:135m"


def test_a_load_costs_time_and_a_resident_model_does_not(server: Server, tmp_path: Path) -> None:
    experiment = ColdAndWarm(MODEL, rounds=3, server=server)
    plan = experiment.plan()
    assert MODEL in plan.what
    assert plan.models == (MODEL,)
    assert 5 < plan.seconds < 60
    result = experiment.run()
    assert len(result.frame) == plan.rows
    counts = result.frame["state"].value_counts()
    assert set(counts) == {3}
    assert result.load_s("warm").median < 0.1 < result.load_s("cold (page cache)").median
    assert result.ttft_s("warm").median < result.ttft_s("cold (page cache)").median
    assert "A reload costs" in result.verdict
    figure = result.figure
    assert isinstance(figure, go.Figure)
    assert {bar.name for bar in figure.data} >= {"load", "each request"}
    assert load_result(result.save(tmp_path)).verdict == result.verdict


def test_from_disk_means_that_the_kernel_let_go_of_the_file(tmp_path: Path) -> None:
    with Sandbox(models=[MODEL]) as own:
        server = Server(own.url)
        weights = own_model(server, tmp_path, "mine")  # which no other Ollama has in memory
        if not forget(weights):
            pytest.skip("this filesystem lives in memory")
        fraction = cached_fraction(weights)
        assert fraction is not None
        assert fraction < 0.05
        result = ColdAndWarm("mine", rounds=1, server=server).run()
    assert result.frame.set_index("state")["dropped"].to_dict() == {
        "cold (from disk)": True, "cold (page cache)": False, "warm": False,
    }  # fmt: skip


@pytest.fixture
def another_file() -> Iterator[Path]:
    """On a real disk: the page cache forgets nothing of a filesystem in memory."""
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        path = Path(folder) / ("sha256-" + "b" * 64)
        path.write_bytes(os.urandom(4_000_000))
        yield path


def served(path: Path, size_bytes: int) -> RecordedServer:
    """A server that tells this path, and reads a file of its own: in a container, say."""
    routes = ollama(
        tags=tags(model("tiny:1b", size=size_bytes)),
        show={**SHOW, "modelfile": f"FROM {path}"},
        ps={"models": []},
        chat=chat(chunk("Hello."), final()),
        generate={"done": True},
    )
    return RecordedServer(routes)


def test_a_file_that_the_server_did_not_read_is_no_measurement(another_file: Path) -> None:
    if not forget(another_file):
        pytest.skip("this filesystem lives in memory")
    with served(another_file, another_file.stat().st_size) as recorded:
        result = ColdAndWarm(rounds=1, server=recorded.url).run()
    assert not result.frame["dropped"].any()
    with pytest.raises(ValueError, match="no value was measured"):
        result.load_s("cold (from disk)")


def test_a_file_of_another_size_is_another_file(another_file: Path) -> None:
    with served(another_file, 800_000_000) as recorded:
        plan = ColdAndWarm(rounds=1, server=recorded.url).plan()
    assert plan.rows == 2
    assert "cold (from disk) is left out" in plan.notes[0]


def test_no_rounds_is_a_mistake(server: Server) -> None:
    with pytest.raises(ValueError, match="rounds is 0; give 1 or more"):
        ColdAndWarm(MODEL, rounds=0, server=server)


def test_too_little_for_a_verdict(server: Server) -> None:
    experiment = ColdAndWarm(MODEL, rounds=1, server=server)
    result = experiment.run(on_step=lambda s: experiment.stop() if s.done == 1 else None)
    assert result.verdict.startswith("Measured 1 of 3, then it was stopped.")
    assert "reload costs" not in result.verdict
    with pytest.raises(ValueError, match="no value was measured"):
        result.load_s("cold (from disk)") if result.frame["state"][0] != "cold (from disk)" else (
            result.load_s("warm")
        )
