"""lifecycle-lab doctor: what is wrong, as text and as JSON, and as an exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lifecycle_widgets.cli import main
from lifecycle_widgets.server import Server


@pytest.fixture(autouse=True)
def _own_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests made the sandbox do is no finding here."""
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", str(tmp_path / "history.sqlite"))


def test_a_server_that_does_not_answer_is_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "127.0.0.1:9"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("http://127.0.0.1:9\n\nfault ")
    assert "1 fault" in said


def test_several_as_json(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", f"box={server.url}", "127.0.0.1:9", "--json", "--seconds", "0"]) == 1
    box, away = json.loads(capsys.readouterr().out)
    assert (box["server"], box["address"]) == ("box", server.url)
    severities = {one["severity"] for one in box["diagnoses"]}
    assert severities <= {"good", "note"}  # a new private Ollama
    assert "good" in severities
    assert [one["severity"] for one in away["diagnoses"]] == ["fault"]
    assert server.residents() == ()  # nothing is loaded for it


def test_one_that_is_well_ends_well(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--seconds", "0"]) == 0  # OLLAMA_HOST names the tests' sandbox
    assert capsys.readouterr().out.startswith(f"{server.url}\n")


@pytest.mark.parametrize("words", [["ftp://a"], ["--seconds", "-1"], ["--seconds", "nan"]])
def test_wrong_words_are_an_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *words])
    assert ended.value.code == 2
    assert words[-1].rpartition("/")[0] in capsys.readouterr().err
