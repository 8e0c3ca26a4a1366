"""StayLog: what it tells as samples come is what residencies() tells of all of them; no more."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stay_samples import A, B, at, request, sample

from lifecycle_widgets.monitor import OTHERS, OURS, Request, Sample, residencies
from lifecycle_widgets.monitor.stays.log import StayLog
from lifecycle_widgets.server import Server

HISTORY_S = 900.0
Event = tuple[str, float]
Seen = tuple[float, dict[str, float] | None, dict[int, str | None] | None]


@pytest.fixture(scope="module")
def nowhere() -> Server:
    return Server("192.0.2.15")  # an address that is kept free for examples: nothing is asked


@pytest.fixture
def server(nowhere: Server) -> Iterator[Server]:
    forget(nowhere)  # what the last example of the test before has left
    yield nowhere
    forget(nowhere)


def forget(server: Server) -> None:
    server.unloads.clear()
    server.zeroed.clear()


# --- the same as the pure function ---------------------------------------------------------------

_listed = st.none() | st.dictionaries(st.sampled_from([A, B]), st.sampled_from([-5.0, 0.2, 60.0]))
_any = st.none() | st.dictionaries(st.integers(1, 4), st.sampled_from([A, B, None]))
_events = st.lists(st.tuples(st.sampled_from(["a", B]), st.floats(0, 60)), max_size=3)
# What is long over is not decided again, whatever is learnt of names and weights. So over a long
# time: runners that are seen, each with one model, and no requests that may be any runner's.
_PROCESSES = {1: A, 2: B, 3: A, 4: B}
_steps = st.sampled_from([0.5, 0.5, 0.5, 2.0, 7.0, 20.0])
_seen = st.sets(st.sampled_from(sorted(_PROCESSES))).map(
    lambda held: {p: _PROCESSES[p] for p in held}
)
_short = st.lists(st.tuples(st.just(0.5), _listed, _any), max_size=20)
_long = st.lists(st.tuples(_steps, _listed, _seen), max_size=60)
_blind = st.lists(st.tuples(_steps, _listed, st.none()), max_size=60)
_cases = st.tuples(_short | _blind, _events, _events) | st.tuples(_long, _events, st.just([]))


@settings(deadline=None)
@given(_cases, st.integers(1, 9))
def test_it_tells_what_the_pure_function_does(
    nowhere: Server, case: tuple[list[Seen], list[Event], list[Event]], each: int
) -> None:
    seen, unloads, zeroed = case
    forget(nowhere)
    log, samples = StayLog(nowhere, 1e9), list(made(seen))
    for i, one in enumerate(samples):
        told = [until(one.t_s, events) for events in (unloads, zeroed)]
        nowhere.unloads.extend(told[0][len(nowhere.unloads) :])
        nowhere.zeroed.extend(told[1][len(nowhere.zeroed) :])
        log.see(one)
        if i % each == 0 or i == len(samples) - 1:
            assert log.residencies() == residencies(samples[: i + 1], *told)


def until(t_s: float, events: list[Event]) -> list[Event]:
    return [event for event in sorted(events, key=lambda event: event[1]) if event[1] <= t_s]


def made(seen: list[Seen]) -> Iterator[Sample]:
    t_s = 0.0
    for step_s, listed, held in seen:
        t_s += step_s
        due = None if listed is None else {m: t_s + left_s for m, left_s in listed.items()}
        yield sample(t_s, due, held)


def test_a_hundred_loads_with_keep_alive_0_are_told_as_at_once(server: Server) -> None:
    log, samples = StayLog(server, 1e9), list(loads_in_turn(300.0))
    for i, one in enumerate(samples):
        log.see(one)
        if i % 6 == 5:  # an answer has ended before its model left
            server.zeroed.append(("a", one.t_s - 0.7))
        if i % 60 == 59:
            assert log.residencies() == residencies(samples[: i + 1], (), server.zeroed)
    stays = log.residencies()
    assert len(stays) == 100
    assert {(stay.why, stay.keep_alive_s) for stay in stays[:-1]} == {("expired", 0.0)}


def test_requests_are_told_of_as_at_once(server: Server) -> None:
    seen: list[Request] = []
    log, samples = StayLog(server, 1e9, lambda: tuple(seen)), list(loads_in_turn(60.0))
    for i, one in enumerate(samples):
        seen[:] = requests_until(one.t_s)
        log.see(one)
        assert log.residencies() == residencies(samples[: i + 1], requests=seen)
    stays = log.residencies()[1:]  # the first was there at the first look
    assert [stay.loaded_by for stay in stays] == [OURS, OTHERS] * 9 + [OURS]
    assert [stay.touched_by for stay in stays] == [OURS, OTHERS] * 9 + [OURS]


def requests_until(t_s: float) -> list[Request]:
    """One for each load, by turns another client's and ours; the last may go on."""
    whole = [(3 * i - 0.2, 3 * i + 1.8, (OTHERS, OURS)[i % 2]) for i in range(20)]
    begun = [one for one in whole if one[0] <= t_s]
    return [request(A, b, None if e > t_s else e, whose) for b, e, whose in begun]


