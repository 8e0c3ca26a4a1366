"""Loads that go on, and what is said of them: seen by a runner, or by a request that waits."""

from __future__ import annotations

import pytest
from stay_samples import A, B, at, request, sample

from lifecycle_widgets.monitor import OTHERS, Loading, Request, Sample, loading, residencies
from lifecycle_widgets.widgets.chart.words import nothing_text, status_text

IDLE = sample(-1, {}, {})


def said(*samples: Sample, requests: tuple[Request, ...] = ()) -> str:
    """The models' part of the status line."""
    stays = residencies(samples, requests=requests)
    line = status_text(samples[-1], stays, requests=requests, cost_fraction=0)
    return line.split("CPU 10 % · ")[1].split(" · monitor and chart")[0]


def test_a_load_that_is_seen() -> None:
    samples = [IDLE, *(sample(t, {}, {1: A}) for t in range(13))]
    assert loading(samples[-1], residencies(samples)) == (Loading(A, at(0), 12.0),)
    assert said(*samples) == f"loading {A}, 12 s"
    assert said(IDLE, sample(0, {}, {1: None})) == "loading name not told, 1 s"
    assert said(*samples, sample(13, {}, {})) == "no model in memory"


def test_beside_what_is_in_memory() -> None:
    samples = [IDLE, sample(0, {A: 60}, {1: A}), sample(1, {A: 60}, {1: A, 2: B})]
    assert said(*samples) == f"loading {B}, 1 s · {A} (runner 1 kB) leaves in 59 s"


def test_what_it_usually_takes() -> None:
    before = [sample(0, {}, {1: A}), sample(4, {A: 60}, {1: A}), sample(9, {}, {})]
    assert said(IDLE, *before, sample(20, {}, {2: A}), sample(22, {}, {2: A})) == (
        f"loading {A}, 2 s (usually 4 s)"
    )


def test_where_runners_cannot_be_seen_a_request_of_ours_that_waits_tells_of_it() -> None:
    waits = request("a", 0.5, None)
    samples = [sample(t, {}) for t in (0, 1, 2, 3.5)]
    [one] = loading(samples[-1], (), (waits,))
    assert one == Loading("a", at(0.5), 3.0, is_seen=False)
    text = "loading a, 3 s (as a request of ours waits for it)"
    assert said(*samples, requests=(waits,)) == text
    assert nothing_text(samples[-1], (waits,)) == text
    assert said(*samples, sample(4, {A: 60}), requests=(waits,)).startswith(f"{A} (1 kB")


@pytest.mark.parametrize(
    ("one", "why_not"),
    [
        (request(A, 0.5, 1.5), "it has ended"),
        (request(A, 2.9, None), "it has only begun"),
        (request(A, 0.5, None, OTHERS), "whether another client's waits for a load is not known"),
        (request(B, 0.5, None), "it is in memory"),
    ],
)
def test_no_load_is_concluded(one: Request, why_not: str) -> None:
    now = sample(3.5, {B: 60})
    assert loading(now, residencies([now]), (one,)) == (), why_not


def test_nothing_is_concluded_where_runners_are_seen_or_nothing_is_told() -> None:
    waits = request(A, 0.5, None)
    for now in (sample(3.5, {}, {}), sample(3.5, None)):
        assert loading(now, (), (waits,)) == ()
    assert nothing_text(sample(3.5, None), (waits,)) == "the server does not answer"
    assert nothing_text(sample(3.5, {}, {})) == "no model in memory in this time"
