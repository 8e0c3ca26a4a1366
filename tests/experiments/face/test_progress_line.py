"""ProgressLine: one line for who looks on, and none for nobody."""

from __future__ import annotations

import builtins
import io
import sys
import threading
import time
from typing import Any

import pytest

from lifecycle_widgets.experiments.face import progress_line
from lifecycle_widgets.experiments.face.plan import Step
from lifecycle_widgets.experiments.face.progress_line import ProgressLine, writer


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_goes_on_counting_and_the_end_is_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_line, "_EACH_S", 0.02)
    seen: list[tuple[str, bool]] = []
    with ProgressLine(lambda line, is_last: seen.append((line, is_last))) as line:
        line.say(Step(0, 2, "first"))
        until_s = time.monotonic() + 10
        while len(seen) < 4 and time.monotonic() < until_s:
            time.sleep(0.01)
        line.say(Step(1, 2, "second"))
        line.end("done: 2 of 2 measurements")
        count = len(seen)
    assert [s for s, _ in seen[:4]] == ["0 of 2: first · 1 s"] * 4
    assert seen[-1] == ("done: 2 of 2 measurements · 1 s", True)
    assert len(seen) == count
    assert "lifecycle-progress-line" not in {t.name for t in threading.enumerate()}


def test_a_long_line_is_cut() -> None:
    seen: list[str] = []
    with ProgressLine(lambda line, _: seen.append(line)) as line:
        line.say(Step(0, 0, "word " * 100))
    assert len(seen[0]) < 120
    assert "…" in seen[0]


def test_before_the_first_step_nothing_is_said_of_the_end() -> None:
    seen: list[str] = []
    with ProgressLine(lambda line, _: seen.append(line)) as line:
        line.end("failed")
    assert seen == []


def test_nobody_looks_on_here() -> None:
    assert writer() is None
    with ProgressLine(None) as line:
        line.say(Step(0, 1, "first"))
        line.end("done")
    assert "lifecycle-progress-line" not in {t.name for t in threading.enumerate()}


def test_in_a_terminal_the_line_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    with ProgressLine(writer()) as line:
        line.say(Step(0, 1, "first"))
        line.end("done: 1 of 1")
    assert terminal.getvalue() == "\r\x1b[2K0 of 1: first · 1 s\r\x1b[2Kdone: 1 of 1 · 1 s\n"


def test_in_a_notebook_it_is_one_output_that_is_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, str]] = []

    class Handle:
        def update(self, data: dict[str, str], raw: bool) -> None:
            shown.append(("update", data["text/plain"]))

    def display(data: dict[str, str], raw: bool, display_id: bool) -> Handle:
        shown.append(("display", data["text/plain"]))
        return Handle()

    class Shell:
        kernel: Any = object()

    monkeypatch.setattr(builtins, "get_ipython", Shell, raising=False)
    monkeypatch.setattr(builtins, "display", display, raising=False)
    with ProgressLine(writer()) as line:
        line.say(Step(0, 1, "first"))
        line.end("done: 1 of 1")
    assert shown == [("display", "0 of 1: first · 1 s"), ("update", "done: 1 of 1 · 1 s")]
