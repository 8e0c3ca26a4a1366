"""What is told of a stay's use: who loaded and touched it, its keep_alive, its load; stuck."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from stay_samples import FOREVER_S, GPU, A, B, only, request, sample, untold

from lifecycle_widgets.monitor import (
    OTHERS,
    OURS,
    Request,
    Residency,
    Runner,
    Sample,
    residencies,
    residency_frame,
)
from lifecycle_widgets.server import Resident

LOADING = [sample(0, {}, {}), *(sample(t, {}, {1: A}) for t in (1, 2, 3))]
FIRST_USE = [sample(t, {A: t + 300}, {1: A}) for t in (4, 5, 6)]
SETTLED = [sample(t, {A: 306.4}, {1: A}) for t in (7, 8)]
DAY = [*LOADING, *FIRST_USE, *SETTLED]


def told(samples: Iterable[Sample], *requests: Request) -> Residency:
    [stay] = residencies(list(samples), requests=requests)
    return stay


# --- the keep_alive in force ---------------------------------------------------------------------


def test_the_keep_alive_is_read_from_a_deadline_that_moves_along() -> None:
    assert told(DAY[:5]).keep_alive_s is None  # one look tells nothing
    assert [told(DAY[:i]).keep_alive_s for i in (6, 7, 9)] == [300.0] * 3
    late = [sample(t, {A: t + 0.1 + 42.5}, {1: A}) for t in (4, 5)]
    assert told([*LOADING, *late]).keep_alive_s == pytest.approx(42.6)
    short = [sample(t, {A: t + 0.3}, {1: A}) for t in (4, 5)]
    assert told([*LOADING, *short]).keep_alive_s == 0.3


def test_what_another_request_has_set_is_not_known_but_by_the_request() -> None:
    later = [*DAY, sample(20, {A: 400.0}, {1: A})]
    assert told(later).keep_alive_s is None
    assert told(later, request(A, 18, 19.9, OTHERS)).keep_alive_s is None
    assert told(later, request(A, 18, 19.9, OTHERS, keep_alive_s=380.1)).keep_alive_s == 380.1
    # one of ours that has sent none leaves what there was
    requests = [request("a", 0.5, 6.4, keep_alive_s=300.0), request("a", 18, 19.9)]
    assert told(later, *requests).keep_alive_s == 300.0


def test_while_it_is_answered_a_requests_keep_alive_is_in_force() -> None:
    assert told(DAY, request(A, 7.5, None, keep_alive_s=20.0)).keep_alive_s == 20.0


def test_forever_and_zero() -> None:
    assert only(sample(0, {A: FOREVER_S})).keep_alive_s == math.inf
    gone = [*LOADING, sample(4, {A: 4.0}, {1: A}), sample(5, {}, {})]
    [stay] = residencies(gone, zeroed=[("a", 4.5)])
    assert (stay.keep_alive_s, stay.touched_by) == (0.0, OURS)


# --- whose requests ------------------------------------------------------------------------------


def test_who_loaded_and_who_touched_it() -> None:
    ours, theirs = request("a", 0.5, 6.4), request(A, 7.2, 7.6, OTHERS)
    assert who(DAY) == (None, None)
    assert who(DAY, ours) == (OURS, OURS)
    assert who(DAY, ours, theirs) == (OURS, OTHERS)
    assert who(DAY, request(A, 0.9, 6.4, OTHERS), request(A, 3, 7.0)) == (OTHERS, OURS)
    assert who(DAY[:3], request(A, 0.5, None)) == (OURS, None)
    assert who(DAY, request(B, 0.5, 6.4)) == (None, None)
    assert who(DAY, request(A, 7.1, 7.2, kind="unload")) == (None, None)


def test_whose_load_it_was_is_not_known_of_a_model_that_was_there_already() -> None:
    assert who(SETTLED, request(A, 0.5, 7.4)) == (None, OURS)


def test_of_two_stays_each_has_its_requests() -> None:
    samples = [*DAY, sample(9, {}, {}), sample(10, {}, {2: A}), sample(11, {A: 400}, {2: A})]
    first, second = residencies(
        samples, requests=[request(A, 0.5, 6.4), request(A, 9.5, 10.9, OTHERS)]
    )
    assert (first.loaded_by, first.touched_by) == (OURS, OURS)
    assert (second.loaded_by, second.touched_by) == (OTHERS, OTHERS)


def who(samples: Iterable[Sample], *requests: Request) -> tuple[str | None, str | None]:
    stay = told(samples, *requests)
    return stay.loaded_by, stay.touched_by


# --- its load, and its size ----------------------------------------------------------------------


def test_how_long_the_load_takes_and_took() -> None:
    assert [told(DAY[:i]).load_s for i in (2, 4, 5, 9)] == [0.0, 2.0, 3.0, 3.0]
    assert told(DAY, request(A, 0.5, 6.4, load_s=3.21)).load_s == 3.21
    assert told(DAY, request(A, 0.5, 6.4, OTHERS)).load_s == 3.0
    assert told(SETTLED).load_s is None
    assert told([sample(0, {}, {}), *FIRST_USE]).load_s is None  # it was too short to be seen
    assert told([*LOADING, sample(4, {}, {})]).load_s is None


def test_a_runner_tells_when_it_was_started() -> None:
    def started(one: Sample) -> Sample:
        runners = tuple(replace(runner, started_s=0.4) for runner in one.runners or ())
        return replace(one, runners=runners)

    assert told(map(started, DAY)).load_s == pytest.approx(3.6)
    assert told(map(started, DAY[1:])).load_s == pytest.approx(3.6)  # though it loaded already


def test_a_version_that_lists_what_it_loads_tells_no_time_of_loading() -> None:
    listed = [replace(one, residents=tuple(map(old, one.residents or ()))) for one in DAY]
    assert told(listed).load_s is None


def old(resident: Resident) -> Resident:
    return replace(resident, context_length=None)


def test_the_most_that_it_took() -> None:
    grown = replace(SETTLED[0], runners=(Runner(1, 5000, A, f"weights of {A}"),))
    assert told([*DAY[:7], grown, SETTLED[1]]).size_bytes == 5000
    unseen = only(sample(0, {A: 60}))
    assert (unseen.size_bytes, unseen.vram_bytes) == (1000, 0)
    assert only(untold(0, A)).size_bytes is None


# --- why it is there -----------------------------------------------------------------------------

AGO = [*DAY, sample(20, {A: 306.4}, {1: A})]
FOREVER = [*DAY, sample(20, {A: FOREVER_S}, {1: A})]


@pytest.mark.parametrize(
    ("samples", "requests", "why"),
    [
        (DAY[:3], (), "it is loading"),
        (DAY[:3], (request(A, 0.5, None),), "it is loading for a request of ours"),
        (DAY[:6], (), "it is answering its first request"),
        (DAY, (request(A, 7, None),), "it is answering a request of ours"),
        (DAY, (request(A, 7, None, OTHERS),), "it is answering another client's request"),
        (
            AGO,
            (request(A, 0.5, 6.4, keep_alive_s=300.0),),
            "a request of ours ended 14 s ago; its keep_alive is 5m",
        ),
        (
            AGO,
            (request(A, None, 8.0, OTHERS),),
            "another client's request ended 12 s ago; its keep_alive is 5m",
        ),
        (
            [*DAY, sample(20, {A: 307.4}, {1: A})],
            (request(A, None, 8.0, OTHERS),),
            "another client's request ended 12 s ago; its keep_alive is not known",
        ),
        (
            AGO,
            (request(A, 15.9, 16.0, kind="touch", keep_alive_s=20.0),),
            "it is held by a run that goes on (a lease of 20s, 4 s ago)",
        ),
        (FOREVER, (), "forever: keep_alive -1, by whose request is not known"),
        (
            FOREVER,
            (request(A, 18, 19.0, OTHERS, keep_alive_s=math.inf),),
            "forever: keep_alive -1, by another client's request",
        ),
        ([untold(0, A)], (), "until when it stays is not told"),
        ([*DAY, sample(20, None, {1: A})], (), "it was in memory when the server last told"),
    ],
)
def test_why_it_is_in_memory(
    samples: list[Sample], requests: tuple[Request, ...], why: str
) -> None:
    assert told(samples, *requests).why_resident == why


def test_a_deadline_that_nobody_known_has_set_and_none_of_what_has_left() -> None:
    said = told(SETTLED).why_resident
    assert said.startswith("its deadline is ")
    assert said.endswith("; whose request set it was not seen")
    assert told([*DAY, sample(20, {}, {})]).why_resident == ""


# --- past its deadline ---------------------------------------------------------------------------


def past(until_s: float, cpu_per_s: float | None, **more: Any) -> list[Sample]:
    """A model whose deadline is at 10 s, with a runner that takes so much CPU."""
    return [at_work(t_s / 2, cpu_per_s, **more) for t_s in range(int(until_s * 2) + 1)]


def at_work(t_s: float, cpu_per_s: float | None, **more: Any) -> Sample:
    cpu_s = None if cpu_per_s is None else 3.0 + t_s * cpu_per_s
    one = sample(t_s, {A: 10.0}, {1: A}, **more)
    return replace(one, runners=tuple(replace(r, cpu_s=cpu_s) for r in one.runners or ()))


def test_for_moments_after_its_deadline_it_is_about_to_leave() -> None:
    assert told(past(11, 0.0)).overdue_s is None
    assert told(past(15, 0.0, gpus=(GPU,))).overdue_s is None  # Ollama waits for the card's memory
    assert told(past(12, 0.0)).overdue_s == 2.0


def test_busy_past_its_deadline_or_stuck() -> None:
    busy, idle = told(past(30, 0.9)), told(past(30, 0.001))
    assert (busy.overdue_s, busy.is_stuck) == (20.0, False)
    assert busy.why_resident.startswith("it is answering now (past its deadline of ")
    assert (idle.overdue_s, idle.is_stuck) == (20.0, True)
    assert idle.why_resident.startswith("stuck (past its deadline of ")
    assert not told(past(17, 0.001)).is_stuck  # not for long enough


def test_who_waits_for_an_answer_or_cannot_be_seen_at_work_is_not_stuck() -> None:
    assert not told(past(30, 0.0), request(A, 5, None)).is_stuck
    assert not told(past(30, None)).is_stuck
    blind = [replace(one, runners=None) for one in past(30, 0.0)]
    assert (told(blind).overdue_s, told(blind).is_stuck) == (20.0, False)


# --- as a table ----------------------------------------------------------------------------------


def test_as_a_table() -> None:
    samples = [*DAY, sample(9, {}, {}), sample(10, {}, {2: B})]
    table = residency_frame(residencies(samples, requests=[request("a", 0.5, 6.4)]))
    assert table["model"].tolist() == [A, B]
    assert table["in_memory_s"][0] == 8.0
    assert table["until"].isna().tolist() == [False, True]
    assert table["load_s"].tolist() == [3.0, 0.0]
    assert table["loaded_by"].tolist() == [OURS, None]
    assert table["is_loading"].tolist() == [False, True]
    empty = residency_frame([])
    assert len(empty) == 0
    assert list(empty) == list(table)
