"""ResourceChart: its pictures from constructed samples, and the whole of it on a real Ollama."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from widget_parts import shown, until

from lifecycle_widgets import Gpu, Monitor, Residency, Runner, Sample, Server
from lifecycle_widgets.server import Resident
from lifecycle_widgets.widgets import ResourceChart
from lifecycle_widgets.widgets.chart_bands import BAR_OPACITY
from lifecycle_widgets.widgets.chart_picture import MAX_POINTS, Picture, picture
from lifecycle_widgets.widgets.chart_scene import COLORS, Scene, room_ahead
from lifecycle_widgets.widgets.chart_series import without_moving_deadlines
from lifecycle_widgets.widgets.chart_words import end_text, leaves_text, status_text
from lifecycle_widgets.widgets.live_figure import LiveFigure

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
ONE, OTHER = "smollm2:135m", "smollm2:135m-f16"
RUNNER_BYTES = 283_000_000
CARD = Gpu(0, "a card", 0.5, 4_000_000_000, 24_000_000_000)
UNTOLD = Gpu(0, "a slice", None, None, None)


def sample(
    before_s: float,
    runners: dict[str | None, int] | None = None,
    residents: dict[str, float] | None = None,
    *,
    gpus: tuple[Gpu, ...] = (),
    ram_bytes: int = 5_100_000_000,
) -> Sample:
    """A sample ``before_s`` before NOW: runners with their memory, residents with seconds left."""
    held = {} if runners is None else runners
    return Sample(
        at=NOW - timedelta(seconds=before_s),
        t_s=1000.0 - before_s,
        ram_used_bytes=ram_bytes,
        ram_total_bytes=24_000_000_000,
        cpu_fraction=0.12,
        runners=tuple(Runner(i, size, name) for i, (name, size) in enumerate(held.items())),
        gpus=gpus,
        residents=tuple(
            Resident(name, 257_000_000, 0, NOW + timedelta(seconds=left_s), 4096, "d")
            for name, left_s in (residents or {}).items()
        ),
    )


def stay(
    model: str,
    since_s: float,
    until_s: float | None = None,
    why: str | None = None,
    left_s: float | None = None,
) -> Residency:
    """From ``since_s`` to ``until_s`` before NOW, or with ``left_s`` to go (None: forever)."""
    is_forever = until_s is None and left_s is None
    return Residency(
        model=model,
        since=NOW - timedelta(seconds=since_s),
        until=None if until_s is None else NOW - timedelta(seconds=until_s),
        why=why,
        expires_at=None if left_s is None else NOW + timedelta(seconds=left_s),
        is_forever=is_forever,
    )


def drawn(samples: list[Sample], *stays: Residency, **more: Any) -> Picture:
    window_s = more.pop("window_s", 120.0)
    ahead_s = room_ahead(stays, samples, NOW, window_s)
    colors = dict(zip(dict.fromkeys(s.model for s in stays), COLORS, strict=False))
    return picture(Scene(samples, stays, NOW, window_s, ahead_s, colors, **more))


def session(count: int, **more: Any) -> list[Sample]:
    return [
        sample(0.5 * (count - 1 - i), {ONE: RUNNER_BYTES}, {ONE: 23}, **more) for i in range(count)
    ]


def labels(made: Picture | go.Figure) -> list[str]:
    layout = made.layout
    texts = [a["text"] for a in layout["annotations"]]
    return [t.removeprefix("<b>").removesuffix("</b>") for t in texts]


def moment(text: str) -> datetime:
    """A time as the chart sends it (Python 3.10's `fromisoformat` reads no single decimal)."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f")


def bars(made: Picture | go.Figure, color: str = COLORS[0]) -> list[tuple[datetime, datetime]]:
    """The solid bars in the lanes: from, until."""
    return [
        (moment(s["x0"]), moment(s["x1"]))
        for s in made.layout["shapes"]
        if s["yref"] == "y" and s["opacity"] == BAR_OPACITY and s["fillcolor"] == color
    ]


def expiries(made: Picture | go.Figure) -> list[Any]:
    return [s for s in made.layout["shapes"] if s["type"] == "line" and s["line"]["dash"] == "dash"]


# --- pictures ------------------------------------------------------------------------------------


def test_the_number_of_points_is_bounded_and_the_peak_is_kept() -> None:
    samples = session(10_000)
    samples[5000] = sample(0.5 * 4999, {ONE: 2 * RUNNER_BYTES}, ram_bytes=20_000_000_000)
    made = drawn(samples, stay(ONE, 4999, left_s=23), window_s=5200.0)
    for trace in made.traces.values():
        assert len(trace["x"]) == len(trace["y"]) <= MAX_POINTS
    assert max(made.traces[f"memory:{ONE}"]["y"]) == pytest.approx(566)
    assert max(made.traces["ram"]["y"]) == pytest.approx(20)


def test_two_minutes_are_drawn_point_by_point() -> None:
    made = drawn(session(1800), stay(ONE, 900, left_s=23))
    start, end = made.layout["xaxis"]["range"]
    assert moment(end) - moment(start) == timedelta(seconds=120)
    assert 140 < len(made.traces["ram"]["x"]) <= MAX_POINTS
    assert made.traces["ram"]["x"][0] <= start  # the line reaches the left edge


def test_the_clock_is_that_of_the_notebook() -> None:
    made = drawn(session(3), stay(ONE, 1, left_s=23))
    assert made.traces["cpu"]["x"][-1] == NOW.astimezone().strftime("%Y-%m-%d %H:%M:%S.0")


def test_a_resident_model_counts_down_to_its_expiry() -> None:
    made = drawn(session(300), stay(ONE, 60, left_s=22.6))
    assert "leaves in 23 s" in labels(made)
    (line,) = expiries(made)
    assert line["x0"] == (NOW + timedelta(seconds=22.6)).astimezone().strftime(
        "%Y-%m-%d %H:%M:%S.6"
    )
    assert made.layout["xaxis"]["range"][1] > line["x0"]  # the view leaves room for it
    assert made.layout["yaxis"]["ticktext"] == [ONE]


def test_an_expiry_far_ahead_is_told_at_the_edge() -> None:
    made = drawn(session(300), stay(ONE, 60, left_s=272))
    assert expiries(made) == []
    (told,) = [a for a in made.layout["annotations"] if "leaves" in a["text"]]
    assert told["text"] == "<b>leaves in 4 min 32 s</b>"
    assert (told["xref"], told["x"], told["xanchor"]) == ("paper", 1, "right")


def test_forever_says_so() -> None:
    made = drawn(session(300), stay(ONE, 60))
    assert "stays forever" in labels(made)
    assert expiries(made) == []


def test_why_a_model_left_stands_at_the_end_of_its_band() -> None:
    stays = stay(ONE, 100, 60, "evicted"), stay(OTHER, 59, 20, "requested")
    made = drawn(session(300), *stays)
    assert {"evicted", "unloaded"} <= set(labels(made))
    ((since, until_),) = bars(made)
    assert until_ - since == timedelta(seconds=40)
    assert len(bars(made, COLORS[1])) == 1  # a colour per model
    assert "left at" in made.traces["ends"]["text"][0]
    assert "another load needed its place" in made.traces["ends"]["text"][0]


def test_labels_do_not_run_into_the_next_band() -> None:
    often = [stay(ONE, 100 - 4 * i, 98 - 4 * i, "expired") for i in range(20)]
    made = drawn(session(300), *often)
    assert len(bars(made)) == 20
    assert labels(made).count("expired") == 1  # only the last one has room; the others on hover
    assert len(made.traces["ends"]["text"]) == 20
    longer = [stay(ONE, 100 - 22 * i, 80 - 22 * i, "expired") for i in range(3)]
    made = drawn(session(300), *longer)
    sides = [a["xanchor"] for a in made.layout["annotations"] if a["text"] == "expired"]
    assert sides == ["right", "right", "left"]  # in the band, where the next one is too near


def test_the_number_of_bands_is_bounded() -> None:
    often = [stay(ONE, 3000 - i, 2999.5 - i, "expired") for i in range(2900)]
    assert len(bars(drawn(session(8000), *often, window_s=3600.0))) <= 60


def test_gpu_rows_only_where_there_is_a_gpu() -> None:
    without = drawn(session(10), stay(ONE, 5, left_s=9))
    assert not [key for key in without.traces if key.startswith(("gpu", "vram"))]
    assert "yaxis5" not in without.layout
    made = drawn(session(10, gpus=(CARD,)), stay(ONE, 5, left_s=9))
    assert made.traces["gpu:0"]["y"][-1] == 50
    assert made.traces["vram:0"]["y"][-1] == 4
    assert {"GPU", "VRAM used"} <= set(labels(made))
    assert made.layout["height"] < 500
    untold = drawn(session(10, gpus=(UNTOLD,)), stay(ONE, 5, left_s=9))
    assert np.isnan(untold.traces["gpu:0"]["y"]).all()


def test_a_runner_is_named_by_what_it_turned_out_to_hold() -> None:
    loading = [sample(3, {}), sample(2, {None: RUNNER_BYTES}), sample(1, {ONE: RUNNER_BYTES})]
    made = drawn(loading, stay(ONE, 1, left_s=9))
    assert list(made.traces[f"memory:{ONE}"]["y"]) == [0, 283, 283]


def test_on_another_machine_memory_is_what_ollama_tells() -> None:
    far = [sample(s, None, {ONE: 23}) for s in (1.0, 0.5, 0.0)]
    made = drawn(far, stay(ONE, 1, left_s=23), is_local=False)
    assert list(made.traces[f"memory:{ONE}"]["y"]) == [257, 257, 257]
    assert "CPU<br>this machine" in labels(made)


def test_a_model_in_its_first_use_has_no_deadline_yet() -> None:
    moving = [sample(s, {ONE: 1}, {ONE: 30 - s}) for s in (1.0, 0.5, 0.0)]
    standing = [sample(s, {ONE: 1}, {ONE: 30}) for s in (1.0, 0.5, 0.0)]
    resident = (stay(ONE, 1, left_s=30),)
    assert leaves_text(without_moving_deadlines(resident, moving)[0], NOW) == "in use"
    assert leaves_text(without_moving_deadlines(resident, standing)[0], NOW) == "leaves in 30 s"
    assert without_moving_deadlines(resident, []) == resident
    assert leaves_text(stay(ONE, 9, left_s=-5), NOW) == "in use"
    assert leaves_text(stay(ONE, 9, left_s=-0.2), NOW) == "leaves now"


def test_names_are_text_and_never_markup() -> None:
    wicked = "<b onclick='x()'>m</b>"
    gone, here = stay(wicked, 60, 30, "expired"), stay(wicked, 20, left_s=9)
    made = drawn([sample(s, {wicked: 10_000_000}) for s in range(90, -1, -1)], gone, here)
    told = json.dumps({"t": [t.get("name") for t in made.traces.values()], "l": made.layout})
    assert "<b onclick" not in told + made.traces["ends"]["text"][0]
    assert wicked in end_text(gone)


def test_without_a_sample_there_is_a_picture_too() -> None:
    made = drawn([])
    assert "no model in memory in this time" in labels(made)
    go.Figure(data=list(made.traces.values()), layout=made.layout)


def test_the_status_line() -> None:
    now = sample(0, {ONE: RUNNER_BYTES}, {ONE: 23})
    line = status_text(now, [stay(ONE, 9, left_s=23)], cost_fraction=0.003, is_local=True)
    assert line == (
        "RAM 5.1 of 24 GB · CPU 12 % · smollm2:135m (runner 283 MB) leaves in 23 s · "
        "monitor and chart cost 0.3 % of a core"
    )
    far = status_text(now, [], cost_fraction=0.003, is_local=False)
    assert far.startswith("this machine (not the server's): RAM 5.1 of 24 GB, CPU 12 %")
    assert "no model in memory" in far
    card = status_text(sample(0, gpus=(CARD,)), [], cost_fraction=0.0, is_local=True)
    assert "GPU 0 4.0 of 24 GB" in card


# --- only what has changed -----------------------------------------------------------------------

STAYS = st.lists(
    st.builds(
        lambda model, since_s, ends, share, left_s: stay(
            model,
            since_s,
            since_s * share if ends else None,
            "expired" if ends else None,
            None if ends else left_s,
        ),
        st.sampled_from([ONE, OTHER, "c:1"]),
        st.floats(0, 200),
        st.booleans(),
        st.floats(0, 1),
        st.none() | st.floats(-5, 300),
    ),
    max_size=4,
)
PICTURES = st.builds(
    lambda count, stays, gpus: drawn(session(count, gpus=gpus), *stays),
    st.sampled_from([0, 1, 60, 260]),
    STAYS,
    st.sampled_from([(), (CARD,)]),
)


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


@settings(max_examples=15, deadline=None)
@given(st.lists(PICTURES, min_size=2, max_size=4))
def test_the_differences_add_up_to_the_picture(pictures: list[Picture]) -> None:
    live = LiveFigure(pictures[0])
    for made in pictures[1:]:
        live.show_picture(made)
    state = live.get_state()
    for name, value in pictures[-1].layout.items():
        assert plain(state["_widget_layout"].get(name, [])) == plain(value), name
    by_axis_and_name = {(t["yaxis"], t.get("name")): t for t in live._data}
    for trace in pictures[-1].traces.values():
        there = by_axis_and_name[trace["yaxis"], trace["name"]]
        assert {k: plain(there.get(k, [])) for k in trace} == plain(trace)
    live.close()


def test_an_update_is_small(recorded: None) -> None:
    samples = session(700, gpus=(CARD,))
    live = LiveFigure(drawn(samples[:-1], stay(ONE, 300, left_s=23)))
    live.comm.messages.clear()
    live.show_picture(drawn(samples, stay(ONE, 300, left_s=21)))
    sent = sum(len(json.dumps(message)) for _, message in live.comm.messages)
    assert 1000 < sent < 50_000
    live.comm.messages.clear()
    live.show_picture(drawn(samples, stay(ONE, 300, left_s=21)))
    assert live.comm.messages == []  # nothing has changed
    for i in range(20):
        made = drawn(samples, stay(ONE, 300, left_s=20 - i))
        live.show_picture(made)
    whole = [m["state"] for _, m in live.comm.messages if "_widget_layout" in (m["state"] or {})]
    assert len(whole) == 1  # now and then all of it, for a notebook that is run without a browser
    live.close()


# --- on a real Ollama ----------------------------------------------------------------------------


@pytest.fixture
def chart(server: Server, shut: Any) -> ResourceChart:
    return shut(ResourceChart(server=server))


def test_give_one_of_the_two(server: Server) -> None:
    for wrong in ({}, {"monitor": Monitor(server), "server": server}):
        with pytest.raises(ValueError, match="Give a Monitor, or server="):
            ResourceChart(**wrong)
    with pytest.raises(TypeError, match="Did you mean 'window_s'"):
        ResourceChart(server=server, windows_s=10)


def test_a_window_that_makes_no_sense_is_refused(server: Server) -> None:
    before = threading.active_count()
    with pytest.raises(ValueError, match="give 10 to 3600 seconds"):
        ResourceChart(server=server, window_s=1)
    assert threading.active_count() == before


@pytest.mark.slow
def test_a_band_appears_counts_down_and_ends(chart: ResourceChart, server: Server) -> None:
    server.preload(ONE, keep_alive=4)
    until(lambda: "leaves in" in chart.status)
    assert f"{ONE} (runner " in chart.status
    assert "of a core" in shown(chart)
    until(lambda: expiries(chart.figure))
    seen = {t for t in labels(chart.figure) if "leaves" in t}
    until(lambda: {t for t in labels(chart.figure) if "leaves" in t} - seen)  # it ticks
    until(lambda: "expired" in labels(chart.figure))
    ((since, until_),) = bars(chart.figure)
    assert 2.5 < (until_ - since).total_seconds() < 9
    assert "no model in memory" in chart.status
    memory = next(t for t in chart.figure.data if t.name == ONE)
    assert max(memory.y) > 200  # MB
    assert memory.y[-1] == 0


def test_unloading_says_so(chart: ResourceChart, server: Server) -> None:
    server.preload(ONE, keep_alive="forever")
    until(lambda: "stays forever" in chart.status)
    server.unload(ONE)
    until(lambda: "unloaded" in labels(chart.figure))


def test_the_figure_is_what_the_chart_shows(chart: ResourceChart, server: Server) -> None:
    server.preload(ONE, keep_alive=60)
    until(lambda: "leaves in" in chart.status)
    chart.monitor.stop()
    figure = chart.figure
    assert type(figure) is go.Figure
    chart._redraw()
    assert [t.name for t in figure.data] != []
    by_name = {t.name: t for t in chart._live.data}
    for trace in figure.data:
        assert list(by_name[trace.name].x) == list(trace.x)
    assert figure.layout.annotations == chart._live.layout.annotations
    assert json.loads(figure.to_json())["data"]


@pytest.mark.slow
def test_at_most_two_small_updates_a_second(server: Server, recorded: None, shut: Any) -> None:
    chart = shut(ResourceChart(server=server))
    server.preload(ONE, keep_alive=3)
    until(lambda: len(chart.monitor.samples) > 4)
    messages = chart._live.comm.messages
    messages.clear()
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 6)
    drawn_ = [m for _, m in messages if (m["state"] or {}).get("_py2js_update")]
    assert 6 <= len(drawn_) <= 13
    assert max(len(json.dumps(m, default=str)) for m in drawn_) < 50_000


