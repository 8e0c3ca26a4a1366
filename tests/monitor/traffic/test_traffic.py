"""Busy times are found in samples: all that are longer than a sampling interval, and no other."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lifecycle_widgets.monitor import Gpu
from lifecycle_widgets.monitor.traffic.request import Request
from lifecycle_widgets.monitor.traffic.traffic import Traffic
from lifecycle_widgets.monitor.traffic.witnesses.deadline import FOREVER_S
from lifecycle_widgets.server import Resident, Server
from tests.monitor.stay_samples import at
from tests.monitor.traffic.simulated import INTERVAL_S, MODEL, Use, World, seen

LENGTHS = st.floats(0.02, 8.0)
GAPS = st.floats(0.6, 20.0)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    uses, t_s = [], 2.0
    for length_s, gap_s in draw(st.lists(st.tuples(LENGTHS, GAPS), min_size=1, max_size=6)):
        keep_alive_s = draw(st.sampled_from((None, None, 60.0, 27.0, FOREVER_S)))
        uses.append(Use(t_s, t_s + length_s, keep_alive_s))
        t_s += length_s + gap_s
    load_s = draw(st.sampled_from((0.0, 1.3)))
    if load_s:  # the first one lasts at least as long as its load
        uses = [replace(use, ended_s=use.ended_s + load_s) for use in uses[:1]] + [
            replace(use, began_s=use.began_s + load_s, ended_s=use.ended_s + load_s)
            for use in uses[1:]
        ]
    return World(uses, load_s, rate=draw(st.floats(0.7, 8.0)))


@settings(deadline=None, max_examples=100)
@given(worlds(), st.floats(0.0, 0.49))
@example(World([Use(2.0, 2.4), Use(3.1, 8.0)]), 0.0)
def test_every_busy_time_is_found_and_none_is_invented(world: World, shift_s: float) -> None:
    found = seen(world.samples(shift_s))
    assert len(found) == len(world.uses), found
    for use, one in zip(world.uses, found, strict=True):
        assert one.ended_s == pytest.approx(use.ended_s, abs=0.05), (use, one)
        assert one.end_within_s is not None
        assert one.began_s is not None
        assert one.begin_within_s is not None
        # a short one's rate of work is not seen, so its begin is no better than the interval
        allowed_s = INTERVAL_S if use.ended_s - use.began_s < 2 * INTERVAL_S else 0.12
        assert abs(one.began_s - use.began_s) <= allowed_s, (use, one)
        assert one.witnesses[:1] == ("deadline",)


def test_the_begin_is_known_to_a_part_of_the_interval() -> None:
    [one] = seen(World([Use(5.33, 9.71)]).samples())
    assert one.began_s == pytest.approx(5.33, abs=0.02)
    assert one.ended_s == pytest.approx(9.71, abs=0.001)
    assert one.keep_alive_s == 300.0
    assert one.witnesses == ("deadline", "runner")
    assert (one.whose, one.count, one.model) == ("another client", 1, MODEL)


def test_a_load_belongs_to_the_request_that_waits_for_it() -> None:
    [one] = seen(World([Use(5.0, 9.0)], load_s=1.7).samples())
    assert one.began_s == pytest.approx(5.0, abs=0.05)
    assert one.ended_s == pytest.approx(9.0, abs=0.02)
    assert one.load_s == pytest.approx(1.7, abs=0.3)
    assert one.keep_alive_s == 300.0  # exactly known from the first use


def test_keep_alive_zero_ends_with_the_model() -> None:
    found = seen(World([Use(4.0, 6.0), Use(8.0, 9.7, 0.0)]).samples())
    assert [one.ended_s for one in found] == [6.0, pytest.approx(9.7, abs=0.3)]
    assert found[1].end_within_s == pytest.approx(0.25)
    assert found[1].witnesses == ("runner",)


def test_keep_alive_zero_just_after_another_request() -> None:
    """It has begun in the interval in which that one ended, and is over before the next sample."""
    found = seen(World([Use(4.0, 6.1), Use(6.2, 6.7, 0.0)]).samples())
    assert [one.ended_s for one in found] == [6.1, pytest.approx(6.7, abs=0.3)]
    assert found[1].began_s == pytest.approx(6.2, abs=0.05)


def test_a_load_that_is_never_listed_is_a_request() -> None:
    """keep_alive 0, and an answer that is over before the next sample."""
    world = World([Use(4.1, 6.05, 0.0)], load_s=1.92)
    [one] = seen(world.samples())
    assert one.began_s == pytest.approx(4.1, abs=0.05)
    assert one.ended_s == pytest.approx(6.05, abs=0.26)


def test_forever_moves_the_deadline_too() -> None:
    found = seen(World([Use(3.0, 4.5, FOREVER_S), Use(8.0, 8.2)]).samples())
    assert [one.ended_s for one in found] == [
        pytest.approx(4.5, abs=1e-3),
        pytest.approx(8.2, abs=1e-3),
    ]
    assert [one.keep_alive_s for one in found] == [math.inf, math.inf]


def test_what_goes_on_is_told_as_such() -> None:
    samples = [s for s in World([Use(4.0, 60.0)]).samples() if s.t_s < 9.0]
    [one] = seen(samples)
    assert (one.ended_s, one.ended_at, one.total_s) == (None, None, None)
    assert one.began_s == pytest.approx(4.0, abs=0.02)


def test_work_without_a_request_is_none() -> None:
    """A runner that is at work for a moment, while the deadline stays."""
    world = World([Use(4.0, 4.4), Use(30.0, 31.0)])
    samples = [
        replace(s, residents=world.sample(0.0).residents) for s in world.samples() if s.t_s < 12
    ]
    assert seen(samples) == ()


def test_an_unloading_is_no_request() -> None:
    samples = World([Use(30.0, 31.0)]).samples()[:20]
    gone = replace(samples[12], residents=_due(samples[12].residents, samples[12].t_s))
    empty = [replace(s, residents=(), runners=()) for s in samples[13:]]
    assert seen([*samples[:12], gone, *empty]) == ()


def _due(residents: tuple[Resident, ...] | None, t_s: float) -> tuple[Resident, ...]:
    return tuple(replace(one, expires_at=at(t_s - 0.1)) for one in residents or ())


def test_from_another_machine_the_ends_are_known() -> None:
    world = World([Use(4.0, 7.3), Use(12.0, 12.2)])
    found = seen([replace(s, runners=None) for s in world.samples()])
    assert [one.ended_s for one in found] == [7.3, 12.2]
    assert [(one.began_s, one.begin_within_s) for one in found] == [(None, None)] * 2
    assert [one.witnesses for one in found] == [("deadline",)] * 2


def test_a_card_tells_what_hidden_runners_do_not() -> None:
    world = World([Use(4.2, 7.3)])
    samples = []
    for one in world.samples():
        card = Gpu(0, "a card", 0.9 if 4.2 < one.t_s <= 7.5 else 0.02, 1, 2)
        samples.append(replace(one, runners=None, gpus=(card,)))
    [found] = seen(samples)
    assert found.began_s == pytest.approx(4.2, abs=0.5)
    assert found.ended_s == pytest.approx(7.3, abs=0.01)
    assert found.witnesses == ("deadline", "runner")


def test_a_server_that_is_silent_for_long_has_ended_what_went_on() -> None:
    samples = World([Use(4.0, 60.0)]).samples()[:40]
    silent = [replace(s, residents=None, error="No Ollama answers.") for s in samples[16:]]
    [one] = seen([*samples[:16], *silent])
    assert one.ended_s is not None
    assert 7.5 <= one.ended_s <= 12.0
    hiccup = [replace(s, residents=None, error="It hangs.") for s in samples[16:19]]
    [one] = seen([*samples[:16], *hiccup, *samples[19:]])
    assert one.ended_s is None


def test_a_clock_that_is_set_moves_nothing() -> None:
    world = World([Use(4.0, 5.0)])
    samples = world.samples()
    set_back = [replace(s, at=s.at - timedelta(hours=1)) for s in samples[14:]]
    found = seen([*samples[:14], *set_back])
    assert [one.ended_s for one in found] == [5.0]


def test_each_record_is_given_out_once_when_it_is_final() -> None:
    world = World([Use(3.0, 4.0), Use(14.0, 15.0), Use(18.0, 60.0)])
    traffic, position = Traffic(Server("192.0.2.1"), 1e6), 0
    given: list[Request] = []
    for one in world.samples()[:52]:
        traffic.see(one)
        found, position = traffic.settled(position)
        given += found
    assert [one.ended_s for one in given] == [4.0, 15.0]
    assert traffic.requests[2].ended_s is None
    assert len({one.number for one in traffic.requests}) == 3
    traffic.close()
    assert traffic.settled(position) == ((), 2)  # what goes on is not final


def test_what_is_old_is_forgotten() -> None:
    world = World([Use(3.0, 4.0), Use(24.0, 25.0)])
    traffic = Traffic(Server("192.0.2.1"), 20.0)
    for one in world.samples():
        traffic.see(one)
    assert [one.ended_s for one in traffic.requests] == [25.0]
