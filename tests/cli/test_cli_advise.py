"""lifecycle-lab advise: what a person is told, and what programs are; never from nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lifecycle_widgets.cli import main
from lifecycle_widgets.history import History
from tests.history.history_tools import A, Watching, request


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """One stream that is asked each hour, for some days."""
    path = tmp_path / "trace.csv"
    rows = "".join(f"a,{3600 * n},5\n" for n in range(60))
    path.write_text(f"stream,start_s,service_s\n{rows}")
    return path


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history in which a model was asked each minute for half an hour."""
    path = tmp_path / "history.sqlite"
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", str(path))
    with History() as history, history.keep(watching := Watching()):
        watching.see(ago_s=2000.0)
        watching.see(*(request(60.0 * n, 2.0, A) for n in range(30, 0, -1)))
    return path


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["advise", *words]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The sentence of a fault; nothing else is written."""
    assert main(["advise", *words]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("lifecycle-lab: ")
    assert said.err.count("\n") == 1
    return said.err


def test_from_a_file(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, str(trace), "--t-star", "120")
    assert "OLLAMA_KEEP_ALIVE=0" in said
    assert "today=" not in said  # a person who types is told the option
    found = json.loads(told(capsys, str(trace), "--t-star", "120", "--json"))
    (model,) = found["models"]
    assert (model["model"], model["keep_alive"], model["today"]) == ("a", "0", "5m")
    assert model["evidence"]["gaps"] == 59
    words = ("--today", "1h", "--reload-s", "4", "--held-gb", "2", "--price", "1")
    (model,) = json.loads(told(capsys, str(trace), *words, "--json"))["models"]
    assert model["today"] == "1h"
    assert model["t_star_s"] == pytest.approx(120.0)  # 4 s over 2 GB at a second a GB-minute


def test_from_the_history(
    kept: Path, trace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = json.loads(told(capsys, "--t-star", "300", "--json"))
    (model,) = found["models"]
    assert (model["model"], model["evidence"]["gaps"]) == (A, 29)
    assert json.loads(told(capsys, str(kept), "--t-star", "300", "--json")) == found
    assert "knows of no request to b" in refused(capsys, "--t-star", "300", "--model", "b")
    assert "in that time" in refused(capsys, "--t-star", "300", "--until", "2020-01-01")
    assert "are for the history" in refused(
        capsys, str(trace), "--t-star", "300", "--since", "2020-01-01"
    )


def test_never_from_nothing(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", str(tmp_path / "none.sqlite"))
    assert "has no requests yet" in refused(capsys, "--t-star", "30", "--json")
    assert not (tmp_path / "none.sqlite").exists()
    alone = tmp_path / "alone.csv"
    alone.write_text("stream,start_s\na,5\nb,6\n")
    assert "nothing to advise from" in refused(capsys, str(alone), "--t-star", "30", "--json")
    said = refused(capsys, str(trace), "--slowdown", "4.6")
    assert "what a reload takes was not measured" in said
    assert "--reload-s" in said


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "-inf", "much"])
@pytest.mark.parametrize("price", ["--t-star", "--price", "--slowdown"])
def test_a_price_that_is_none(
    price: str, value: str, trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert " is " in refused(capsys, str(trace), price, value)


def test_a_price_is_said_in_one_way(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ((), ("--t-star", "30", "--slowdown", "2")):
        assert "Say in one way" in refused(capsys, str(trace), *words)


def test_other_wrong_values(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {
        ("--today", "soon"): "keep_alive 'soon'",
        ("--max-reloads-per-hour", "-1"): "--max-reloads-per-hour is -1",
        ("--reload-s", "0"): "--reload-s is 0",
        ("--held-gb", "nan"): "--held-gb is nan",
    }
    for words, why in wrong.items():
        assert why in refused(capsys, str(trace), "--t-star", "30", *words)
