"""Requests on the chart's axis: their bars, what they say, whose run each is; no server needed."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_widgets import KeepAlive, Run, Step, Timings
from lifecycle_widgets.history import Busy
from lifecycle_widgets.monitor import OTHERS, OURS, Request
from lifecycle_widgets.widgets.chart.picture import Picture, picture
from lifecycle_widgets.widgets.chart.plot.as_plotly import as_plotly
from lifecycle_widgets.widgets.chart.requests.bars import (
    BOTTOM,
    MOST_BARS,
    PHASE_COLORS,
    TOP,
    Bars,
    joined,
    request_bars,
    request_key,
)
from lifecycle_widgets.widgets.chart.requests.matching import requests_of, run_of
from lifecycle_widgets.widgets.chart.requests.words import request_text
from lifecycle_widgets.widgets.chart.scene import Scene
from lifecycle_widgets.widgets.style import static
from tests.fed_monitor import NOON

ONE, OTHER = "smollm2:135m", "qwen3:4b"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def asked(begin_s: float, end_s: float, model: str = ONE, **more: object) -> Request:
    known = {"whose": OURS, "witnesses": ("own",), **more}
    return Request(model, at(begin_s), at(end_s), begin_s, end_s, **known)  # type: ignore[arg-type]


def bars(*requests: Request, busy: tuple[Busy, ...] = (), **more: object) -> Bars:
    place = lambda when: (when - NOON).total_seconds()  # noqa: E731
    known = {"now": at(100), "window_s": 120.0, **more}
    return request_bars(requests, busy, {ONE: 0, OTHER: 1}, place, **known)  # type: ignore[arg-type]


def stretches(made: Bars) -> list[tuple[str, float, float]]:
    return list(zip(made.phase, made.x0, made.x1, strict=True))


def test_ours_are_phases_one_after_another() -> None:
    told = {"queued_s": 1.0, "load_s": 2.0, "prompt_eval_s": 0.5, "eval_s": 4.0}
    made = bars(asked(10, 18, **told))
    assert stretches(made) == [
        ("queued", 10, 11),
        ("load", 11, 13),
        ("prompt eval", 13, 13.5),
        ("eval", 13.5, 17.5),
        ("rest", 17.5, 18),
    ]
    assert not any(made.hatched)
    assert set(zip(made.y0, made.y1, strict=True)) == {(TOP, BOTTOM)}
    # whatever the server says of its times, a bar ends with its request
    late = bars(asked(10, 12, load_s=9.0, eval_s=5.0))
    assert stretches(late) == [("load", 10, 12)]


def test_others_are_hatched_from_begin_to_end_or_at_their_end() -> None:
    made = bars(
        asked(10, 14, whose=OTHERS),
        replace(asked(20, 30, whose=OTHERS), began_at=None, began_s=None),
        asked(40, 44, OTHER, whose=OTHERS, load_s=1.5),
    )
    assert all(made.hatched)
    assert stretches(made)[0] == ("not told", 10, 14)
    _, begin, end = stretches(made)[1]
    assert end == 30
    assert 29 < begin < 30
    assert stretches(made)[2:] == [("load", 40, 41.5), ("rest", 41.5, 44)]
    assert [int(y) for y in made.y0] == [0, 0, 1, 1]  # each in its model's lane


def test_what_goes_on_reaches_to_now() -> None:
    made = bars(replace(asked(90, 95), ended_at=None, ended_s=None))
    assert stretches(made) == [("not told", 90, 100)]
    assert "it goes on" in made.texts[0]


def test_requests_at_once_are_apart() -> None:
    made = bars(asked(10, 20), asked(12, 22), asked(14, 24), asked(16, 26), asked(50, 60))
    rows = [round((y - TOP) / ((BOTTOM - TOP) / 3)) for y in made.y0]
    assert rows == [0, 1, 2, 2, 0]


@given(
    st.lists(
        st.tuples(
            st.floats(0, 600),
            st.floats(0, 30),
            st.sampled_from([ONE, OTHER]),
            st.sampled_from([OURS, OTHERS]),
            st.sampled_from(["both", "begin", "end"]),
        ),
        max_size=700,
    )
)
@settings(max_examples=25, deadline=None)
def test_however_many_none_is_lost_and_the_bars_are_few(
    drawn: list[tuple[float, float, str, str, str]],
) -> None:
    requests = []
    for begin_s, took_s, model, whose, known in drawn:
        one = asked(begin_s, begin_s + took_s, model, whose=whose)
        if known == "begin":
            one = replace(one, ended_at=None, ended_s=None)
        elif known == "end":
            one = replace(one, began_at=None, began_s=None)
        requests.append(one)
    groups = joined(requests, 600.0, at(700))
    assert sorted(map(id, (r for group in groups for r in group))) == sorted(map(id, requests))
    assert len(groups) <= MOST_BARS
    assert all(len({(r.model, r.whose) for r in group}) == 1 for group in groups)
    made = bars(*requests, window_s=600.0, now=at(700))
    assert all(x0 <= x1 for x0, x1 in zip(made.x0, made.x1, strict=True))
    assert set(made.of) == set(range(len(made.keys)))


def test_a_stretch_of_which_only_the_sum_is_known_is_as_high_as_it_was_busy() -> None:
    half = Busy(ONE, at(0), at(20), 7, 10.0, loads=2)
    idle = Busy(ONE, at(20), at(40), 0, 0.0)
    made = bars(busy=(half, idle))
    assert stretches(made) == [("busy", 0, 20)]
    assert made.y1[0] - made.y0[0] == pytest.approx((BOTTOM - TOP) / 2, abs=0.001)
    assert "7 requests, 2 loads" in made.texts[0]
    assert "at work for 10.0 s (50 %)" in made.texts[0]


def test_the_colours_are_those_of_the_split() -> None:
    css = static("lab.css")
    for phase in ("load", "prompt eval", "eval", "rest", "embeddings"):
        assert f"--lw-{phase.replace(' ', '-')}: {PHASE_COLORS[phase]};" in css


def test_hover_tells_whose_and_how_exact() -> None:
    text = request_text(
        asked(
            10,
            14,
            whose=OTHERS,
            witnesses=("deadline", "runner"),
            begin_within_s=0.5,
            end_within_s=0.25,
            count=2,
            keep_alive_s=math.inf,
            status=500,
            is_broken_off=True,
        )
    )
    assert "another client, at least 2 requests that overlap" in text
    assert "12:00:10.0 (± 0.50 s) to 2 Mar 12:00:14.0 (± 0.25 s): 4.00 s" in text
    assert "keep_alive forever" in text
    assert "HTTP status 500" in text
    assert "it was broken off" in text
    assert "known by: its end moved the deadline in /api/ps; the model's runner was at work" in text


# --- whose run -----------------------------------------------------------------------------------


def run(start_s: float, *steps: tuple[float, str]) -> Run:
    made = tuple(Step(begin_s, Timings(2.0), model=model) for begin_s, model in steps)
    return Run(ONE, KeepAlive(60), "Hi", "Hello", at(start_s), Timings(9.0), made)


def test_a_request_belongs_to_the_run_that_made_it() -> None:
    first, second = run(0, (0.5, ONE), (4.0, OTHER)), run(30, (0.5, ""))
    seen = [asked(0.55, 2.5), asked(4.02, 6, OTHER), asked(30.45, 33), asked(4.02, 6)]
    assert requests_of(first, seen) == seen[:2]
    assert run_of(seen[1], [first, second]) is first
    assert run_of(seen[2], [first, second]) is second
    assert run_of(seen[3], [first, second]) is None  # at that time it asked another model
    assert run_of(asked(0.5, 2, whose=OTHERS), [first]) is None
    assert run_of(asked(0.61, 2), [first]) is None  # another request, 0.11 s later
    assert run_of(replace(seen[0], began_at=None), [first]) is None


# --- in the picture ------------------------------------------------------------------------------


def drawn(*requests: Request, **more: object) -> Picture:
    known = {"now": at(100), "window_s": 120.0, "ahead_s": 10.0, "colors": {}, **more}
    return picture(Scene([], [], requests=requests, **known))  # type: ignore[arg-type]


def test_only_what_is_in_view_is_drawn() -> None:
    requests = [asked(-60, -50), asked(-15, 5), asked(50, 60), asked(300, 310)]
    made = drawn(*requests)  # from -10 s to 110 s
    assert made.bars.keys == [request_key(r) for r in requests[1:3]]
    assert made.layout["yaxis"]["ticktext"] == [ONE]  # a lane, without a stay


def test_marked_ones_stand_out() -> None:
    requests = [asked(10, 20), asked(50, 60)]
    made = drawn(*requests, marked={request_key(requests[1])})
    assert made.bars.marked == [1]


def test_a_plotly_figure_has_them_too(tmp_path: Path) -> None:
    made = drawn(asked(10, 20, load_s=1.0, eval_s=3.0), asked(30, 40, whose=OTHERS))
    figure = as_plotly(made)
    filled = {t.name: t for t in figure.data if t.fill == "toself"}
    assert filled["load"].fillcolor == PHASE_COLORS["load"]
    assert filled["not told"].fillpattern.shape == "/"
    marks = figure.data[-1]
    assert len(marks.x) == 2
    assert "another client" in marks.text[1]
