"""lifecycle-lab history: where it is, what it holds; out of it as files, and for good."""

from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pytest

from lifecycle_widgets.cli import main
from lifecycle_widgets.history import History
from lifecycle_widgets.runs import Run, Timings

OLD = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history with two runs, a month apart."""
    path = tmp_path / "history.sqlite"
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", str(path))
    with History() as history:
        for began in (OLD, OLD + timedelta(days=30)):
            history.add(run(began))
    return path


def run(began: datetime) -> Run:
    return Run(
        model="a:latest",
        keep_alive="5m",
        prompt="a secret",
        answer="a secret",
        started_at=began,
        server_url="http://localhost:11434",
        timings=Timings(total_s=2.0),
    )


def told(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["history", *words]) == status
    said = capsys.readouterr()
    return said.err if status else said.out


def test_where_it_is_and_what_it_holds(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys)
    assert str(kept) in said
    assert "2 runs" in said
    assert "2026-01-02" in said


def test_nothing_is_begun_by_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", str(tmp_path / "none.sqlite"))
    assert "nothing is kept yet" in told(capsys)
    assert not [*tmp_path.iterdir()]


def test_a_table_is_exported_by_its_name(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my-runs.csv"
    assert told(capsys, "--export", str(file)) == f"{file}: runs\n"
    assert len(pd.read_csv(file)) == 2
    assert "secret" not in file.read_text()
    told(capsys, "--export", str(file), "--since", "2026-01-20")
    assert len(pd.read_csv(file)) == 1
    assert "neither CSV nor Parquet" in told(capsys, "--export", "x.xlsx", status=1)


def test_what_is_old_is_deleted(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "--delete-before", "2026-01-20").startswith("1 deleted")
    assert "1 run" in told(capsys)
    assert "lifecycle-lab: " in told(capsys, "--delete-before", "soon", status=1)


def test_all_is_deleted_by_who_agrees(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for answer in ("n\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert "Nothing was deleted" in told(capsys, "--delete-all", status=1)
    assert "2 runs" in told(capsys)
    assert told(capsys, "--delete-all", "--yes").startswith("2 deleted")
    assert "run" not in told(capsys).splitlines()[-1].replace("rule", "")


@pytest.mark.parametrize("content", [None, b"no database at all, but long enough to be read"])
def test_whatever_is_wrong_is_one_sentence(
    content: bytes | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "history.sqlite"
    if content is not None:
        path.write_bytes(content * 100)
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", str(path) if content else "off")
    said = told(capsys, "--delete-before", "2026-01-01", status=1)
    assert said.startswith("lifecycle-lab: ")
    assert said.count("\n") == 1
