"""What is written below a cell while a run goes on: tasks beside each other, and waiting."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest
from IPython.utils.capture import capture_output

from lifecycle_widgets.agent import AgentRun, StepEnded, Text, ToolsEnded
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.magic.paper import Paper
from lifecycle_widgets.magic.screen import Screen
from lifecycle_widgets.magic.words import cost_text
from lifecycle_widgets.runs import Run, Step, Timings, ToolCall
from lifecycle_widgets.server import Server

STEP = Step(0.0, Timings(1.0))
ENDED = Run("tiny:1b", KeepAlive(0), "Hi", "Hello", datetime.now(), Timings(1.0))


def screen(*, on_page: bool = False, names_tasks: bool = True) -> Screen:
    run = AgentRun("Hi", model="tiny:1b", server=Server("localhost"))
    return Screen(run, Paper(on_page=on_page), names_tasks=names_tasks)


def test_tasks_beside_each_other_are_written_one_by_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = screen()
    for event in (
        Text("a", "m", "Hel"),
        Text("b", "n", "Good "),
        Text("c", "n", "Whole."),
        Text("a", "m", "lo."),
        StepEnded("c", STEP),
        StepEnded("a", STEP),
        Text("b", "n", "day."),
        Text("d", "m", "Late"),
        StepEnded("b", STEP),
    ):
        shown.hear(event)
    shown.end(ENDED)
    assert capsys.readouterr().out == (
        "[a, m]\nHello.\n[b, n]\nGood day.\n[c, n]\nWhole.\n[d, m]\nLate\n"
    )


def test_steps_of_one_task_and_its_tools(capsys: pytest.CaptureFixture[str]) -> None:
    shown = screen(names_tasks=False)
    calls = (ToolCall("Clock_now", {}), ToolCall("Clock_zone", {}, error="ValueError: no zone"))
    for event in (
        Text("a", "m", "Let me see."),
        StepEnded("a", STEP),
        ToolsEnded("a", calls, 0.5),
        StepEnded("a", STEP),
        Text("a", "m", "Noon."),
        StepEnded("a", STEP),
    ):
        shown.hear(event)
    shown.end(ENDED)
    assert capsys.readouterr().out == (
        "Let me see.\n[Clock_now, Clock_zone: 0.50 s; Clock_zone raised ValueError: no zone]\n"
        "Noon.\n"
    )


def pages(told: Any) -> list[str]:
    return [output.data["text/plain"] for output in told.outputs]


def test_a_page_says_that_nothing_has_come_until_something_does(shell: Any) -> None:
    with capture_output() as told:
        shown = screen(on_page=True, names_tasks=False)
        shown.tick()
        time.sleep(1.1)
        shown.tick()
        time.sleep(0.15)
        shown.hear(Text("a", "m", "Yes\x1b[2J."))
        shown.end(ENDED)
    assert pages(told) == ["tiny:1b has not begun to answer: 1 s", "Yes␛[2J."]


def test_a_page_takes_in_a_fast_answer_a_few_times_only(shell: Any) -> None:
    with capture_output() as told:
        shown = screen(on_page=True)
        for number in range(1000):
            shown.hear(Text("a", "m", f"{number} "))
        shown.end(ENDED)
    assert len(pages(told)) < 10
    assert pages(told)[-1].endswith(" 998 999 ")


def test_a_text_that_no_encoding_has_is_shown_all_the_same(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for on_page in (True, False):
        paper = Paper(on_page=on_page)
        paper.write("half a sign: \ud83d")
        paper.show()
    assert capsys.readouterr().out.count(r"half a sign: \ud83d") == 2


def test_the_cost_of_several_models() -> None:
    steps = (Step(0.0, Timings(1.0), loaded=True, model="a"),) * 2
    steps += (Step(0.0, Timings(1.0), loaded=False, model="b"),)
    kept = {"a": "0", "b": "5m"}
    run = Run("b", KeepAlive("5m"), "Hi", "", datetime.now(), Timings(3.0), steps, keep_alives=kept)
    told = cost_text(run)
    assert told.startswith("[a (keep_alive 0), b (keep_alive 5m): 3.00 s (")
    assert ", 3 requests, 2 loads. " in told
    assert told.endswith("]")
