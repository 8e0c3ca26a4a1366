"""The model of Ollama's scheduler by itself: its rules by example, its promises by property.

Whether Ollama keeps to it is tried in `test_scheduler_live.py`.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_widgets import KeepAlive, Scheduler


def departures(ollama: Scheduler) -> list[tuple[str, float, str]]:
    return [(d.model, d.at_s, d.why) for d in ollama.departures]


def expiries(ollama: Scheduler) -> dict[str, float]:
    return {r.model: r.expires_at_s for r in ollama.residents}


def with_one_resident(keep_alive: Any = None, **settings: Any) -> tuple[Scheduler, int]:
    """Model "a" is in memory since 1 s, and answers."""
    ollama = Scheduler(**settings)
    ticket = ollama.request(0, "a", keep_alive, load_s=1)
    ollama.advance(1)
    return ollama, ticket


# --- until when -----------------------------------------------------------------------------------


def test_the_timer_starts_with_the_full_duration_when_the_last_request_has_ended() -> None:
    ollama, first = with_one_resident("1m")
    second = ollama.request(5, "a")
    ollama.finish(10, first)
    assert ollama.residents[0].busy == 1
    assert expiries(ollama) == {"a": 70}  # none has expired yet: now plus keep_alive
    ollama.finish(20, second)
    assert expiries(ollama) == {"a": 80}
    ollama.advance(79.9)
    assert ollama.residents
    ollama.advance(80)
    assert departures(ollama) == [("a", 80, "expired")]


def test_while_it_is_busy_the_old_deadline_is_shown_even_when_it_is_past() -> None:
    ollama, ticket = with_one_resident("10s")
    ollama.finish(2, ticket)
    later = ollama.request(5, "a")
    ollama.advance(1000)
    assert expiries(ollama) == {"a": 12}
    ollama.finish(1001, later)
    assert expiries(ollama) == {"a": 1011}


@pytest.mark.parametrize(
    ("sent", "stays_s"),
    [
        ((None, None), 300),  # the server's default, when it is loaded
        (("1m", None), 60),  # absent keeps the runner's
        ((None, "1m"), 60),
        (("1h", "1m"), 60),  # the latest to start wins, shorter or not
        (("1m", "1h"), 3600),
        (("1m", -1), math.inf),
        (("forever", 7.5), 7.5),
    ],
)
def test_the_latest_request_that_carries_a_keep_alive_decides(
    sent: tuple[Any, Any], stays_s: float
) -> None:
    ollama, first = with_one_resident(sent[0])
    second = ollama.request(2, "a", sent[1])
    ollama.finish(3, second)
    ollama.finish(4, first)  # the order of the ends does not matter
    assert expiries(ollama) == {"a": 4 + stays_s}


def test_the_default_counts_only_when_a_model_is_loaded() -> None:
    ollama, ticket = with_one_resident("1h", default_keep_alive=KeepAlive("1s"))
    ollama.finish(2, ticket)
    ollama.request(3, "a", answer_s=1)
    ollama.advance(10)
    assert expiries(ollama) == {"a": 3604}


@pytest.mark.parametrize(("later", "left"), [(None, True), (0, True), ("1m", False)])
def test_keep_alive_0_leaves_when_all_have_ended_unless_a_later_request_brings_another(
    later: Any, left: bool
) -> None:
    ollama, first = with_one_resident("1h")
    second = ollama.request(2, "a", 0)
    third = ollama.request(3, "a", later)
    for at_s, ticket in ((4, second), (5, first)):
        ollama.finish(at_s, ticket)
        assert ollama.residents
    ollama.finish(6, third)
    assert departures(ollama) == ([("a", 6, "expired")] if left else [])


@pytest.mark.parametrize(("later", "left"), [(None, True), ("1m", False)])
def test_an_unload_of_a_busy_model_waits_and_is_cancelled_by_a_later_keep_alive(
    later: Any, left: bool
) -> None:
    ollama, first = with_one_resident("1h")
    ollama.unload(2, "a")
    assert expiries(ollama) == {"a": 2}
    second = ollama.request(3, "a", later)
    ollama.finish(4, first)
    ollama.finish(5, second)
    assert departures(ollama) == ([("a", 5, "requested")] if left else [])


def test_an_unload_of_an_idle_model_is_done_at_once_and_of_one_that_loads_never() -> None:
    ollama, ticket = with_one_resident(-1)
    ollama.finish(2, ticket)
    ollama.request(3, "b", load_s=5, answer_s=1)
    ollama.unload(4, "b")
    ollama.unload(4, "a")
    ollama.unload(4, "a")  # harmless
    ollama.advance(9.5)
    assert departures(ollama) == [("a", 4, "requested")]
    assert expiries(ollama) == {"b": 309}


def test_a_client_that_goes_away_ends_its_request() -> None:
    ollama, ticket = with_one_resident("1m")
    ollama.cancel(7, ticket)
    ollama.cancel(8, ticket)  # it has ended; harmless
    assert (ollama.call(ticket).state, expiries(ollama)) == ("cancelled", {"a": 67})


# --- loads ----------------------------------------------------------------------------------------


def test_loads_go_one_after_the_other_and_requests_for_warm_models_pass_them() -> None:
    ollama, _ = with_one_resident()
    b = ollama.request(2, "b", load_s=10, answer_s=1)
    c = ollama.request(3, "c", load_s=10, answer_s=1)
    warm = ollama.request(4, "a")
    assert ollama.call(warm).served_s == 4
    assert (ollama.loading.model, [w.model for w in ollama.waiting]) == ("b", ["c"])
    assert set(expiries(ollama)) == {"a"}  # /api/ps does not list what is loading
    ollama.advance(30)
    assert (ollama.call(b).served_s, ollama.call(c).load_began_s) == (12, 12)
    assert ollama.call(c).served_s == 22


def test_requests_for_a_model_that_is_loading_wait_for_it_and_share_it() -> None:
    ollama = Scheduler()
    first, second = (ollama.request(at_s, "a", load_s=10) for at_s in (0, 1))
    ollama.advance(10)
    assert [ollama.call(t).served_s for t in (first, second)] == [10, 10]
    assert ollama.call(second).load_began_s is None
    assert ollama.residents[0].busy == 2


def test_a_load_that_is_given_up_or_crashes_makes_way_for_the_next() -> None:
    ollama = Scheduler()
    gone, dead, passed_over, good = (ollama.request(0, name, load_s=10) for name in "abcd")
    ollama.cancel(1, passed_over)
    ollama.cancel(2, gone)
    assert ollama.loading.model == "b"
    ollama.crash(3, "b")
    assert (ollama.call(dead).state, ollama.loading.model) == ("failed", "d")
    ollama.advance(13)
    assert (ollama.call(good).state, set(expiries(ollama))) == ("answering", {"d"})


def test_the_caller_may_tell_when_a_load_has_ended() -> None:
    ollama = Scheduler()
    ticket = ollama.request(0, "a", "1m")
    ollama.advance(500)
    assert ollama.loading.ticket == ticket
    ollama.loaded(501, ticket)
    assert ollama.residents[0].since_s == 501
    with pytest.raises(ValueError, match="is answering, not loading"):
        ollama.loaded(502, ticket)


def test_a_request_more_than_the_queue_holds_is_refused() -> None:
    ollama = Scheduler(max_queue=2)
    tickets = [ollama.request(0, name, load_s=1) for name in "abcd"]
    assert [ollama.call(t).state for t in tickets] == ["loading", "waiting", "waiting", "refused"]


OPTIONS = [
    ({}, {}, True),
    ({}, {"temperature": 1, "num_predict": 5, "seed": 7}, True),
    ({}, {"num_ctx": 4096, "num_batch": 512}, True),  # what is automatic comes to the same
    ({}, {"num_ctx": 2048}, False),
    ({"num_ctx": 2048}, {}, False),
    ({"num_ctx": 2048}, {"num_ctx": 2048.0}, True),
    ({"num_ctx": 4}, {"num_ctx": 1}, True),  # no less is allowed
    ({"num_batch": 256}, {}, False),
    ({"num_ctx": 8192}, {"num_ctx": 8192}, True),
    ({"num_ctx": 8192}, {"num_ctx": 8192, "num_batch": 512}, False),  # automatic: 1024
    ({}, {"num_thread": 2}, False),
    ({"num_thread": 2}, {"num_thread": 3}, False),
    ({"num_gpu": 5}, {}, True),
    ({"num_gpu": 5}, {"num_gpu": -1}, True),
    ({}, {"num_gpu": 0}, False),
    ({}, {"use_mmap": False}, True),
    ({}, {"use_mmap": True}, False),
    ({"use_mmap": True}, {}, False),
    ({}, {"main_gpu": 0}, False),
]


@pytest.mark.parametrize(("first", "then", "served"), OPTIONS)
def test_other_runner_options_load_anew_and_sampling_options_do_not(
    first: dict[str, Any], then: dict[str, Any], served: bool
) -> None:
    ollama = Scheduler()
    ollama.request(0, "a", options=first, load_s=1, answer_s=1)
    ticket = ollama.request(10, "a", options=then, load_s=1, answer_s=1)
    assert (ollama.call(ticket).served_s == 10) == served
    assert departures(ollama) == ([] if served else [("a", 10, "reloaded")])


def test_a_load_anew_lets_those_that_are_running_end_first() -> None:
    ollama, running = with_one_resident()
    other = ollama.request(2, "a", options={"num_ctx": 512}, load_s=5)
    behind = ollama.request(3, "b", load_s=5)
    same = ollama.request(4, "a")  # passes, and makes the others wait for it as well
    ollama.finish(10, running)
    ollama.finish(20, same)
    assert departures(ollama) == [("a", 20, "reloaded")]
    ollama.advance(30)
    assert ollama.call(other).served_s == 25
    assert ollama.call(behind).load_began_s == 25


def test_names_over_the_same_weights_share_a_runner_known_by_the_name_that_loaded_it() -> None:
    ollama = Scheduler(weights={"a": "w", "twin": "w"})
    ollama.request(0, "twin", load_s=1, answer_s=1)
    ticket = ollama.request(5, "a", "1h", answer_s=1)
    ollama.advance(6)
    assert (ollama.call(ticket).served_s, expiries(ollama)) == (5, {"twin": 3606})
    ollama.unload(7, "a")
    assert departures(ollama) == [("twin", 7, "requested")]


# --- eviction -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keep_alives", "busy", "evicted"),
    [
        (("10m", "1m", "5m"), "", "b"),  # the shortest, not the one that was used longest ago
        (("10m", "1m", "5m"), "b", "c"),  # the idle ones first
        (("10m", "1m", "5m"), "abc", "b"),
        (("5m", "5m", "5m"), "", "a"),  # equals by their weights' file
        ((-1, -1, -1), "", "a"),  # "forever" too
        ((-1, "5m", -1), "b", "a"),
    ],
)
def test_who_is_evicted(keep_alives: Sequence[Any], busy: str, evicted: str) -> None:
    ollama = Scheduler(limit=3)
    for at_s, (name, keep_alive) in enumerate(zip("abc", keep_alives, strict=True)):
        ollama.request(10 * at_s, name, keep_alive, load_s=1, answer_s=1)
    tickets = [ollama.request(30, name) for name in busy]
    new = ollama.request(40, "d", load_s=1, answer_s=1)
    if evicted in busy:
        assert ollama.call(new).state == "waiting"
        ollama.finish(50, tickets[busy.index(evicted)])
    assert departures(ollama) == [(evicted, 50 if evicted in busy else 40, "evicted")]
    assert ollama.loading.model == "d"


def test_any_leaving_lets_the_load_go_on_and_the_busy_victim_leaves_in_vain() -> None:
    ollama = Scheduler(limit=2)
    a = ollama.request(0, "a", "1m", load_s=1)
    ollama.request(1, "b", "1h", load_s=1)
    c = ollama.request(5, "c", load_s=1, answer_s=1)  # waits for a
    ollama.crash(6, "b")
    ollama.unload(7, "b")
    assert ollama.call(c).load_began_s == 7
    ollama.finish(20, a)
    assert departures(ollama) == [("b", 7, "crashed"), ("a", 20, "evicted")]


def hang() -> Scheduler:
    """A and b were busy at the limit when c was asked for; a got a keep_alive meanwhile."""
    ollama = Scheduler(limit=2)
    for name in "ab":
        ollama.request(0, name, "1m", load_s=1, answer_s=8)
    ollama.request(3, "c", load_s=1, answer_s=1)
    assert not ollama.is_stuck
    ollama.request(4, "a", "2m", answer_s=1)
    ollama.request(5, "b", "3m", answer_s=1)
    ollama.advance(30)
    return ollama


@pytest.mark.parametrize(
    ("ends_it", "at_s"),
    [
        (lambda ollama: ollama.unload(40, "a"), 40),
        (lambda ollama: ollama.unload(40, "b"), 40),  # another's leaving does as well
        (lambda ollama: ollama.advance(1000), 130),  # its own timer, set by its last request
    ],
)
def test_the_hang_ends_when_any_model_leaves(ends_it: Any, at_s: float) -> None:
    ollama = hang()
    assert ollama.is_stuck
    assert [c.model for c in ollama.waiting] == ["c"]
    ends_it(ollama)
    assert not ollama.is_stuck
    assert ollama.call(2).load_began_s == pytest.approx(at_s)


def test_the_hang_survives_its_client_and_holds_up_every_later_load() -> None:
    ollama = hang()
    later = ollama.request(31, "d", load_s=1)
    ollama.cancel(32, 2)
    ollama.crash(33, "b")  # its timer goes on, and nobody notices
    assert ollama.is_stuck
    assert ollama.call(ollama.request(34, "a", answer_s=1)).served_s == 34
    assert ollama.call(later).state == "waiting"
    ollama.unload(40, "b")
    assert ollama.call(later).load_began_s == 40  # the first in the queue was nobody's any more


# --- crashes and turns ----------------------------------------------------------------------------


def test_a_crashed_runner_is_listed_until_its_timer_ends() -> None:
    ollama, ticket = with_one_resident("1m")
    ollama.crash(5, "a")
    assert (ollama.call(ticket).state, ollama.residents[0].crashed) == ("failed", True)
    assert expiries(ollama) == {"a": 65}
    ollama.advance(65)
    assert departures(ollama) == [("a", 65, "crashed")]


def test_a_request_for_a_crashed_runner_loads_anew_with_the_default() -> None:
    ollama, _ = with_one_resident("1h")
    ollama.crash(5, "a")
    ticket = ollama.request(6, "a", load_s=1, answer_s=1)
    ollama.advance(8)
    assert ollama.call(ticket).served_s == 7
    assert expiries(ollama) == {"a": 308}
    assert departures(ollama) == [("a", 6, "crashed")]


@pytest.mark.parametrize(("parallel", "began_s"), [(1, [1, 11, 21]), (2, [1, 1, 11])])
def test_answers_take_turns_at_the_runner(parallel: int, began_s: list[float]) -> None:
    ollama = Scheduler(parallel=parallel)
    tickets = [ollama.request(0, "a", load_s=1, answer_s=10) for _ in range(3)]
    preload = ollama.request(2, "a", "1m", answer_s=0)  # asks nothing, so waits for no turn
    assert ollama.call(preload).ended_s == 2
    ollama.advance(100)
    assert [ollama.call(t).answer_began_s for t in tickets] == began_s


def test_one_that_goes_away_before_its_turn_is_passed_over() -> None:
    ollama, first = with_one_resident()
    second, third = (ollama.request(at_s, "a", answer_s=5) for at_s in (2, 3))
    ollama.cancel(4, second)
    ollama.finish(10, first)
    assert ollama.call(third).answer_began_s == 10
    ollama.advance(15)
    assert ollama.residents[0].busy == 0


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        Scheduler(limit=0)
    with pytest.raises(ValueError, match="for how long"):
        Scheduler(default_keep_alive="default")
    ollama, ticket = with_one_resident()
    with pytest.raises(ValueError, match=r"Time goes on: 0\.5 s is before 1\.0 s"):
        ollama.advance(0.5)
    ollama.finish(2, ticket)
    with pytest.raises(ValueError, match=r"Request 0 \(a\) is done, not answering"):
        ollama.finish(3, ticket)


# --- by property ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    gap_s: float
    what: str
    model: str
    keep_alive: float | None
    num_ctx: int | None
    load_s: float
    answer_s: float
    ticket: int


def steps(*kinds: str) -> st.SearchStrategy[list[Step]]:
    tenths = st.integers(0, 80).map(lambda n: n / 8)  # sums of these are exact
    return st.lists(
        st.builds(
            Step,
            gap_s=tenths,
            what=st.sampled_from(kinds),
            model=st.sampled_from("abcd"),
            keep_alive=st.sampled_from([None, 0, 1, 4, 20, -1]),
            num_ctx=st.sampled_from([None, None, None, 2048]),
            load_s=tenths.map(lambda s: s + 0.5),  # so that stays do not touch
            answer_s=tenths,
            ticket=st.integers(0, 20),
        ),
        max_size=40,
    )


def do(ollama: Scheduler, step: Step, now_s: float) -> None:
    if step.what == "request":
        ollama.request(
            now_s,
            step.model,
            step.keep_alive,
            options={"num_ctx": step.num_ctx} if step.num_ctx else None,
            load_s=step.load_s,
            answer_s=step.answer_s,
        )
    elif step.what == "cancel" and calls(ollama):
        ollama.cancel(now_s, step.ticket % len(calls(ollama)))
    elif step.what == "unload":
        ollama.unload(now_s, step.model)
    elif step.what == "crash":
        ollama.crash(now_s, step.model)


def calls(ollama: Scheduler) -> list[Any]:
    found = []
    while True:
        try:
            found.append(ollama.call(len(found)))
        except IndexError:
            return found


def replay(plan: list[Step], limit: int, pause_s: float | None = None, parallel: int = 1) -> Any:
    ollama, now_s = Scheduler(limit, 10, parallel=parallel), 0.0
    for step in plan:
        if pause_s is not None and pause_s < step.gap_s:
            ollama.advance(now_s + pause_s)
        now_s += step.gap_s
        do(ollama, step, now_s)
        assert len(ollama.residents) + (ollama.loading is not None) <= limit
    ollama.advance(now_s + 10_000)
    return ollama


ALL = ("request", "request", "request", "cancel", "unload", "crash")
limits = st.integers(1, 3)


@given(steps(*ALL), limits)
def test_every_request_is_served_in_the_end_unless_loads_are_stuck(
    plan: list[Step], limit: int
) -> None:
    ollama = replay(plan, limit)
    for call in calls(ollama):
        assert call.state in ("done", "cancelled", "failed") or ollama.is_stuck
    for _ in plan:  # each unload frees one load, which may get stuck behind the next
        for resident in ollama.residents:
            ollama.unload(ollama.now_s, resident.model)
        ollama.advance(ollama.now_s + 10_000)
    assert not ollama.is_stuck
    assert {call.state for call in calls(ollama)} <= {"done", "cancelled", "failed"}


@given(steps(*ALL), limits)
def test_loads_never_overlap_and_begin_in_the_order_of_asking(plan: list[Step], limit: int) -> None:
    made = [c for c in calls(replay(plan, limit)) if c.load_began_s is not None]
    for one, next_one in itertools.pairwise(made):
        ended_s = one.served_s if one.served_s is not None else one.ended_s
        assert ended_s <= next_one.load_began_s


@given(steps("request", "request", "unload"), limits)
def test_a_model_expires_its_keep_alive_after_its_last_request(
    plan: list[Step], limit: int
) -> None:
    ollama = replay(plan, limit)
    for left in ollama.departures:
        used = [
            call
            for call in calls(ollama)
            if call.model == left.model
            and call.served_s is not None  # it may be stuck
            and left.since_s <= call.served_s <= left.at_s
        ]
        last_s = max(call.ended_s for call in used)
        assert last_s <= left.at_s
        if left.why == "expired":
            used.sort(key=lambda call: (call.served_s, call.ticket))
            carried = [plan_of(plan, c.ticket) for c in used]
            decides = [s for s in carried if s is not None] or [10]
            assert left.at_s - last_s == decides[-1]


def plan_of(plan: list[Step], ticket: int) -> float | None:
    """The keep_alive of the request with this ticket."""
    return [step for step in plan if step.what == "request"][ticket].keep_alive


@given(steps(*ALL), limits, st.sampled_from([0.0, 0.5, 3.0]), st.integers(1, 3))
def test_looking_changes_nothing(
    plan: list[Step], limit: int, pause_s: float, parallel: int
) -> None:
    one = replay(plan, limit, parallel=parallel)
    other = replay(plan, limit, pause_s, parallel)
    assert (one.departures, calls(one)) == (other.departures, calls(other))


def test_many_requests_take_time_in_proportion() -> None:
    began_s = time.perf_counter()
    ollama = Scheduler()
    for number in range(30_000):
        ollama.request(number, "abcde"[3 * number % 5], load_s=0.5, answer_s=0.25)
    assert time.perf_counter() - began_s < 20  # it takes a tenth of a second or two
    assert len(ollama.departures) > 1000
