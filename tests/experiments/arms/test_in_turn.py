"""Many models in turn, measured on real servers; and the faults on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import plotly.graph_objects as go
import psutil
import pytest

from lifecycle_widgets.experiments import (
    ExperimentFailed,
    InTurn,
    NeedsConsent,
    Step,
    load_result,
)
from lifecycle_widgets.experiments.shortage.shortage import Shortage
from lifecycle_widgets.sandbox import MODELS, Sandbox
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server, UnknownModel
from tests.somebody import preloads, somebodys

SMALL, MIDDLE, LARGE = MODELS
WHY_NOT = Shortage.why_not()


def servers() -> set[int]:
    """The processes of Ollama under this one."""
    children = psutil.Process().children(recursive=True)
    return {p.pid for p in children if p.is_running() and p.name() == "ollama"}


@pytest.fixture
def nothing_left(server: Server) -> Iterator[Server]:
    """The server; afterwards nothing is in its memory, and no other Ollama runs."""
    before = servers()
    yield server
    assert server.residents() == ()
    assert servers() == before


@pytest.mark.slow  # lesson 2 claims the same
@pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1")
def test_who_is_in_memory_when(nothing_left: Server, tmp_path: Path) -> None:
    # two arms that keep: of a kind of call that was made once nobody knows how long it takes
    arms = (0, "5m", None)
    experiment = InTurn(keep_alives=arms, rounds=2, pause_s=0.5, server=nothing_left)
    plan = experiment.plan()
    assert plan.rows == 24
    result = experiment.run()
    assert result.is_complete
    table, limited = result.table, "5m, at most 2"
    assert table.loc["0", "loads"] == 6
    assert table.loc["server default", "loads"] == 3
    assert 3 < table.loc[limited, "loads"] <= 6
    assert table.loc["0", "peak_gb"] < table.loc["server default", "peak_gb"]
    assert result.default_s == 300
    assert "the server default (here: 5m)" in result.verdict
    assert result.extra_waiting_s("0", than="server default").low > 0
    assert table.loc["0", "waiting_s"] == pytest.approx(result.waiting_s("0").median, abs=0.001)
    most = result.frame["residents"].str.count(", ").groupby(result.frame["arm"]).max() + 1
    assert most.to_dict() == {"0": 1, "5m": 3, "server default": 3, limited: 2}
    stays = result.residencies
    assert (stays["end_s"].dropna() >= stays["start_s"][stays["end_s"].notna()]).all()
    assert "evicted" in set(stays[stays["arm"] == limited]["why"])

    timed = result.evictions[result.evictions["case"] == "two durations"]
    forever = result.evictions[result.evictions["case"] == "both forever"]
    assert (timed["left"] == timed["second"]).all(), "the shortest keep_alive goes, not the LRU"
    assert (forever["left"] != "none").all(), "forever is no protection"

    assert isinstance(result.figure, go.Figure)
    assert load_result(result.save(tmp_path)).verdict == result.verdict


@pytest.mark.slow
def test_an_ollama_that_is_killed_in_the_middle(nothing_left: Server) -> None:
    before = servers()
    experiment = InTurn([SMALL, MIDDLE], keep_alives=(0, "5m"), rounds=2, pause_s=0.5,
                        max_loaded=None, server=nothing_left)  # fmt: skip

    def kill(step: Step) -> None:
        if step.done == 3:
            for pid in servers() - before:
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(ExperimentFailed, match="something has killed it") as caught:
        experiment.run(on_step=kill)
    assert "3 of 8 measurements are kept" in str(caught.value)
    assert caught.value.result is not None
    assert len(caught.value.result.frame) == 3
    assert "then it failed" in caught.value.result.verdict
    assert isinstance(caught.value.result.figure, go.Figure)


@pytest.mark.slow
def test_stopped_it_ends_its_servers(nothing_left: Server) -> None:
    experiment = InTurn([SMALL, MIDDLE], pause_s=60, max_loaded=1, server=nothing_left)
    result = experiment.run(on_step=lambda step: experiment.stop() if step.done == 2 else None)
    assert len(result.frame) == 2
    assert result.verdict.startswith("Measured 2 of 30, then it was stopped. Nothing is compared")


@pytest.mark.slow
def test_on_a_persons_own_ollama_it_takes_turns_and_asks() -> None:
    with somebodys(models=[SMALL, MIDDLE]) as own:
        server = Server(own.url)
        experiment = InTurn(keep_alives=(0, "5m"), rounds=1, pause_s=0.1, server=server)
        plan = experiment.plan()
        assert set(plan.models) == {SMALL, MIDDLE}
        assert any("set where Ollama is started" in note for note in plan.notes)
        preloads(own.url, SMALL, "10m")
        with pytest.raises(NeedsConsent, match="in memory already"):
            experiment.run()
        assert server.resident(SMALL) is not None
        result = experiment.run(may_unload=True)
        assert result.table["loads"].to_dict() == {"0": 2, "5m": 2}
        assert result.evictions.empty
        assert server.residents() == ()


ALONE = """
import json, sys
from lifecycle_widgets.experiments import InTurn
sys.stdin.readline()
experiment = InTurn(["smollm2:135m", "smollm2:135m-f16"], keep_alives=(0, "5m"), rounds=1,
                    pause_s=0.1, max_loaded=None)
