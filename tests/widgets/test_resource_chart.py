"""ResourceChart: its pictures from constructed samples, and the whole of it on a real Ollama."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from widget_parts import shown, until

from lifecycle_widgets import Gpu, Monitor, Residency, Runner, Sample, Server
from lifecycle_widgets.model_colors import COLORS, MODEL_COLORS, ModelColors
from lifecycle_widgets.server import Resident
from lifecycle_widgets.widgets import ResourceChart
from lifecycle_widgets.widgets.chart.bands import BAR_OPACITY
from lifecycle_widgets.widgets.chart.picture import MAX_POINTS, Picture, picture
from lifecycle_widgets.widgets.chart.plot.as_plotly import as_plotly
from lifecycle_widgets.widgets.chart.plot.difference import patched
from lifecycle_widgets.widgets.chart.plot.plot import Plot
from lifecycle_widgets.widgets.chart.requests.bars import Bars
from lifecycle_widgets.widgets.chart.scene import Scene, models_of, room_ahead
from lifecycle_widgets.widgets.chart.series import without_moving_deadlines
from lifecycle_widgets.widgets.chart.words import end_text, leaves_text, status_text

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
ONE, OTHER = "smollm2:135m", "smollm2:135m-f16"
RUNNER_BYTES = 283_000_000
CARD = Gpu(0, "a card", 0.5, 4_000_000_000, 24_000_000_000)
UNTOLD = Gpu(0, "a slice", None, None, None)


def sample(
    before_s: float,
    runners: dict[str | None, int] | None = None,
    residents: dict[str, float | None] | None = None,
    *,
    gpus: tuple[Gpu, ...] = (),
    ram_bytes: int = 5_100_000_000,
    size_bytes: int | None = 257_000_000,
    **more: Any,
) -> Sample:
    """A sample ``before_s`` before NOW: runners with their memory, residents with seconds left.

    With ``unseen`` the runners cannot be seen, with ``not_told`` or ``error`` the residents not.
    """
    held = {} if runners is None else runners
    listed = tuple(
        Resident(
            name,
            size_bytes,
            0,
            None if left_s is None else NOW + timedelta(seconds=left_s),
            4096,
            "d",
        )
        for name, left_s in (residents or {}).items()
    )
    return Sample(
        at=NOW - timedelta(seconds=before_s),
        t_s=1000.0 - before_s,
        ram_used_bytes=ram_bytes,
        ram_total_bytes=24_000_000_000,
        cpu_fraction=0.12,
        runners=None
        if "unseen" in more
        else tuple(Runner(i, size, name) for i, (name, size) in enumerate(held.items())),
        gpus=gpus,
        residents=None if {"error", "not_told"} & more.keys() else listed,
        **more,
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
    ahead_s = room_ahead(stays, samples[0].at if samples else None, NOW, window_s)
    colors = ModelColors().of("here", models_of(stays))
    return picture(Scene(samples, stays, NOW, window_s, ahead_s, colors, **more))


def session(count: int, **more: Any) -> list[Sample]:
    return [
        sample(0.5 * (count - 1 - i), {ONE: RUNNER_BYTES}, {ONE: 23}, **more) for i in range(count)
    ]


def labels(made: Picture | go.Figure) -> list[str]:
    layout = made.layout
    texts = [a["text"] for a in layout["annotations"]]
    return [t.removeprefix("<b>").removesuffix("</b>") for t in texts]


def moment(place: float | str) -> datetime:
    """A time as the chart has it, or as plotly does (3.10 reads no single decimal otherwise)."""
    if isinstance(place, str):
        return datetime.strptime(place, "%Y-%m-%d %H:%M:%S.%f")
    return datetime.fromtimestamp(place, timezone.utc).replace(tzinfo=None)


def place(at: datetime) -> float:
    """Where the chart has a time."""
    return clock(at).replace(tzinfo=timezone.utc).timestamp()


def clock(at: datetime) -> datetime:
    """The same time as the clock of this machine shows it."""
    return at.astimezone().replace(tzinfo=None)


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
    assert moment(made.traces["cpu"]["x"][-1]) == clock(NOW)
    text = NOW.astimezone().strftime("%Y-%m-%d %H:%M:%S.0")
    assert as_plotly(made).data[0].x[-1] == text


def test_a_resident_model_counts_down_to_its_expiry() -> None:
    made = drawn(session(300), stay(ONE, 60, left_s=22.6))
    assert "leaves in 23 s" in labels(made)
    (line,) = expiries(made)
    assert moment(line["x0"]) == clock(NOW + timedelta(seconds=22.6))
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
    assert {"evicted", "requested"} <= set(labels(made))
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
    assert len(bars(drawn(session(8000), *often, window_s=3600.0))) <= 240


def test_gpu_rows_only_where_there_is_a_gpu() -> None:
    without = drawn(session(10), stay(ONE, 5, left_s=9))
    assert not [key for key in without.traces if key.startswith(("gpu", "vram"))]
    assert "yaxis5" not in without.layout
    made = drawn(session(10, gpus=(CARD,)), stay(ONE, 5, left_s=9))
    assert made.traces["gpu:0"]["y"][-1] == 50
    assert made.traces["vram:0"]["y"][-1] == 4
    assert {"GPU", "VRAM used"} <= set(labels(made))
    assert made.layout["height"] < 500


def test_a_card_has_rows_for_what_it_tells() -> None:
    untold = drawn(session(10, gpus=(UNTOLD,)), stay(ONE, 5, left_s=9))
    assert not [key for key in untold.traces if key.startswith(("gpu", "vram"))]
    assert not {"GPU", "VRAM used"} & set(labels(untold))
    shared = Gpu(0, "one that shares main memory", 0.25, None, None)
    made = drawn(session(10, gpus=(shared, UNTOLD)), stay(ONE, 5, left_s=9))
    assert made.traces["gpu:0"]["y"][-1] == 25
    assert "VRAM used" not in labels(made)
    without_total = Gpu(1, "", None, 30_000_000_000, None)
    made = drawn(session(10, gpus=(UNTOLD, without_total)), stay(ONE, 5, left_s=9))
    assert made.layout["yaxis6"]["range"][1] > 30  # the axis shows it all
    lost = [*session(10, gpus=(CARD,)), *session(3, gpus=(UNTOLD,))]
    assert drawn(lost, stay(ONE, 5, left_s=9)).traces["gpu:0"]["y"][-1] is None


def test_a_runner_is_named_by_what_it_turned_out_to_hold() -> None:
    loading = [sample(3, {}), sample(2, {None: RUNNER_BYTES}), sample(1, {ONE: RUNNER_BYTES})]
    made = drawn(loading, stay(ONE, 1, left_s=9))
    assert list(made.traces[f"memory:{ONE}"]["y"]) == [0, 283, 283]


def test_where_runners_cannot_be_seen_memory_is_what_ollama_tells() -> None:
    far = [sample(s, None, {ONE: 23}, unseen="It is elsewhere.") for s in (1.0, 0.5, 0.0)]
    made = drawn(far, stay(ONE, 1, left_s=23), is_elsewhere=True)
    assert list(made.traces[f"memory:{ONE}"]["y"]) == [257, 257, 257]
    assert {"CPU<br>this machine", "model memory<br>as Ollama tells"} <= set(labels(made))
    assert "RAM used<br>of 24 GB<br>this machine" in labels(made)


def test_seen_and_told_in_one_window() -> None:
    both = [
        sample(1.5, {ONE: RUNNER_BYTES}, {ONE: 23}),
        sample(1.0, None, {ONE: 23}, unseen="A container's processes cannot be seen."),
        sample(0.5, None, unseen="So.", error="It does not answer."),
        sample(0, {ONE: RUNNER_BYTES}, {ONE: 23}),
    ]
    made = drawn(both, stay(ONE, 1, left_s=23))
    seen, told, nothing, again = made.traces[f"memory:{ONE}"]["y"]
    assert (seen, told, again) == (283, 257, 283)
    assert nothing is None  # it is not known to be none
    assert "runner memory,<br>in part as<br>Ollama tells" in labels(made)


def test_sizes_that_are_not_told_are_not_drawn_and_it_is_said() -> None:
    untold = [sample(s, None, {ONE: 23}, unseen="So.", size_bytes=None) for s in (0.5, 0)]
    made = drawn(untold, stay(ONE, 1, left_s=23))
    assert not [key for key in made.traces if key.startswith("memory")]
    assert "model memory<br>size not told" in labels(made)
    line = status_text(untold[-1], [stay(ONE, 1, left_s=23)], cost_fraction=0)
    assert f"{ONE} (size not told) leaves in 23 s" in line


def test_a_model_partly_on_a_card_says_how_much_of_it() -> None:
    seen, unseen = (
        sample(0, {ONE: RUNNER_BYTES}, {ONE: 23}),
        sample(0, None, {ONE: 23}, unseen="So."),
    )
    for one, words in ((seen, ", and 100 MB on the GPU)"), (unseen, ", of it 100 MB on the GPU)")):
        told = tuple(replace(r, size_vram_bytes=100_000_000) for r in one.residents or ())
        line = status_text(replace(one, residents=told), [stay(ONE, 1, left_s=23)], cost_fraction=0)
        assert words in line


def test_a_server_that_does_not_tell_what_is_in_memory() -> None:
    silent = [sample(s, unseen="So.", not_told="It has no /api/ps.") for s in (0.5, 0)]
    made = drawn(silent)
    assert "this server does not tell what is in memory" in labels(made)
    assert "model memory<br>not told" in labels(made)
    assert "this server does not tell what is in memory" in status_text(
        silent[-1], [], cost_fraction=0
    )
    gone = [sample(s, error="Nothing answers.") for s in (0.5, 0)]
    assert "the server does not answer" in labels(drawn(gone))


def test_a_containers_ram() -> None:
    inside = sample(0, ram_of="this container")
    assert "RAM used<br>of 24 GB<br>this container" in labels(drawn([inside]))
    assert status_text(inside, [], cost_fraction=0).startswith("this container's RAM 5.1 of 24 GB")


def test_what_could_not_be_read_leaves_a_gap_and_no_fault() -> None:
    blind = replace(sample(0), ram_used_bytes=None, ram_total_bytes=None, cpu_fraction=None)
    for samples in ([blind], [sample(1), blind]):
        made = drawn(samples)
        assert made.traces["ram"]["y"][-1] is None
        as_plotly(made)
    assert status_text(blind, [], cost_fraction=0).startswith("no model in memory")
    said = replace(blind, faults=("CPU cannot be read: no permission.",), unseen=None)
    assert "CPU cannot be read: no permission · " in status_text(said, [], cost_fraction=0)


@pytest.mark.parametrize("at", [None, datetime.min, datetime.max])
def test_until_when_is_not_told(at: datetime | None) -> None:
    told = None if at is None else at.replace(tzinfo=timezone.utc)
    resident = replace(stay(ONE, 60, left_s=5), expires_at=told)
    samples = [replace(one, residents=listed(told)) for one in session(300)]
    shown_ = without_moving_deadlines((resident,), samples)
    made = drawn(samples, *shown_)
    assert len(bars(made)) == 1
    if at is None:
        assert "until when is not told" in labels(made)
        line = status_text(samples[-1], shown_, cost_fraction=0)
        assert f"{ONE} (runner 283 MB) in memory, until when is not told" in line


def listed(expires_at: datetime | None) -> tuple[Resident, ...]:
    return (Resident(ONE, 1, 0, expires_at, 4096, "d"),)


# --- many models ---------------------------------------------------------------------------------


def many(count: int) -> list[Residency]:
    return [stay(f"model:{i}", 100 - i, left_s=20.0 + i) for i in range(count)]


def test_twelve_models_are_all_there_in_colours_that_differ() -> None:
    stays = many(12)
    held = {s.model: 675_000_000 for s in stays}
    samples = [sample(s, held, dict.fromkeys(held, 20.0)) for s in (1, 0)]
    made = drawn(samples, *stays)
    assert made.layout["yaxis"]["ticktext"] == [s.model for s in stays]
    solid = [s for s in made.layout["shapes"] if s.get("opacity") == BAR_OPACITY]
    assert len({s["fillcolor"] for s in solid}) == 12
    assert len({t["fillcolor"] for k, t in made.traces.items() if k.startswith("memory")}) == 12
    few = drawn(samples, *stays[:2])
    assert made.layout["height"] > few.layout["height"]
    low, high = made.layout["yaxis2"]["domain"]
    assert (high - low) * made.layout["height"] > 60  # the memory row keeps its height
    line = status_text(samples[-1], stays, cost_fraction=0.003)
    assert "12 models in memory, 8.1 GB; next leaves in 20 s" in line
    assert len(line) < 150


def test_of_more_models_than_fit_those_in_memory_are_shown_and_the_rest_is_counted() -> None:
    gone = [stay(f"gone:{i}", 110, 90 - i, "expired") for i in range(10)]
    stays = sorted([*many(12), *gone], key=lambda s: s.since)
    made = drawn([sample(200), sample(0)], *stays, window_s=240.0)
    *names, last = made.layout["yaxis"]["ticktext"]
    assert last == "and 6 more, not shown"
    assert {s.model for s in many(12)} < set(names)
    assert set(names) - {s.model for s in many(12)} == {f"gone:{i}" for i in range(6, 10)}


def test_a_resident_model_is_drawn_however_many_came_and_went_after_it() -> None:
    often = [stay(OTHER, 100 - i, 99.5 - i, "expired") for i in range(99)]
    assert len(bars(drawn([sample(1), sample(0)], stay(ONE, 110, left_s=9), *often))) == 1


def test_a_model_keeps_its_colour_everywhere() -> None:
    colors = ModelColors()
    first = colors.of("here", [s.model for s in many(16)])
    assert sorted(first.values()) == sorted(COLORS)
    later = colors.of("here", ["new:1", *reversed(first)])
    assert {model: later[model] for model in first} == first
    assert len(colors.of("here", [s.model for s in many(40)])) == 40
    elsewhere = colors.of("there", ["another:1", "model:7"])
    assert elsewhere["model:7"] == first["model:7"]
    assert len(set(elsewhere.values())) == 2


def test_many_that_never_leave_or_do_not_tell_when() -> None:
    held = [stay(f"m:{i}", 9) for i in range(5)]
    now = sample(0, unseen="So.", size_bytes=None, residents={s.model: None for s in held})
    forever = status_text(now, held, cost_fraction=0)
    assert "5 models in memory, size not told; all stay forever" in forever
    untold = [replace(s, is_forever=False) for s in held]
    assert "; until when is not told" in status_text(now, untold, cost_fraction=0)


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
    as_plotly(made)


def test_the_status_line() -> None:
    now = sample(0, {ONE: RUNNER_BYTES}, {ONE: 23})
    line = status_text(now, [stay(ONE, 9, left_s=23)], cost_fraction=0.003)
    assert line == (
        "RAM 5.1 of 24 GB · CPU 12 % · smollm2:135m (runner 283 MB) leaves in 23 s · "
        "monitor and chart cost 0.3 % of a core"
    )
    far = status_text(now, [], cost_fraction=0.003, is_elsewhere=True)
    assert far.startswith("this machine (not the server's): RAM 5.1 of 24 GB, CPU 12 %")
    assert "no model in memory" in far
    card = status_text(sample(0, gpus=(CARD,)), [], cost_fraction=0.0)
    assert "GPU 0 4.0 of 24 GB" in card
    assert "GPU 0 tells nothing" in status_text(sample(0, gpus=(UNTOLD,)), [], cost_fraction=0.0)
    hidden = sample(0, None, {ONE: 23}, unseen="Its processes are another user's.")
    line = status_text(hidden, [stay(ONE, 9, left_s=23)], cost_fraction=0.003)
    assert f"{ONE} (257 MB) leaves in 23 s · Its processes are another user's · monitor" in line


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


def sent(plot: Plot) -> list[dict[str, Any]]:
    """The changes that went to the page, each as it arrives there."""
    told = [m["content"] for _, m in plot.comm.messages if m["method"] == "custom"]
    return [json.loads(json.dumps(content["change"])) for content in told if "change" in content]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(pictures=st.lists(PICTURES, min_size=2, max_size=4))
def test_the_differences_add_up_to_the_picture(recorded: None, pictures: list[Picture]) -> None:
    plot = Plot(pictures[0], heard=print)
    page = json.loads(json.dumps(plot.get_state()["_picture"]))
    for made in pictures[1:]:
        plot.show_picture(made)
    for change in sent(plot):
        page = patched(page, change)
    assert page == json.loads(json.dumps(plot.get_state()["_picture"]))
    assert page["layout"] == json.loads(json.dumps(pictures[-1].layout))
    assert page["traces"] == json.loads(json.dumps(pictures[-1].traces))
    plot.close()


def test_an_update_is_small(recorded: None) -> None:
    samples = session(700, gpus=(CARD,))
    plot = Plot(drawn(samples[:-1], stay(ONE, 300, left_s=23)), heard=print)
    plot.comm.messages.clear()
    plot.show_picture(drawn(samples, stay(ONE, 300, left_s=21)))
    size = sum(len(json.dumps(message)) for _, message in plot.comm.messages)
    assert 200 < size < 5_000
    plot.comm.messages.clear()
    plot.show_picture(drawn(samples, stay(ONE, 300, left_s=21)))
    assert plot.comm.messages == []  # nothing has changed
    for i in range(20):
        plot.show_picture(drawn(samples, stay(ONE, 300, left_s=20 - i)))
    states = [m.get("state") or {} for _, m in plot.comm.messages]
    whole = [state for state in states if "_picture" in state]
    assert len(whole) == 1  # now and then all of it, for a notebook that is run without a browser
    plot._handle_custom_msg({"wants": "picture"}, [])  # a page is there: it keeps it itself
    plot.comm.messages.clear()
    for i in range(40):
        plot.show_picture(drawn(samples, stay(ONE, 300, left_s=100 - i)))
    assert not [m for _, m in plot.comm.messages if m["method"] != "custom"]
    plot.close()


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
    with pytest.raises(ValueError, match="give 10 seconds or more"):
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
    color = MODEL_COLORS.of(server.url, [ONE])[ONE]  # others of this process may have come first
    ((since, until_),) = bars(chart.figure, color)
    assert 2.5 < (until_ - since).total_seconds() < 9
    until(lambda: "no model in memory" in chart.status)  # drawn a moment after it is known
    memory = next(t for t in chart.figure.data if t.name == ONE)
    assert max(memory.y) > 200  # MB
    assert memory.y[-1] == 0


def test_unloading_says_so(chart: ResourceChart, server: Server) -> None:
    server.preload(ONE, keep_alive="forever")
    until(lambda: "stays forever" in chart.status)
    server.unload(ONE)
    until(lambda: "requested" in labels(chart.figure))


def test_the_figure_is_what_the_chart_shows(chart: ResourceChart, server: Server) -> None:
    server.preload(ONE, keep_alive=60)
    until(lambda: "leaves in" in chart.status)
    chart.monitor.stop()
    figure = chart.figure
    assert type(figure) is go.Figure
    chart._redraw()
    assert [t.name for t in figure.data] != []
    page = chart._plot.get_state()["_picture"]
    by_name = {trace["name"]: trace for trace in page["traces"].values() if trace["name"]}
    for trace in figure.data:
        if trace.name in by_name:
            assert [moment(x) for x in trace.x] == [moment(x) for x in by_name[trace.name]["x"]]
    assert labels(figure) == labels(Picture({}, Bars(), page["layout"]))
    assert json.loads(figure.to_json())["data"]


@pytest.mark.slow
def test_at_most_two_small_updates_a_second(server: Server, recorded: None, shut: Any) -> None:
    chart = shut(ResourceChart(server=server))
    server.preload(ONE, keep_alive=3)
    until(lambda: len(chart.monitor.samples) > 4)
    messages = chart._plot.comm.messages
    messages.clear()
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 6)
    drawn_ = [m for _, m in messages if "change" in (m.get("content") or {})]
    assert 6 <= len(drawn_) <= 13
    assert max(len(json.dumps(m)) for m in drawn_) < 20_000


def test_a_page_that_comes_later_gets_the_picture_as_it_is(chart: ResourceChart) -> None:
    until(lambda: len(chart.monitor.samples) > 3)
    until(lambda: len(chart._plot.get_state()["_picture"]["traces"]["ram"]["x"]) > 2)
    chart.monitor.stop()  # so that nothing is drawn meanwhile
    page = chart._plot.get_state()["_picture"]
    assert page["number"] > 0
    last_s = place(chart.monitor.samples[-1].at)
    assert page["traces"]["ram"]["x"][-1] == pytest.approx(last_s, abs=1)


def test_charts_of_one_server_share_its_monitor(chart: ResourceChart, server: Server) -> None:
    def threads() -> int:
        return len([t for t in threading.enumerate() if t.name == "lifecycle-monitor"])

    until(lambda: chart.monitor.samples)
    others = [ResourceChart(server=given) for given in (server, server.url)]
    assert threads() == 1
    for other in others:
        assert other.monitor.samples  # from the first moment what the others have seen
        other.close()
    assert threads() == 1
    chart.close()
    until(lambda: threads() == 0)


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
    chart.close()
    until(lambda: not [t for t in threading.enumerate() if t.name == "lifecycle-monitor"])
    assert chart.figure.data  # what was seen can still be drawn


def test_the_window_can_be_changed(chart: ResourceChart) -> None:
    until(lambda: chart.monitor.samples)
    chart.window_s = 600
    start, end = (moment(t) for t in chart.figure.layout.xaxis.range)
    assert end - start == timedelta(seconds=600)
    with pytest.raises(ValueError, match="give 10 seconds or more"):
        chart.window_s = 5
    assert chart.window_s == 600