def test_a_page_that_comes_later_gets_the_picture_as_it_is(chart: ResourceChart) -> None:
    until(lambda: len(chart.monitor.samples) > 3)
    state = chart._live.get_state()
    assert state["_widget_layout"]["xaxis"]["range"] == list(chart._live.layout.xaxis.range)
    assert len(state["_widget_data"][0]["x"]) >= 3


def test_another_monitor_can_be_shown(chart: ResourceChart, server: Server) -> None:
    until(lambda: chart.monitor.samples)
    first = chart.monitor
    with Monitor(server) as second:
        chart.monitor = second
        assert not first.is_running  # it was the chart's own
        until(lambda: len(second.samples) > 1)
        until(lambda: len(chart.figure.data[0].x) == len(second.samples))
        chart.close()
        assert second.is_running  # it was not


def test_close_leaves_no_thread(server: Server) -> None:
    chart = ResourceChart(server=server)
    until(lambda: chart.monitor.samples)
    monitor = chart.monitor
    chart.close()
    assert not monitor.is_running
    assert not [t for t in threading.enumerate() if t.name == "lifecycle-monitor"]
    assert chart.figure.data  # what was seen can still be drawn


def test_the_window_can_be_changed(chart: ResourceChart) -> None:
    until(lambda: chart.monitor.samples)
    chart.window_s = 600
    start, end = (moment(t) for t in chart.figure.layout.xaxis.range)
    assert end - start == timedelta(seconds=600)
    with pytest.raises(ValueError, match="give 10 to 3600"):
        chart.window_s = 5
    assert chart.window_s == 600