def loads_in_turn(until_s: float) -> Iterator[Sample]:
    """A load each 3 s, by a process of its own, that is gone again after 2 s."""
    for i in range(int(until_s * 2)):
        number, phase = divmod(i, 6)
        yield sample(
            i / 2, {A: i / 2} if 1 < phase < 4 else {}, {number + 1: A} if phase < 4 else {}
        )


# --- what is kept ---------------------------------------------------------------------------------


def test_it_remembers_when_a_model_came_that_is_still_there(server: Server) -> None:
    log = StayLog(server, HISTORY_S)
    for t_s in range(0, 7200, 2):
        log.see(sample(t_s, {A: 9000.0}, {1: A}))
    [stay] = log.residencies()
    assert (stay.since, stay.until) == (at(0), None)


def test_what_is_long_over_is_forgotten(server: Server) -> None:
    log = StayLog(server, HISTORY_S)
    for t_s in range(0, 1200, 2):
        there = t_s < 100
        log.see(sample(t_s, {A: 9000.0} if there else {}, {1: A} if there else {}))
        assert len(log.residencies()) == (t_s <= 100 + HISTORY_S)


def test_a_server_that_is_gone_for_long_and_comes_back_with_its_model(server: Server) -> None:
    log = StayLog(server, HISTORY_S)
    for t_s in range(0, 3000, 2):
        there = t_s < 100 or t_s > 2000
        log.see(sample(t_s, {A: 9000.0} if there else None))
    [stay] = log.residencies()
    assert (stay.since, stay.until) == (at(2002), None)


def test_nothing_grows(server: Server) -> None:
    """Two hours with a load each three seconds: as many samples are held as after ten minutes."""
    log, held, counts = StayLog(server, 300.0), [], []
    for i, one in enumerate(loads_in_turn(7200.0)):
        log.see(one)
        held.append(weakref.ref(one))
        if i % 1200 == 1199:
            counts.append(sum(ref() is not None for ref in held))
    print(f"samples held: {counts}")
    assert max(counts) <= counts[0] * 1.05
    assert len(log.residencies()) == 100


def test_told_again_only_when_something_has_changed(server: Server) -> None:
    asked: list[Request] = []
    log = StayLog(server, HISTORY_S, lambda: tuple(asked))
    log.see(sample(0, {A: 60.0}, {1: A}))
    first = log.residencies()
    assert log.residencies() is first
    server.zeroed.append(("a", 0.2))
    second = log.residencies()
    assert second is not first
    asked.append(request(A, -3.0, 0.1))
    third = log.residencies()
    assert (second[0].touched_by, third is not second) == ("ours", True)
    log.see(sample(1, {A: 60.0}, {1: A}))
    assert log.residencies() is not third


def test_what_a_sample_costs(server: Server) -> None:
    best_s = min(spent_s(server) for _ in range(5))
    print(f"StayLog: {best_s * 1e6:.0f} us for a sample with three models, seen and asked")
    assert best_s < 150e-6


def spent_s(server: Server) -> float:
    log = StayLog(server, HISTORY_S)
    models = {f"m{i}:latest": 10_000.0 for i in range(3)}
    pids: dict[int, str | None] = dict(enumerate(models, 100))
    samples = [sample(t / 2, models, pids) for t in range(600)]
    began_s = time.thread_time()
    for one in samples:
        log.see(one)
        assert log.residencies()
    return (time.thread_time() - began_s) / len(samples)
