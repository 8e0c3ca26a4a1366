"""Runs as tables."""

from __future__ import annotations

import pandas as pd
import pytest

from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.experiments import compare_runs, run_frame
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import Server

MODEL = "smollm2:135m"
SHORT = {"num_predict": 8, "temperature": 0, "seed": 0}


@pytest.fixture
def runs(server: Server) -> tuple[Run, Run]:
    cold, warm = (
        run_agent("Hi", model=MODEL, keep_alive="1m", server=server, options=SHORT)
        for _ in range(2)
    )
    return cold, warm


def test_one_row_per_run_with_units_in_the_names(runs: tuple[Run, Run]) -> None:
    frame = run_frame(runs)
    assert frame["was_resident"].tolist() == [False, True]
    assert frame["ttft_s"].tolist() == [run.timings.ttft_s for run in runs]
    assert frame["output_tokens"].tolist() == [8, 8]
    assert list(frame["started_at"]) == [run.started_at for run in runs]
    assert all(n.endswith("_s") for n in frame.select_dtypes("float64") if n != "tokens_per_s")


def test_no_runs_make_an_empty_frame_of_the_same_kind(runs: tuple[Run, Run]) -> None:
    empty, full = run_frame([]), run_frame(runs)
    assert list(empty.columns) == list(full.columns)
    assert pd.concat([empty, full])["ttft_s"].dtype == "float64"


def test_two_side_by_side(runs: tuple[Run, Run]) -> None:
    cold, warm = runs
    table = compare_runs(cold, warm)
    assert table.loc["load_s", "difference"] == pytest.approx(
        warm.timings.load_s - cold.timings.load_s  # type: ignore[operator]
    )
    assert table.loc["load_s", "difference"] < 0
    assert table.loc["model", "difference"] is None
    assert table.loc["was_resident", ["first", "second"]].tolist() == [False, True]


def test_the_parts_add_up_and_loads_are_counted(runs: tuple[Run, Run]) -> None:
    frame = run_frame(runs)
    parts = ["load_s", "prompt_eval_s", "eval_s", "tools_s", "not_told_s", "rest_s"]
    assert frame[parts].sum(axis=1).tolist() == pytest.approx(frame["total_s"].tolist())
    assert frame[["requests", "loads"]].values.tolist() == [[1, 1], [1, 0]]
    assert frame["prompt_tokens"].notna().all()
    assert frame["cached_tokens"].isna().all(), "0.32 does not tell"


def test_two_runs_that_differ_in_an_option_can_be_told_apart(
    runs: tuple[Run, Run], server: Server
) -> None:
    options = SHORT | {"num_ctx": 1024}
    talk = [("Hi", "Hello.")]
    other = run_agent("Hi", model=MODEL, server=server, options=options, history=talk)
    frame = run_frame([runs[1], other])
    assert frame["options"].tolist() == [
        "num_predict 8, temperature 0, seed 0",
        "num_predict 8, temperature 0, seed 0, num_ctx 1024",
    ]
    assert frame["context_length"].tolist() == [runs[1].context_length, 1024]
    assert frame["history_turns"].tolist() == [0, 1]
    assert frame["note"][0] == "The answer was cut off at num_predict (8 tokens)."
    table = compare_runs(runs[1], other)
    assert table.loc["options", "second"] == frame["options"][1]
    assert table.loc["loads"].tolist() == [0, 1, 1]
