"""Every widget: what one did to it stands in its still, as HTML and as plain text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from widget_parts import until

from lifecycle_widgets import KeepAlive, Run, Server, Timings, widgets
from lifecycle_widgets.advisor.workload.workload import Stream, Workload
from lifecycle_widgets.doctor import Diagnosis
from lifecycle_widgets.experiments import InARow, InARowResult
from lifecycle_widgets.history import History
from lifecycle_widgets.monitor import Sample
from lifecycle_widgets.widgets.light_figure import LightFigure
from lifecycle_widgets.widgets.light_table import LightTable
from lifecycle_widgets.widgets.still.copy import written
from tests.fed_monitor import FedMonitor
from tests.history.history_tools import Watching, request, stay

NOBODY = "http://localhost:1"
MODEL = "smollm2:135m"


@dataclass
class Ground:
    """What the widgets are made from."""

    server: Server
    result: InARowResult
    folder: Path


def a_run(number: int = 0) -> Run:
    timings = Timings(1.25 + number, load_s=0.5, ttft_s=0.75, output_tokens=17)
    return Run(MODEL, KeepAlive("5m"), f"Question {number} <b>?", "An <i>answer", NOON, timings)


def sample(seconds: int, error: str | None = None) -> Sample:
    at = NOON + timedelta(seconds=seconds)
    return Sample(at, float(seconds), 10**9, 10**10, 0.5, (), (), (), error)


NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def advice_panel(ground: Ground) -> Any:
    gaps_s = np.full(50, 40.0)
    start_s = np.concatenate([[0.0], np.cumsum(gaps_s + 2.0)])
    stream = Stream(MODEL, start_s, start_s + 2.0, np.full(50, True), 51)
    panel = widgets.AdvicePanel(Workload((stream,), "an example", ("trace",)), server=NOBODY)
    panel.price = 120
    panel.wait(30)
    return panel


def agent_panel(ground: Ground) -> Any:
    panel = widgets.AgentPanel(NOBODY, model=MODEL, keep_alive="5m")
    for number in range(12):  # as a run's end does, without a server
        run = a_run(number)
        panel._parts.talk.begin(run.prompt)
        panel._parts.talk.end(run, markdown=True)
        panel.runs = (*panel.runs, run)
    return panel


def break_even(ground: Ground) -> Any:
    widget = widgets.BreakEven(ground.result)
    widget._slider.value = 10.0
    return widget


def code_block(_: Ground) -> Any:
    block = widgets.CodeBlock(MODEL, "5m")
    block.shown = "curl"
    return block


def doctor_panel(_: Ground) -> Any:
    panel = widgets.DoctorPanel(NOBODY)
    evidence = ("Nobody <answers>.",)
    panel.diagnoses = (
        Diagnosis("one", "It is gone.", severity="fault", evidence=evidence, advice="Start it."),
        Diagnosis("two", "All is well.", severity="good"),
    )
    return panel


def experiment_panel(ground: Ground) -> Any:
    panel = widgets.ExperimentPanel(
        InARow(MODEL, keep_alives=(0, "2s", "5m"), server=ground.server)
    )
    until(lambda: panel._planned)
    panel.result = ground.result
    return panel


def history_view(ground: Ground) -> Any:
    history = History(ground.folder / "history.sqlite")
    watching = Watching()
    watching.stays = (stay(300.0, 10.0),)
    with history.keep(watching):
        watching.see(request(90.0), request(60.0, model="<b>:latest"))
    view = widgets.HistoryView(history)
    view.what = "requests"
    view._look()
    return view


def in_force_view(_: Ground) -> Any:
    monitor = FedMonitor(NOBODY)
    monitor.feed(sample(0, error="nobody <answers>"))
    return widgets.InForceView(monitor)


def keep_alive_picker(_: Ground) -> Any:
    picker = widgets.KeepAlivePicker()
    picker.text = "90s"
    picker.text = "1d"
    return picker


def resource_chart(_: Ground) -> Any:
    monitor = FedMonitor(NOBODY)
    chart = widgets.ResourceChart(monitor)
    monitor.feed(sample(0))
    chart.window_s = 600
    return chart


def run_table(_: Ground) -> Any:
    table = widgets.RunTable()
    table.runs = tuple(map(a_run, range(60)))
    table.selected = (table.runs[1], table.runs[58])
    return table


def tuning_lab(ground: Ground) -> Any:
    lab = widgets.TuningLab(ground.server, model=MODEL)
    lab.keep_alive_picker.text = "90s"
    lab.drawers.opened = "Doctor"
    return lab


CASES: dict[str, tuple[Callable[[Ground], Any], list[str]]] = {
    "AdvicePanel": (advice_panel, ["one reload is worth 120 s", MODEL, "reloads an hour"]),
    "AgentPanel": (
        agent_panel,
        ["Question 11 <b>?", "An <i>answer", "first token after 0.75 s", "The last 10 of 12 turns"],
    ),
    "BreakEven": (break_even, ["is worth 10 s of waiting", "Break-even T*", "cheapest", "5m"]),
    "CodeBlock": (code_block, ["curl --url http://localhost:11434", '"keep_alive": 300']),
    "DoctorPanel": (
        doctor_panel,
        ["✖ fault: It is gone.", "Nobody <answers>.", "Start it.", "All is well."],
    ),
    "ExperimentPanel": (
        experiment_panel,
        ["InARow, done", f"Call {MODEL} 5 times", "measurements", "T*", "5m"],
    ),
    "HistoryView": (history_view, ["2 requests in the last 7 days", "<b>:latest"]),
    "InForceView": (in_force_view, ["does not answer: nobody <answers>"]),
    "KeepAlivePicker": (keep_alive_picker, ["keep_alive 1m30s: Ollama unloads", "24h"]),
    "LightFigure": (
        lambda _: LightFigure(go.Figure(layout={"title": "A line"})),
        [],
    ),
    "LightTable": (lambda _: LightTable(pd.DataFrame({"a<": [3]})), ["a<", "3"]),
    "ModelPicker": (
        lambda ground: widgets.ModelPicker(ground.server),
        [f"Model: {MODEL}.", "145 MB", "not in memory"],
    ),
    "ResourceChart": (resource_chart, [NOBODY, "No model was seen in memory."]),
    "RunTable": (
        run_table,
        ["60 runs; selected: 2 and 59.", "The last 50 of 60 runs.", "Run 2 (", "difference"],
    ),
    "TextStream": (lambda _: widgets.TextStream("Hello <b>, world"), ["Hello <b>, world"]),
    "TuningLab": (tuning_lab, ["keep_alive 1m30s", f"Asks {MODEL}", "No model was", "Doctor"]),
}
PICTURED = {
    "AdvicePanel", "BreakEven", "ExperimentPanel", "LightFigure", "ResourceChart", "TuningLab"
}  # fmt: skip


def test_none_is_left_out() -> None:
    assert set(CASES) == {*widgets.__all__, "LightFigure", "LightTable"} - {"Style"}


@pytest.fixture
def ground(server: Server, in_a_row_result: InARowResult, tmp_path: Path) -> Ground:
    return Ground(server, in_a_row_result, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CASES))
def test_what_was_done_stands_in_it(name: str, ground: Ground, shut: Callable[[Any], Any]) -> None:
    make, wanted = CASES[name]
    widget = shut(make(ground))
    sheet = written(widget._still)
    assert "could not be written" not in sheet.text
    for text in wanted:
        assert text in sheet.text
        escaped = text.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
        assert escaped in sheet.html
    assert len(sheet.html) < 60_000
    assert (sheet.drawing is not None) == (name in PICTURED) == type(widget)._is_pictured
    if sheet.drawing is not None:
        assert isinstance(sheet.drawing.figure(), go.Figure)
        assert sheet.drawing.about
    again = written(widget._still)
    assert again.html == sheet.html, "nothing has changed, so nothing is sent"
    if sheet.drawing is not None and again.drawing is not None:
        assert again.drawing.key == sheet.drawing.key


def test_a_lab_in_the_past_is_not_drawn_again_and_again() -> None:
    """While nothing is in memory the picture of the chart stays as it is."""
    monitor = FedMonitor(NOBODY)
    chart = widgets.ResourceChart(monitor)
    keys = []
    for seconds in range(400):
        monitor.feed(sample(seconds))
        drawing = written(chart._still).drawing
        assert drawing is not None
        keys.append(drawing.key)
    chart.close()
    assert len(set(keys)) <= 8
    assert len(set(keys[255:])) == 1
