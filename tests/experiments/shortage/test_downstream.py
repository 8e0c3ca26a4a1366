"""The downstream task, measured: slowed down at a real shortage, cured; and where there is none."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lifecycle_widgets.experiments import (
    Downstream,
    DownstreamResult,
    ExperimentFailed,
    Step,
    load_result,
)
from lifecycle_widgets.experiments.shortage.downstream_result import (
    CONDITIONS,
    NEVER,
    RESIDENT,
    STOP,
    ZERO,
)
from lifecycle_widgets.experiments.shortage.shortage import Shortage
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server, UnknownModel

WHY_NOT = Shortage.why_not()
possible = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
MODEL = "smollm2:135m"
QUICK = [sys.executable, "-c", "pass"]


def ours() -> list[int]:
    """Private Ollamas and tasks of this process."""
    children = psutil.Process().children(recursive=True)
    return [c.pid for c in children if c.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(autouse=True)
def nothing_is_left(server: Server) -> Iterator[None]:
    before = ours()
    yield
    deadline_s = time.monotonic() + 5.0  # what is asked of the system ends by itself in moments
    while not set(ours()) <= set(before) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert set(ours()) <= set(before)
    assert server.residents() == ()


@possible
@pytest.mark.slow
def test_at_a_real_shortage_the_resident_model_slows_it_down_and_both_cures_work(
    server: Server, tmp_path: Path
) -> None:
    experiment = Downstream("smollm2:135m-f32", rounds=2, shortage=True, server=server)
    plan = experiment.plan()
    assert "A shortage is made" in plan.notes[0]
    assert plan.models == (), "the person's server is not touched"
    result = experiment.run()
    assert result.is_short
    assert list(result.frame["condition"].value_counts()) == [2] * len(CONDITIONS)
    assert result.slowdown(RESIDENT).low > 2
    took_s = result.frame.groupby("condition")["steady_s"]  # cured, it takes but 40 ms
    for cure in (ZERO, STOP):
        assert took_s.max()[cure] < took_s.min()[RESIDENT] / 2, result.frame.to_dict("list")
    assert 0.5 < result.price_of_a_second() < 1
    by = result.frame.groupby("condition").median(numeric_only=True)
    assert by.loc[RESIDENT, "runner_bytes"] > 500e6
    assert by.loc[ZERO, "runner_bytes"] == by.loc[STOP, "runner_bytes"] == 0
    assert by.loc[RESIDENT, "steady_disk_bytes"] > 200e6 > by.loc[ZERO, "steady_disk_bytes"]
    assert by.loc[RESIDENT, "page_cache_bytes"] < by.loc[NEVER, "page_cache_bytes"]
    never_s = result.seconds(NEVER).median
    assert ("s longer" if never_s < 0.25 else "times as long") in result.verdict
    columns = {bar.xaxis for bar in result.figure.data if bar.type == "bar"}
    assert len(columns) == 4, "one for each that was measured"
    drawn, seconds = result.figure.data[0], result.seconds(RESIDENT)
    place = list(drawn.y).index(RESIDENT)
    assert drawn.x[place] + drawn.error_x.array[place] == pytest.approx(seconds.high)
    assert drawn.x[place] - drawn.error_x.arrayminus[place] == pytest.approx(seconds.low)
    table = result.table
    assert list(table.index) == list(CONDITIONS)
    assert table.loc[RESIDENT, "steady_s"] == result.seconds(RESIDENT).median
    assert table.loc[RESIDENT, "low_s"] > table.loc[ZERO, "high_s"]
    assert table.loc[RESIDENT, "disk_gb"] == pytest.approx(
        by.loc[RESIDENT, "steady_disk_bytes"] / 1e9
    )
    again = load_result(result.save(tmp_path))
    assert again.verdict == result.verdict
    quick = {**result.facts, "shortage": {**result.facts["shortage"], "disk_bytes_per_s": None}}
    assert "could not be slowed down" in DownstreamResult(result.frame, quick).verdict


def test_without_a_shortage_it_says_that_nothing_slows_down(server: Server) -> None:
    result = Downstream(MODEL, rounds=2, shortage=False, task=QUICK, server=server).run()
    assert not result.is_short
    assert result.facts["why_no_shortage"].startswith("No shortage is made")
    if result.extra_s(RESIDENT).low <= 0.05:  # a busy machine may differ; then it must say so
        assert "Nothing slows down here" in result.verdict
        assert "slowdown that matters. No shortage is made" in result.verdict
    else:
        assert "resident and idle the task takes" in result.verdict
    untold = result.frame.assign(runner_bytes=None)  # as on a server on another machine
    assert DownstreamResult(untold, result.facts).table["runner_gb"].isna().all()
    resident = result.frame[result.frame["condition"] == RESIDENT]
    assert (resident["runner_bytes"] > 100e6).all()


def test_a_persons_own_server_is_never_put_under_a_budget() -> None:
    with Sandbox() as own:
        server = Server(own.url)
        experiment = Downstream(MODEL, rounds=1, task=QUICK, server=server)
        assert "never for a person's own Ollama" in experiment.plan().notes[0]
        assert experiment.plan().models == (MODEL,)
        with pytest.raises(PermissionError, match="never for a person's own Ollama"):
            Downstream(MODEL, shortage=True, server=server).plan()
        result = experiment.run()
        assert len(result.frame) == 4
        assert "never for a person's own Ollama" in result.facts["why_no_shortage"]


@possible
def test_stop_in_the_middle_keeps_what_there_is(server: Server) -> None:
    experiment = Downstream(MODEL, rounds=1, shortage=True, task=["sleep", "1"], server=server)

    def stop(step: Step) -> None:
        if step.done == 1:
            threading.Timer(0.5, experiment.stop).start()

    result = experiment.run(on_step=stop)
    assert 1 <= len(result.frame) < 4
    assert result.facts["stopped"]
    assert result.verdict.startswith(f"Measured {len(result.frame)} of 4, then it was stopped.")


@possible
def test_a_server_that_is_killed_leaves_what_was_measured(server: Server) -> None:
    before = set(ours())

    def kill(step: Step) -> None:
        if step.done == 2:
            threading.Timer(0.6, shoot).start()

    def shoot() -> None:
        for pid in set(ours()) - before:
            if "ollama" in psutil.Process(pid).name():
                os.kill(pid, signal.SIGKILL)

    experiment = Downstream(MODEL, rounds=2, shortage=True, task=["sleep", "1"], server=server)
    with pytest.raises(
        ExperimentFailed, match=r"private Ollama has ended .* measurements are kept"
    ) as caught:
        experiment.run(on_step=kill)
    assert caught.value.result is not None
    assert len(caught.value.result.frame) >= 2
    assert "then it failed" in caught.value.result.verdict


def test_a_task_that_fails_is_one_clear_message(server: Server) -> None:
    experiment = Downstream(MODEL, shortage=False, task=["cat", "/no/such/file"], server=server)
    with pytest.raises(ExperimentFailed, match=r"'cat' ended with exit status 1.*No such file"):
        experiment.run()


def test_mistakes(server: Server) -> None:
    with pytest.raises(ValueError, match="a program and its arguments"):
        Downstream(MODEL, task="python train.py", server=server)
    with pytest.raises(ValueError, match="rounds is 0"):
        Downstream(MODEL, rounds=0, server=server)
    with pytest.raises(UnknownModel):
        Downstream("nope", server=server).run()
