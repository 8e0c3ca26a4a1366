"""What a person reads while the first preparation runs."""

from __future__ import annotations

import pytest

from lifecycle_widgets.sandbox import Progress
from lifecycle_widgets.sandbox.progress import Printer, Reporter


def test_reads_as_a_line() -> None:
    assert str(Progress("program", "compiling", None, 70.4)) == "Ollama: compiling (1 min 10 s)"
    assert str(Progress("models", "ready", 0.5, 0)) == "Models: ready (50%)"


def test_prints_news_at_once_and_repeats_only_every_few_seconds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = Reporter("program", Printer())
    for step in range(20):
        report("compiling", step / 20)
    report("ready")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["Ollama: compiling (0%)", "Ollama: ready"]


def test_anybody_can_listen() -> None:
    heard: list[Progress] = []
    Reporter("models", heard.append)("converting", 0.25)
    (progress,) = heard
    assert (progress.step, progress.detail, progress.fraction) == ("models", "converting", 0.25)
    assert progress.elapsed_s >= 0
