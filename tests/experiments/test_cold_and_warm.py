"""Loads, measured on the real server."""

from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go
import pytest

from lifecycle_widgets.experiments import ColdAndWarm, load_result
from lifecycle_widgets.experiments.pagecache import cached_fraction, forget
from lifecycle_widgets.server import Server

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
    assert result.load_s("warm").high < 0.1 < result.load_s("cold (page cache)").low
    assert result.ttft_s("warm").median < result.ttft_s("cold (page cache)").median
    assert "A load costs" in result.verdict
    figure = result.figure
    assert isinstance(figure, go.Figure)
    assert len(figure.data) == 3
    assert load_result(result.save(tmp_path)).verdict == result.verdict


def test_from_disk_means_that_the_kernel_let_go_of_the_file(server: Server) -> None:
    weights = server.weights_path(MODEL)
    assert weights is not None
    assert weights.is_file()
    if not forget(weights):
        pytest.skip("this filesystem lives in memory")
    fraction = cached_fraction(weights)
    assert fraction is not None
    assert fraction < 0.05
    result = ColdAndWarm(MODEL, rounds=1, server=server).run()
    assert result.frame.set_index("state")["dropped"].to_dict() == {
        "cold (from disk)": True, "cold (page cache)": False, "warm": False,
    }  # fmt: skip


def test_no_rounds_is_a_mistake(server: Server) -> None:
    with pytest.raises(ValueError, match="rounds is 0; give 1 or more"):
        ColdAndWarm(MODEL, rounds=0, server=server)


def test_too_little_for_a_verdict(server: Server) -> None:
    experiment = ColdAndWarm(MODEL, rounds=1, server=server)
    result = experiment.run(on_step=lambda s: experiment.stop() if s.done == 1 else None)
    assert result.verdict == "Measured 1 of 3, then it was stopped."
    with pytest.raises(ValueError, match="no value was measured"):
        result.load_s("cold (from disk)") if result.frame["state"][0] != "cold (from disk)" else (
            result.load_s("warm")
        )
