"""Plain, held and kept: what is computed from rows, and small real ones on scripted models."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from lifecycle_widgets.experiments import (
    ANSWERS,
    InALoop,
    InALoopResult,
    NeedsConsent,
    load_result,
)
from lifecycle_widgets.experiments.ground.close_look import CloseLook
from lifecycle_widgets.experiments.ground.held import RSS
from lifecycle_widgets.experiments.loop.loops import AGENT, PIPELINE, Loop, loops_of, ours
from lifecycle_widgets.sandbox import MODELS, Sandbox
from lifecycle_widgets.server import Server
from tests.somebody import preloads

WAYS = PLAIN, HELD, KEPT = ("0", "0 held", "5m")
SMALL = MODELS[0]
GB = 1e9


# --- computed -------------------------------------------------------------------------------------


def a_run(way: str, number: int, *, others: bool = False) -> dict[str, Any]:
    """A row: plain takes 4 s and three loads, the others 2 s and one."""
    plain = way == PLAIN
    total_s = (4.0 if plain else 2.0) + 0.1 * number
    return {
        "structure": AGENT, "way": way, "round": number, "requests": 3, "loads": 3 if plain else 1,
        "reloads": 2 if plain else 0, "total_s": total_s, "load_s": 1.5 if plain else 0.5,
        "waiting_s": 3.0 if plain else 1.0, "others": others,
        "gone_s": math.nan if way == KEPT else total_s + 0.5,
    }  # fmt: skip


def held(row: dict[str, Any]) -> dict[str, Any]:
    """What was in memory: 1 GB from the beginning until it had left, or until the last look."""
    points = [[0.0, GB], [row["total_s"], GB]]
    if row["way"] != KEPT:
        points += [[row["total_s"] + 0.001, 0.0], [row["gone_s"], 0.0]]
    which = {name: row[name] for name in ("structure", "way", "round")}
    return {**which, "held": {"a": points}, "source": RSS}


def result_of(rows: list[dict[str, Any]], rounds: int = 3, **facts: Any) -> InALoopResult:
    about = {
        "structures": [AGENT], "models": {AGENT: ["a"]}, "ways": list(WAYS), "kept": "5m",
        "rounds": rounds, "planned": 3 * rounds, "stopped": False, "error": None,
        "memory": [held(row) for row in rows], "scripted": [],
    }  # fmt: skip
    return InALoopResult(pd.DataFrame(rows), {**about, **facts})


def three_rounds() -> list[dict[str, Any]]:
    return [a_run(way, number) for number in (1, 2, 3) for way in WAYS]


def test_what_is_compared() -> None:
    result = result_of(three_rounds())
    table = result.table.loc[AGENT]
    assert table["reloads"].to_dict() == {PLAIN: 2, HELD: 0, KEPT: 0}
    assert table["total_s"].to_dict() == pytest.approx({PLAIN: 4.2, HELD: 2.2, KEPT: 2.2})
    saved = result.saved_s(AGENT)
    assert saved.low > 0
    assert saved.median == pytest.approx(2.0)
    assert result.waiting_s(AGENT, PLAIN).median == 3.0
    verdict = result.verdict
    assert "with keep_alive 0 a run reloads 2 times plain and 0 times held; with 5m, 0" in verdict
    assert "It takes 2.2 (2.1 to 2.3, n=3) s held, 2 (" in verdict
    assert "after which 1 GB stay on" in verdict


def test_memory_counts_in_the_same_time_for_all_three() -> None:
    """Until the slowest had left; what is kept after that is told beside it, and is not in it."""
    result = result_of([a_run(way, number) for number in (1, 2) for way in WAYS], rounds=2)
    gb_s = {way: result.gb_s(AGENT, way).median for way in WAYS}
    assert gb_s[HELD] == pytest.approx(2.15, abs=0.01)
    assert gb_s[PLAIN] == pytest.approx(4.15, abs=0.01)
    assert gb_s[KEPT] == pytest.approx(4.65, abs=0.01), "as long as plain, and half a second"
    assert result.table.loc[AGENT, "left_gb"].to_dict() == {PLAIN: 0, HELD: 0, KEPT: 1}


def test_only_whole_rounds_that_nobody_has_touched_count() -> None:
    rows = [*three_rounds(), a_run(PLAIN, 4), a_run(HELD, 4)]
    rows += [a_run(way, 5, others=way == KEPT) for way in WAYS]
    result = result_of(rows, rounds=5)
    assert result.table["runs"].to_list() == [3, 3, 3]
    assert "1 of 14 measurements are left out" in result.verdict


def test_too_little_for_a_verdict() -> None:
    one = result_of([a_run(way, 1) for way in WAYS], stopped=True)
    assert one.verdict == (
        "Measured 3 of 9, then it was stopped. Too little measured for a verdict: one of three "
        "rounds."
    )
    part = result_of([a_run(PLAIN, 1)], stopped=True)
    assert "no of three rounds" in part.verdict
    with pytest.raises(ValueError, match="No round is whole yet"):
        _ = part.figure
    with pytest.raises(ValueError, match="no value was measured"):
        part.total_s(AGENT, PLAIN)


def test_alike_is_not_called_less() -> None:
    rows = [{**row, "total_s": 2.0 + 0.1 * row["round"]} for row in three_rounds()]
    assert "s plain: not distinguishable here." in result_of(rows).verdict


def test_a_server_that_does_not_tell_how_much_is_held() -> None:
    rows = three_rounds()
    result = result_of(rows, memory=[{**held(row), "held": {}} for row in rows])
    assert result.table[["gb_s", "left_gb"]].isna().all(axis=None)
    assert "GB x s" not in result.verdict
    assert "reloads 2 times plain" in result.verdict
    assert isinstance(result.figure, go.Figure)


def test_words_that_were_set_are_said_to_be() -> None:
    result = result_of(three_rounds(), scripted=["scripted"])
    assert result.verdict.endswith("What scripted said was set.")


def test_the_figure_has_each_way_with_its_runs(tmp_path: Path) -> None:
    result = result_of(three_rounds())
    figure = result.figure
    lines = [trace for trace in figure.data if trace.type == "scatter"]
    areas = [trace for trace in lines if trace.fill == "toself"]
    assert [max(trace.x) for trace in areas] == pytest.approx([4.7, 4.7, 4.7])
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [list(bar.x) for bar in bars[:2]] == [[2, 0, 0], pytest.approx([4.2, 2.2, 2.2])]
    assert all(bar.error_x.array is not None for bar in bars[1:])
    points = [t for t in lines if t.mode == "markers" and list(t.x) != [None]]  # no keys
    assert [len(trace.x) for trace in points] == [3, 1, 9, 9, 9], "answers, what stays, runs"
    again = load_result(result.save(tmp_path))
    assert again.verdict == result.verdict
    assert again.figure == figure


@pytest.mark.parametrize("structures", [{}, {"a": "b"}, {"a": ("b", "c")}, "agent", 7])
def test_what_are_no_structures(structures: Any) -> None:
    with pytest.raises(TypeError, match="a function that makes a griptape structure"):
        loops_of(structures, "")


def test_a_persons_own_structures() -> None:
    def mine() -> None: ...

    assert loops_of(mine, "Hi.") == (Loop("mine", mine, "Hi."),)
    assert loops_of({"a": mine, "b": (mine, "Ho.")}, "Hi.") == (
        Loop("a", mine, "Hi."), Loop("b", mine, "Ho."),
    )  # fmt: skip


@pytest.mark.parametrize(("short", "long"), [("5m", "5m"), (None, "5m"), ("forever", "5m"), (0, 0)])
def test_keep_alives_that_are_no_short_and_long_one(short: Any, long: Any) -> None:
    with pytest.raises(ValueError, match="give a short one, such as 0, and a longer one"):
        InALoop(keep_alive=short, kept=long, server=Server("192.0.2.1"))
    with pytest.raises(ValueError, match="rounds is 0"):
        InALoop(rounds=0, server=Server("192.0.2.1"))


def test_which_models_ours_ask() -> None:
    agent, pipeline = ours("a", "b", None)
    assert agent.models == ("a",)
    assert pipeline.models == ("a", "b")
    assert [loop.name for loop in ours("a", None, None)] == [AGENT], "it takes two"


# --- for real -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(answers=ANSWERS, models=MODELS[:2]) as started:
        yield started


@pytest.mark.slow
def test_a_round(box: Sandbox) -> None:
    result = InALoop(rounds=1, server=box).run()
    assert result.structures == (AGENT, PIPELINE)
    assert result.facts["server_kind"] == "private sandbox"
    assert result.facts["scripted"] == ["scripted:latest", "scripted-writer:latest"]
    table = result.table
    assert table["requests"].to_list() == [3, 3, 3, 4, 4, 4]
    assert table["reloads"].to_list() == [2, 0, 0, 2, 0, 0]
    assert table["loads"].to_list() == [3, 1, 1, 4, 2, 2]
    left = table["left_gb"].unstack()
    assert (left[[PLAIN, HELD]] == 0).all(axis=None)
    assert (left[KEPT] > 0.2).all()
    gone = result.frame.set_index(["structure", "way"])["gone_s"].unstack()
    assert gone[[PLAIN, HELD]].notna().all(axis=None)
    assert gone[KEPT].isna().all()
    assert Server.of(box).residents() == ()

    # held, the first model leaves when the second works; kept, it stays beside it
    for way, beside in ((HELD, False), (KEPT, True)):
        one = result.typical(PIPELINE)[way]
        first, second = one["held"].values()
        last_s = one["total_s"]
        assert _then(second, last_s) > 0.2 * GB
        assert (_then(first, last_s) > 0) == beside


def _then(points: list[tuple[float, float]], t_s: float) -> float:
    return next(size for t, size in reversed(points) if t <= t_s)


@pytest.mark.slow
def test_stopped_it_leaves_nothing(box: Sandbox) -> None:
    experiment, soon = InALoop(rounds=2, server=box), Timer(0.4, lambda: experiment.stop())
    result = experiment.run(on_step=lambda step: soon.start() if step.done == 1 else None)
    assert len(result.frame) == 1
    assert result.verdict.startswith("Measured 1 of 12, then it was stopped. Too little")
    assert Server.of(box).residents() == ()


@pytest.mark.slow
def test_what_somebody_has_in_memory_is_left_alone(box: Sandbox) -> None:
    server = Server(box.url)  # by its address alone it is somebody's own
    experiment = InALoop(server=server)
    preloads(server.url, "scripted", "1h")
    before = server.residents()
    with pytest.raises(NeedsConsent, match="scripted"):
        experiment.run()
    assert [r.name for r in server.residents()] == [r.name for r in before]
    server.unload("scripted")


def test_without_a_model_that_can_use_tools(server: Server) -> None:
    with pytest.raises(LookupError, match=r"no model that can use tools\. To install one"):
        InALoop(server=server)


def test_a_close_look_sees_a_load_and_an_unload(server: Server) -> None:
    with CloseLook(server, [SMALL]) as look:
        server.preload(SMALL, "1m")
        server.unload(SMALL)
    [points] = look.memory().values()
    assert max(size for _, size in points) > 0.1 * GB
    assert look.source == RSS
