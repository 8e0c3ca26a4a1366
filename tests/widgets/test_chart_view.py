"""Which stretch of time the chart shows: live, held, paused, the past; and what it saves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from widget_parts import button, until

from lifecycle_widgets import Residency, ResourceChart, Runner, Sample, Server
from lifecycle_widgets.history import Busy, History, HistoryError, Past
from lifecycle_widgets.monitor import OURS, Machine, Request
from lifecycle_widgets.widgets.chart.scene import models_of
from lifecycle_widgets.widgets.chart.seen.known import Known, with_past
from tests.fed_monitor import NOON, FedMonitor

ONE, OTHER = "smollm2:135m", "qwen3:4b"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def sample(t_s: float, *, loaded: bool = False, **more: Any) -> Sample:
    runners = (Runner(7, 283_000_000, ONE),) if loaded else ()
    made = Sample(at(t_s), t_s, 5_000_000_000, 24_000_000_000, 0.1, runners, (), ())
    return replace(made, **more)


class Kept:
    """A history with a day in it, up to an hour before noon, and a session of ten minutes."""

    def __init__(self) -> None:
        self.asked: list[tuple[datetime, datetime]] = []
        self.fault = ""

    def past(self, server: Server, start: datetime, end: datetime, bins: int = 240) -> Past:
        self.asked.append((start, end))
        if self.fault:
            raise HistoryError(self.fault)
        step = (end - start) / bins
        times = [start + i * step for i in range(bins)]
        samples = [sample((t - NOON).total_seconds(), loaded=True) for t in times if t < at(-3600)]
        stay = Residency(OTHER, at(-7200), at(-5400), "expired", at(-5400), False)
        busy = Busy(OTHER, at(-7000), at(-6400), 12, 300.0)
        return Past(start, end, tuple(samples), (stay,), (), (busy,))

    def span(self, server: Server) -> tuple[datetime, datetime] | None:
        return at(-86_400), at(-3600)

    def last_session(self, server: Server) -> Past | None:
        return Past(at(-4200), at(-3600))


@pytest.fixture
def monitor() -> FedMonitor:
    made = FedMonitor()
    for i in range(240):
        made.feed(sample(i / 2, loaded=i > 100))
    return made


@pytest.fixture
def chart(monitor: FedMonitor) -> Iterator[ResourceChart]:
    with ResourceChart(monitor) as made:
        yield made


def feed(chart: ResourceChart, *seconds: float) -> None:
    assert isinstance(chart.monitor, FedMonitor)
    for t_s in seconds:
        chart._last_s = -1.0
        chart.monitor.feed(sample(t_s, loaded=True))


def shown(chart: ResourceChart) -> tuple[float, float]:
    """From when to when, in seconds since noon."""
    places = chart._plot.get_state()["_picture"]["layout"]["xaxis"]["range"]
    start, end = (chart._scenes.time_at(place) - NOON for place in places)
    return start.total_seconds(), end.total_seconds()


def test_a_view_from_code_holds_until_live(chart: ResourceChart) -> None:
    chart.view = at(10), at(70)
    assert shown(chart) == (10, 70)
    feed(chart, 120, 130, 140)
    assert shown(chart) == (10, 70)
    assert "held; live goes on" in chart._plot.get_state()["_picture"]["said"]
    button(chart, "Back to live").click()
    assert chart.view is None
    assert shown(chart)[1] > 140
    assert chart._plot.get_state()["_picture"]["said"] == ""


@pytest.mark.parametrize("wrong", [5, "now", (at(0),), (at(5), at(5)), (at(9), at(1)), (0, 60)])
def test_a_view_that_makes_no_sense_is_refused(chart: ResourceChart, wrong: Any) -> None:
    with pytest.raises(ValueError, match="view is"):
        chart.view = wrong
    assert chart.view is None


def test_a_time_without_a_zone_is_this_machines(chart: ResourceChart) -> None:
    chart.view = at(10).astimezone().replace(tzinfo=None), at(70).astimezone().replace(tzinfo=None)
    assert shown(chart) == (10, 70)


def test_pause_freezes(chart: ResourceChart) -> None:
    before = shown(chart)
    chart.paused = True
    feed(chart, 120, 140, 160)
    assert shown(chart) == before
    assert chart._plot.get_state()["_picture"]["said"] == "paused"
    chart.view = at(100), at(160)  # one can look around, in what was there
    assert chart.frame["at"].max() <= at(120)
    chart.go_live()
    assert not chart.paused
    assert shown(chart)[1] > 160


def test_windows_and_zoom(chart: ResourceChart) -> None:
    tools = chart._tools
    tools._windows.value = "5"
    assert chart.window_s == 300
    button(chart, "+").click()
    assert chart.window_s == 150
    assert chart.view is None  # still live
    assert tools._windows.value is None
    chart.view = at(0), at(60)
    button(chart, "−").click()
    assert chart.view == (at(-30), at(90))
    tools._windows.value = "1 min"  # about the middle of what is held
    assert chart.view == (at(0), at(60))
    for wrong in (5, float("nan"), float("inf"), 1e12):
        with pytest.raises(ValueError, match="window_s is"):
            chart.window_s = wrong


def test_what_a_page_tells_is_taken_only_when_it_makes_sense(chart: ResourceChart) -> None:
    for said in (
        {"view": [1e99, 2e99], "number": 1},
        {"view": [5, 1], "number": 2},
        {"clicked": "nothing"},
        {"view": ["a", "b"]},
        {"view": 7},
        {"number": "x"},
        {"anything": 1},
    ):
        chart._plot._handle_custom_msg(said, [])
        chart.go_live()
    assert chart.clicked is None


# --- the past ------------------------------------------------------------------------------------


def test_beyond_the_monitor_the_history_is_asked_once_per_place(monitor: FedMonitor) -> None:
    kept = Kept()
    with ResourceChart(monitor, history=kept) as chart:
        until(lambda: chart.view is not None)  # the last session
        chart.view = at(-7400), at(-5000)
        until(lambda: len(chart._plot.get_state()["_picture"]["traces"]["ram"]["x"]) > 100)
        picture = chart._plot.get_state()["_picture"]
        assert "busy" in picture["bars"]["phase"]
        assert picture["layout"]["yaxis"]["ticktext"] == [OTHER]
        asked = len(kept.asked)
        start, end = kept.asked[-1]
        assert start < at(-7400)
        assert at(-5000) < end
        for i in range(10):  # a step aside is there already, and data that arrive change nothing
            chart.view = at(-7500 + i), at(-5100 + i)
            feed(chart, 120 + i)
        assert len(kept.asked) == asked
        assert chart.frame["at"].max() < at(-3600)


def test_the_last_session_is_shown_until_something_happens(monitor: FedMonitor) -> None:
    idle = FedMonitor()
    idle.feed(sample(0))
    with ResourceChart(idle, history=Kept()) as chart:
        until(lambda: "the last session" in chart._plot.get_state()["_picture"]["said"])
        start, end = chart.view
        assert start < at(-4200)
        assert at(-3600) < end
        chart._last_s = -1.0
        idle.feed(sample(1))
        assert chart.view is not None
        feed(chart, 2)  # a model is in memory
        assert chart.view is None
        assert chart._plot.get_state()["_picture"]["said"] == ""


def test_all_there_is(monitor: FedMonitor) -> None:
    with ResourceChart(monitor, history=Kept()) as chart:
        until(lambda: chart._scenes._past.begins)
        chart._tools._windows.value = "all"
        start, end = shown(chart)
        assert start < -86_400
        assert end >= 119.5
    with ResourceChart(monitor) as chart:
        chart._tools._windows.value = "all"
        assert shown(chart)[0] <= 0


def test_a_history_that_cannot_be_read_is_said_and_the_chart_goes_on(monitor: FedMonitor) -> None:
    kept = Kept()
    kept.fault = "The history is damaged."
    with ResourceChart(monitor, history=kept, window_s=3600) as chart:
        until(lambda: chart._scenes.told)
        feed(chart, 121)
        assert "The history is damaged." in chart._status.value
        assert len(chart._plot.get_state()["_picture"]["traces"]["ram"]["x"]) > 100
    assert not [t for t in threading.enumerate() if t.name.startswith("lifecycle-chart")]


def test_a_history_with_nothing_in_it(monitor: FedMonitor, tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    with ResourceChart(monitor, history=history, window_s=3600) as chart:
        feed(chart, 120, 121)
        until(lambda: not chart._scenes._past._is_asking)
        assert chart._scenes.told == ""
        assert chart.view is None
        assert len(chart.figure.data[0].x) > 100
    history.close()


def test_a_stay_that_began_before_the_monitor_did_is_one(monitor: FedMonitor) -> None:
    ring = Residency(ONE, at(0), None, None, at(300), False)
    before = replace(ring, since=at(-500), until=at(0.5), why="unknown")
    gone = Residency(OTHER, at(-900), at(-800), "expired", None, False)
    old = Request(OTHER, at(-890), at(-880), None, None, OURS)
    known = Known([sample(0), sample(1)], [ring], [])
    past = Past(at(-1000), at(10), (sample(-900), sample(5)), (gone, before), (old,))
    made = with_past(known, past)
    seen = [s.at for s in made.samples if s.ram_used_bytes is not None]
    assert seen == [at(-900), at(-0.1), at(0), at(1)]
    assert [(s.model, s.since) for s in made.stays] == [(OTHER, at(-900)), (ONE, at(-500))]
    assert made.stays[1].until is None
    assert made.requests == [old]
    assert models_of(made.stays, made.requests) == [OTHER, ONE]
    assert with_past(known, None) is known


def test_each_sample_of_a_history_stands_for_its_time_and_a_gap_is_one() -> None:
    kept = [sample(-100, loaded=True), sample(-90), sample(-40, loaded=True)]
    made = with_past(Known([sample(0)]), Past(at(-200), at(0), tuple(kept)))
    told = [
        ((s.at - NOON).total_seconds(), None if s.runners is None else len(s.runners))
        for s in made.samples
    ]
    assert told == [
        *[(-100, 1), (-90.1, 1), (-90, 0), (-80.1, 0), (-80, None)],
        *[(-40, 1), (-30.1, 1), (-30, None), (0, 0)],
    ]


# --- saving --------------------------------------------------------------------------------------


def test_a_table_of_what_is_shown(chart: ResourceChart, tmp_path: Path) -> None:
    chart.view = at(100), at(110)
    saved = chart.save(tmp_path / "some" / "view.csv")
    frame = pd.read_csv(saved, parse_dates=["at"])
    assert len(frame) == 21
    assert frame["ram_used_bytes"].tolist() == [5e9] * 21
    assert frame[f"memory_bytes {ONE}"].max() == 283e6
    assert frame["cpu_fraction"].between(0, 1).all()


def test_files_by_their_endings(chart: ResourceChart, tmp_path: Path) -> None:
    page = chart.save(tmp_path / "view.html").read_text(encoding="utf-8")
    assert "runner memory" in page
    assert "cdn." not in page.split("<body>")[0]  # it needs no network
    with pytest.raises(ValueError, match=r"\.csv, \.svg, \.png, \.html"):
        chart.save(tmp_path / "view.xlsx")


def test_a_picture_from_code_needs_no_browser(chart: ResourceChart, tmp_path: Path) -> None:
    assert b"<svg" in chart.save(tmp_path / "some" / "view.svg").read_bytes()
    assert chart.save(tmp_path / "view.png").read_bytes().startswith(b"\x89PNG")


# --- what else is read of the machine ------------------------------------------------------------


def test_disks_have_a_row_while_they_are_read_and_the_chart_is_no_higher(
    chart: ResourceChart,
) -> None:
    height = chart.figure.layout.height
    quiet = Machine(page_cache_bytes=7_000_000_000, disk_read_bytes_per_s=0.0, cpu_pressure=0.01)
    monitor = chart.monitor
    assert isinstance(monitor, FedMonitor)
    monitor.feed(sample(120, machine=quiet))
    figure = chart.figure
    assert "yaxis7" not in figure.to_dict()["layout"]
    (cache,) = [t for t in figure.data if t.name == "page cache"]
    assert (cache.y[-1], cache.line.width) == (7.0, 0)  # read out, not drawn
    (waited,) = [t for t in figure.data if t.name == "waited"]
    assert waited.line.width == 0
    monitor.feed(sample(121, machine=replace(quiet, disk_read_bytes_per_s=3e8, io_pressure=0.4)))
    figure = chart.figure
    assert figure.layout.height == height
    assert "disks read" in [a.text for a in figure.layout.annotations]
    assert max(y for t in figure.data if t.name == "disks read" for y in t.y if y) == 300
    (waited,) = [t for t in figure.data if t.name == "waited"]
    assert waited.line.width > 0
    assert waited.y[-1] == 40
