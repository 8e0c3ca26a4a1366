"""lifecycle-lab replay: the figures of every policy, for people and for programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lifecycle_widgets.advisor.policies.catalogue import POLICIES
from lifecycle_widgets.advisor.replay.hindsight import BEST
from lifecycle_widgets.advisor.replay.online import replay_policies
from lifecycle_widgets.advisor.workload.drawn import drawn_workload
from lifecycle_widgets.advisor.workload.reading import read_workload
from lifecycle_widgets.cli import main


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two streams, 40 gaps each."""
    path = tmp_path_factory.mktemp("replay") / "trace.csv"
    drawn = drawn_workload("mixture", gaps=40, streams=2)
    with path.open("w") as file:
        print("stream,start_s,service_s", file=file)
        for one in drawn.streams:
            took_s = one.busy_until_s - one.busy_from_s
            for begin_s, service_s in zip(one.busy_from_s, took_s, strict=True):
                print(one.name, round(begin_s, 3), round(service_s, 3), sep=",", file=file)
    return path


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["replay", *words]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one sentence of a fault; nothing else is written."""
    assert main(["replay", *words]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("lifecycle-lab: ")
    assert said.err.count("\n") == 1
    return said.err


def test_as_json(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--t-star", "30", "120.5", "--json", "--reload-s", "2.5")
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(told(capsys, str(trace), *words))
    assert [*found] == ["30", "120.5"]
    wanted = replay_policies(read_workload(trace), 120.5)
    for costs in found.values():
        assert [*costs] == [*POLICIES, BEST]
        for one in costs.values():
            assert one.keys() == {"cost_over_clairvoyant", "waiting_s", "reloads"}
            assert one["cost_over_clairvoyant"] >= 1
            assert one["waiting_s"] == pytest.approx(one["reloads"] * 2.5)
    for name, policy in wanted.items():
        assert found["120.5"][name]["cost_over_clairvoyant"] == policy.over_clairvoyant
        assert found["120.5"][name]["reloads"] == policy.reloads
    assert found["30"]["0"]["reloads"] == 80
    assert found["30"]["forever"]["reloads"] == 0


def test_for_people_and_what_a_reload_is_taken_for(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(capsys, "--t-star", "30", str(trace))  # the file may come last
    assert f"{trace}: 80 gaps, 2 streams" in said
    assert all(f"\n{name} " in said for name in (*POLICIES, BEST))
    assert "A reload is taken for 5 s of waiting" in said
    assert "taken for" not in told(capsys, str(trace), "--t-star", "30", "--reload-s", "2")
    main(["replay", str(trace), "--t-star", "30", "--json"])
    assert "A reload is taken for 5 s" in capsys.readouterr().err


def test_one_stream(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "40 gaps, 1 stream" in told(capsys, str(trace), "--t-star", "30", "--model", "2")
    assert "has no stream 3" in refused(capsys, str(trace), "--t-star", "30", "--model", "3")


@pytest.mark.parametrize("t_star", ["0", "-5", "-1e5", "inf", "-inf", "nan", "1e400", "two", ""])
def test_a_t_star_that_is_none(
    t_star: str, trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "T* is " in refused(capsys, str(trace), "--t-star", "30", t_star, "--json")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("t_star", ["1e-320", "1e308"])
def test_a_t_star_that_is_a_number_and_no_more(
    t_star: str, trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    json.loads(told(capsys, str(trace), "--t-star", t_star, "--json"), parse_constant=pytest.fail)


def test_faults_are_one_sentence(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--t-star and one T* or more" in refused(capsys, str(trace))
    assert "--reload-s is 0" in refused(capsys, str(trace), "--t-star", "9", "--reload-s", "0")
    assert "There is no file" in refused(capsys, str(tmp_path / "none.csv"), "--t-star", "9")
    bad = tmp_path / "bad.csv"
    bad.write_text("stream,start_s\na,5\na,4\n")
    assert "row 2 (line 3)" in refused(capsys, str(bad), "--t-star", "9", "--json")
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", str(tmp_path / "none.sqlite"))
    assert "has no requests yet" in refused(capsys, "--t-star", "9")
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", "off")
    assert "No history is kept" in refused(capsys, "--t-star", "9")


def test_a_reader_who_goes_away_is_no_fault(trace: Path) -> None:
    code = "import sys; from lifecycle_widgets.cli import main; sys.exit(main())"
    words = [sys.executable, "-c", code, "replay", str(trace), "--t-star", "30"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.close()
        assert command.stderr.read() == b""
        assert command.wait(60) == 0
