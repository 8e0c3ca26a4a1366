"""One model in a row, measured on real servers."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

from lifecycle_widgets.experiments import InARow, InARowResult, Interval, load_result
from lifecycle_widgets.experiments.ground.held import RSS
from lifecycle_widgets.server import Server, UnknownModel

MODEL = "smollm2:135m"


@pytest.mark.slow
def test_what_each_keep_alive_costs(in_a_row_result: InARowResult, tmp_path: Path) -> None:
    result = in_a_row_result
    table = result.table
    assert result.is_complete
    assert table["calls"].tolist() == [3, 3, 3]
    assert table["loads"].to_dict() == {"0": 3, "2s": 2, "5m": 1}
    assert table["reloads"].to_dict() == {"0": 2, "2s": 1, "5m": 0}
    assert table["gb_s"].is_monotonic_increasing
    assert table["peak_gb"].between(0.15, 0.6).all()
    assert result.memory_source == RSS
    assert result.reload_s.median > 0.1
    assert result.reload_s.low > 0
    assert result.extra_waiting_s("0", than="5m").low > 0
    assert result.extra_waiting_s("5m", than="0").high < 0
    for arm, expected in (("0", math.nan), ("5m", 300.0)):
        left_s = result.calls(arm)["expires_in_s"]
        assert left_s.isna().all() if math.isnan(expected) else (left_s - expected).abs().max() < 3
    for pause in ("0", "2s", "5m"):
        late_s = result.calls(pause)["gap_s"].iloc[1:].to_numpy() - (0.2, 4.0)
        assert (late_s > -0.05).all(), "no pause is shorter than planned"
    again = load_result(result.save(tmp_path))
    assert again.verdict == result.verdict
    assert "the break-even T* is" in result.verdict
    assert "3 of 3 with 0, 2 of 3 with 2s, 1 of 3 with 5m" in result.verdict


@pytest.mark.slow
def test_a_price_is_asked_for_and_never_assumed(in_a_row_result: InARowResult) -> None:
    facts = {**in_a_row_result.facts, "price_s_per_gb_min": None}
    result = InARowResult(in_a_row_result.frame, facts)
    assert "T*" not in result.verdict
    assert "cheapest" not in result.verdict
    assert "depends on what memory is worth to you" in result.verdict
    for asked in (result.break_even, result.costs, result.best):
        with pytest.raises(ValueError, match="worth to you"):
            asked()
    assert result.break_even(1.0) == in_a_row_result.break_even()
    assert not result.figure.layout.shapes, "no line at a T* that nobody has asked for"


@pytest.mark.slow
def test_a_price_can_be_what_a_downstream_task_loses(in_a_row_result: InARowResult) -> None:
    lost_s = in_a_row_result.reload_s
    twice = in_a_row_result.break_even(slowdown=2.0)
    assert twice.median == pytest.approx(2 * lost_s.median), "half of each second is lost"
    assert in_a_row_result.break_even(slowdown=1.0).median == math.inf
    with pytest.raises(ValueError, match=r"slowdown is 0\.5; give 1"):
        in_a_row_result.break_even(slowdown=0.5)
    longer = in_a_row_result.break_even(1.0, reload_s=Interval(10.0, 10.0, 10.0, 5))
    per_s = in_a_row_result.break_even(1.0).median / lost_s.median
    assert longer.median == pytest.approx(10 * per_s)


@pytest.mark.slow
def test_nothing_is_compared_until_two_arms_have_the_same_calls(
    in_a_row_result: InARowResult,
) -> None:
    frame = in_a_row_result.frame
    first = frame[(frame["arm"] == "5m") | (frame["call"] == 1)]
    arms = in_a_row_result.facts["arms"]
    result = InARowResult(first, {**in_a_row_result.facts, "arms": arms, "stopped": True})
    assert result.whole_arms == ("5m",)
    with pytest.raises(ValueError, match="Nothing is compared: only 5m has had all of its calls"):
        result.best(1.0)
    assert result.verdict.startswith("Measured 5 of 9, then it was stopped.")
    assert "cheapest" not in result.verdict
    assert "Nothing is compared" in result.verdict


@pytest.mark.slow
def test_what_others_touched_is_left_out_and_counted(in_a_row_result: InARowResult) -> None:
    frame = in_a_row_result.frame.copy()
    touched = (frame["arm"] == "0") & (frame["call"] == 2)
    frame.loc[touched, ["others", "loaded", "ttft_s"]] = [True, False, 90.0]
    result = InARowResult(frame, in_a_row_result.facts)
    assert result.reload_s.median == pytest.approx(in_a_row_result.reload_s.median, rel=0.5)
    assert result.whole_arms == ("2s", "5m")
    assert set(result.costs(1.0).index) == {"2s", "5m"}
    assert result.table.loc["0", "others"] == 1
    assert "2 of 2 with 0" in result.verdict
    assert "1 of 9 measurements are left out: somebody else has used the model" in result.verdict


@pytest.mark.slow
def test_the_price_decides(in_a_row_result: InARowResult) -> None:
    result = in_a_row_result
    assert result.break_even(0).median == math.inf
    assert result.break_even(2).median == pytest.approx(result.break_even(1).median / 2)
    assert "5m" in result.best(0), "where memory is free, waiting least is cheapest"
    dear = result.best(1e6)
    assert dear[0] == "0", "where memory is all that counts, holding least is cheapest"
    assert "5m" not in dear
    costs = result.costs(1.0)
    assert costs["cost_s"].tolist() == pytest.approx(
        (costs["waiting_s"] + costs["memory_s"]).tolist()
    )
    assert (costs["low_s"] <= costs["cost_s"]).all()
    assert (costs["cost_s"] <= costs["high_s"]).all()
    for price in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match="0 or more"):
            result.break_even(price)
    with pytest.raises(KeyError, match="There are: 0, 2s, 5m"):
        result.calls("7m")


@pytest.mark.slow
def test_the_figure_marks_t_star_in_its_place(in_a_row_result: InARowResult) -> None:
    figure = in_a_row_result.figure
    assert isinstance(figure, go.Figure)
    t_star = in_a_row_result.break_even()
    band, line = figure.layout.shapes
    assert (band.x0, band.x1, line.x0) == (t_star.low, t_star.high, t_star.median)
    [words] = [a for a in figure.layout.annotations if "T*" in a.text]
    assert 10**words.x == pytest.approx(t_star.median)
    low, high = figure.layout.xaxis2.range
    assert 10**low < 0.2
    assert t_star.high < 10**high < 1e6


@pytest.mark.slow
def test_stopped_in_a_pause_it_keeps_what_there_is(server: Server) -> None:
    experiment = InARow(MODEL, keep_alives=(0,), gaps_s=(60,), server=server)
    stopping = []

    def stop(step: object) -> None:
        if getattr(step, "done", 0) == 1 and not stopping:
            stopping.append(step)
            experiment.stop()

    result = experiment.run(on_step=stop)
    assert len(result.frame) == 1
    assert not result.is_complete
    assert result.verdict.startswith("Measured 1 of 2, then it was stopped.")
    with pytest.raises(ValueError, match="No call found the model in memory"):
        result.break_even()
    with pytest.raises(ValueError, match="never stayed in memory"):
        _ = result.held_bytes
    assert isinstance(result.figure, go.Figure)


def test_settings_that_make_no_sense(server: Server) -> None:
    with pytest.raises(ValueError, match="gaps_s is empty"):
        InARow(MODEL, gaps_s=(), server=server)
    with pytest.raises(ValueError, match="gaps_s has -1"):
        InARow(MODEL, gaps_s=(-1,), server=server)
    with pytest.raises(ValueError, match="0 or more"):
        InARow(MODEL, price_s_per_gb_min=-1, server=server)
    with pytest.raises(ValueError, match="'5m' twice"):
        InARow(MODEL, keep_alives=("5m", 300), server=server)
    with pytest.raises(ValueError, match="keep_alives is empty"):
        InARow(MODEL, keep_alives=(), server=server)
    with pytest.raises(UnknownModel, match="Did you mean"):
        InARow("smollm2:135", server=server).plan()


def test_the_plan_says_how_long_and_how_much(server: Server) -> None:
    plan = InARow(MODEL, server=server).plan()
    assert plan.rows == 20
    assert 40 < plan.seconds < 120
    assert plan.models == (), "on the sandbox each keep_alive has an Ollama of its own"
    assert 3e8 < plan.memory_bytes < 4e9
    assert any("page cache" in note for note in plan.notes)


def test_stopped_before_the_first_call() -> None:
    """There is nothing to tell, and it says so: a slider that is linked to it shows that."""
    facts = {"model": MODEL, "stopped": True, "error": None, "planned": 20, "arms": []}
    result = InARowResult(pd.DataFrame([]), {**facts, "price_s_per_gb_min": 1.0})
    assert result.verdict == "Nothing was measured, then it was stopped."
    with pytest.raises(ValueError, match="No call had to load the model"):
        result.break_even()