result = experiment.run()
notes = ' '.join(experiment.plan().notes)
told = [notes, result.facts["side_by_side"], result.table["loads"].to_dict()]
print(json.dumps(told))
"""


@pytest.mark.slow
@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
def test_with_too_little_memory_for_all_arms_at_once_they_take_turns(server: Server) -> None:
    env = {**os.environ, "OLLAMA_HOST": server.url, SANDBOX_URL_VARIABLE: server.url}
    with Shortage(1_100_000_000) as shortage:
        child = subprocess.Popen(
            [sys.executable, "-c", ALONE],
            env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        shortage.adopt(child.pid)
        note, side_by_side, loads = json.loads(child.communicate("\n", timeout=120)[0])
    assert re.search(r"takes about 1\.[1-7] GB of memory", note), note
    assert not side_by_side
    assert loads == {"0": 2, "5m": 2}


def test_a_plan_tells_both_forms(server: Server) -> None:
    side, frugal = (
        InTurn(server=server, frugal=False).plan(),
        InTurn(server=server, frugal=True).plan(),
    )
    assert frugal.memory_bytes is not None
    assert side.memory_bytes is not None
    assert frugal.memory_high_bytes is not None
    assert frugal.memory_bytes < side.memory_bytes / 4
    assert frugal.memory_high_bytes <= 1.5e9
    assert side.seconds < frugal.seconds <= 240
    assert "context of 512 tokens" in frugal.notes[0]
    assert re.search(r"Side by side it takes about 75 s and \d\.?\d* GB", frugal.notes[1])
    assert re.search(r"One after the other it takes about 3\.5 min and 1\.\d GB", side.notes[1])
    assert "'server default', '5m, at most 2'" in side.what


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1")
def test_frugal_it_claims_the_same(nothing_left: Server) -> None:
    result = InTurn(server=nothing_left, frugal=True).run()
    table, limited = result.table, "5m, at most 2"
    assert result.facts["context_length"] == 512
    assert not result.facts["side_by_side"]
    loads = table["loads"].to_dict()
    assert (loads["0"], loads["30s"], loads["5m"], loads["server default"]) == (9, 6, 3, 3)
    assert loads[limited] > 5
    assert table.loc["0", "peak_gb"] < table.loc[limited, "peak_gb"] < table.loc["5m", "peak_gb"]
    assert table.loc["0", "gb_s"] < table.loc["5m", "gb_s"]
    assert table["peak_gb"].max() < 1.5
    assert result.extra_waiting_s("0", than="5m").median > 0
    assert result.default_s == 300
    assert list(result.evictions["left"] != "none") == [True] * 4
    assert "with '5m, at most 2'" in result.verdict


@pytest.mark.slow
def test_in_turn_another_arm_goes_on_in_the_pause_of_one_that_holds_nothing(
    nothing_left: Server,
) -> None:
    experiment = InTurn([SMALL, MIDDLE], keep_alives=(0, "5m"), rounds=2, pause_s=6,
                        max_loaded=None, frugal=True, server=nothing_left)  # fmt: skip
    result = experiment.run()
    assert result.is_complete
    assert list(result.frame["arm"]) == ["0", "0", "5m", "5m", "5m", "5m", "0", "0"]
    assert result.table["loads"].to_dict() == {"0": 4, "5m": 2}
    assert result.table.loc["0", "late_s"] > 1, "it waited for the other's end"


def test_settings_that_make_no_sense(server: Server) -> None:
    with pytest.raises(ValueError, match="rounds is 0"):
        InTurn(rounds=0, server=server)
    with pytest.raises(ValueError, match="max_loaded 0"):
        InTurn(max_loaded=0, server=server)
    with pytest.raises(ValueError, match="pause_s has -1"):
        InTurn(pause_s=-1, server=server)
    for models in ("smollm2:135m", [SMALL], [SMALL, SMALL]):
        with pytest.raises(ValueError, match="two or more models in a list, each once"):
            InTurn(models, server=server)
    with pytest.raises(UnknownModel, match="Did you mean"):
        InTurn([SMALL, "smollm2:135"], server=server).plan()


def test_with_one_model_installed_it_says_what_to_do() -> None:
    with Sandbox(models=[SMALL]) as own, pytest.raises(LookupError, match="ollama pull"):
        InTurn(server=Server(own.url))


def test_a_limit_that_is_never_reached_is_left_out(server: Server) -> None:
    plan = InTurn([SMALL, MIDDLE], max_loaded=2, server=server).plan()
    assert any("never exceed a limit of 2" in note for note in plan.notes)
    assert plan.rows == 4 * 6
