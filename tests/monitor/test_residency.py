"""residencies(): constructed samples: which stays they show, from when to when, until when."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stay_samples import FOREVER_S, A, B, at, ended, only, sample, untold, when_and_why

from lifecycle_widgets.monitor import Residency, Runner, Sample, residencies


def test_nothing_seen() -> None:
    assert residencies(()) == ()
    assert residencies([sample(0, {}), sample(0.5, None), sample(1, {}, {})]) == ()


def test_still_resident() -> None:
    stay = only(sample(0, {}), sample(0.5, {A: 60}), sample(1, {A: 61}))
    assert when_and_why(stay) == Residency(A, at(0.5), None, None, at(61), False)


def test_forever_has_no_deadline() -> None:
    stay = only(sample(0, {A: FOREVER_S}))
    assert stay.is_forever
    assert stay.expires_at is None


def test_a_deadline_that_is_not_told() -> None:
    stay = only(untold(0, A), untold(1, A))
    assert when_and_why(stay) == Residency(A, at(0), None, None, None, False, is_told=False)
    assert ended(only(untold(0, A), untold(1, A), untold(2))) == (2, "unknown")
    assert ended(only(untold(0, A), untold(2), unloads=[(A, 1.0)])) == (2, "requested")
    assert only(untold(0, A), sample(1, {A: 60})).expires_at == at(60)


@pytest.mark.parametrize("zone_h", [-12, 0, 14])
@pytest.mark.parametrize("year", [1, 9999])
def test_dates_at_the_ends_of_time(year: int, zone_h: int) -> None:
    edge = datetime(year, 1 if year == 1 else 12, 1 if year == 1 else 31, tzinfo=timezone.utc)
    here = timezone(timedelta(hours=zone_h))
    samples = [replace(untold(t, A, deadline=edge), at=at(t).astimezone(here)) for t in (0, 1)]
    stay = only(*samples)
    assert (stay.until, stay.is_forever) == (None, year == 9999)
    assert stay.expires_at is None or stay.expires_at.year < 3


def test_a_name_that_is_listed_twice_and_one_that_is_empty() -> None:
    stays = residencies([untold(0, A, A, ""), untold(1, A, ""), untold(2)])
    assert [(s.model, s.until) for s in stays] == [(A, at(2)), ("", at(2))]


def test_resident_before_the_oldest_sample_counts_from_there() -> None:
    assert only(sample(7, {A: 60}, {1: A})).since == at(7)


def test_a_busy_model_past_its_deadline_is_resident() -> None:
    stay = only(sample(0, {A: 1}, {1: A}), sample(5, {A: 1}, {1: A}), sample(9, {A: 1}, {1: A}))
    assert (stay.until, stay.expires_at) == (None, at(1))


# --- a runner that was seen is a stay ------------------------------------------------------------


def test_a_runner_that_was_never_listed_is_a_stay() -> None:
    samples = [sample(0, {}, {}), sample(0.5, {}, {7: A}), sample(1, {}, {7: A})]
    loading = only(*samples)
    expected = Residency(A, at(0.5), None, None, None, False, False, is_loading=True)
    assert when_and_why(loading) == expected
    gone = only(*samples, sample(1.5, {}, {}))
    assert when_and_why(gone) == Residency(A, at(0.5), at(1.5), "unknown", None, False, False)
    expired = only(*samples, sample(1.5, {}, {}), zeroed=[("a", 1.2)])
    assert (*ended(expired), expired.requests, expired.loads) == (1.5, "expired", 1, 1)
    assert len(residencies([*samples, sample(1.5, {}, {})], zeroed=[("a", 9.0)])) == 1


def test_it_begins_when_its_runner_is_seen_not_when_it_is_listed() -> None:
    stay = only(sample(0, {}, {}), sample(1, {}, {7: None}), sample(2, {A: 60}, {7: A}))
    assert (stay.model, stay.since, stay.is_loading) == (A, at(1), False)


@pytest.mark.parametrize("name", [A, "twin:latest"])
def test_killed_before_it_was_listed_it_is_listed_all_the_same(name: str) -> None:
    """Ollama finds out at the next request; by then its model may be listed by another name."""
    samples = [sample(0, {}, {}), sample(0.5, {}, {1: A}), sample(1, {name: 300}, {})]
    stay = only(*samples, sample(1.5, {}, {}))
    assert (stay.model, stay.since, stay.loads) == (name, at(0.5), 1)
    anew = residencies([*samples, sample(1.5, {name: 301}, {2: name})])
    assert [(one.since, one.until) for one in anew] == [(at(0.5), at(1)), (at(1.5), None)]


def test_a_runner_without_a_name_has_that_of_its_weights_or_of_the_request() -> None:
    weights = "weights of a:latest"
    bare = [
        replace(sample(t, {}, {7: None}), runners=(Runner(7, 1, None, weights),)) for t in (0, 1)
    ]
    assert only(*bare, sample(2, {}, {})).model == ""
    assert only(*bare, sample(2, {}, {}), zeroed=[("a", 1.5)]).model == A
    first, second = residencies([*bare, sample(2, {A: 60}, {8: A})])
    assert (first.model, second.model) == (A, A)


@pytest.mark.parametrize("listed", [(), (1,), (0, 1, 2)])
def test_three_short_loads_are_three_stays_however_much_is_listed(listed: tuple[int, ...]) -> None:
    """As keep_alive 0 has it: a runner for each request, and /api/ps sees some of them."""
    samples = [sample(-0.5, {}, {})]
    for i in range(3):
        there = {A: i + 0.5} if i in listed else {}
        samples += [sample(i, {}, {7 + i: A}), sample(i + 0.5, there, {7 + i: A})]
    stays = residencies([*samples, sample(3, {}, {})], zeroed=[("a", 2.9)])
    assert [(s.since, s.until) for s in stays] == [(at(i), at(i + 1)) for i in range(3)]
    assert stays[-1].why == "expired"
    assert sum(s.loads for s in stays) == 3


def test_two_models_in_turn_with_room_for_one() -> None:
    samples = [sample(-1, {}, {})]
    samples += [sample(i / 2, {}, {i: (A, B)[i % 2]}) for i in range(3)]
    assert [s.model for s in residencies(samples)] == [A, B, A]


def test_another_runner_of_the_same_weights_is_another_load() -> None:
    """Two names over one file: /api/ps lists whichever was loaded, without a gap."""
    samples = [sample(0, {A: 60}, {1: A}), sample(1, {A: 61}, {2: A}), sample(2, {B: 62}, {3: B})]
    assert [s.model for s in residencies(samples)] == [A, A, B]


def test_a_runner_is_seen_before_the_last_ones_end_is() -> None:
    samples = [sample(0, {A: 0}, {1: A}), sample(0.5, {A: 0}, {1: A, 2: A}), sample(1, {}, {2: A})]
    first, second = residencies([*samples, sample(1.5, {}, {})])
    assert (first.until, second.since, second.until) == (at(1), at(1), at(1.5))


def test_runners_that_do_not_say_what_they_hold_are_not_counted_twice() -> None:
    samples = [sample(t, {A: 60, B: 60}, {1: None, 2: None}) for t in (0, 1)]
    assert [s.model for s in residencies(samples)] == [A, B]


def test_a_runner_that_is_found_late_is_the_listed_models() -> None:
    samples = [sample(0, {A: 60}), sample(1, {A: 60}, {1: None}), sample(2, {A: 60}, {1: A})]
    assert only(*samples).since == at(0)
    assert ended(only(*samples, sample(61, {}, {}))) == (61, "expired")


def test_out_of_sight_a_runner_that_was_loading_is_no_stay_any_more() -> None:
    assert ended(only(sample(0, {}, {1: A}), sample(1, {}))) == (1, "unknown")


def test_a_process_number_that_is_given_again() -> None:
    samples = [sample(0, {}, {1: A}), *(sample(t, {}, {}) for t in (1, 2)), sample(3, {}, {1: B})]
    assert [s.model for s in residencies(samples)] == [A, B]
    samples = [sample(0, {A: 60}, {1: A}), sample(1, {}), *(sample(t, {}, {1: B}) for t in (2, 3))]
    assert [s.model for s in residencies(samples)] == [A, B]


# --- requests, as far as they are seen -----------------------------------------------------------


def test_each_change_of_the_deadline_is_a_request_that_has_ended() -> None:
    """Not while the first one is being answered: until then the deadline runs ahead."""
    samples = [sample(t, {A: t + 60}, {1: A}) for t in (0, 1, 2)]
    assert only(*samples).requests == 0
    samples += [sample(t, {A: 62.5}, {1: A}) for t in (3, 4)]
    assert only(*samples).requests == 1
    samples += [sample(5, {A: 64.5}, {1: A}), sample(6, {A: 65.5}, {1: A})]
    assert only(*samples).requests == 3
    unload = only(*samples, sample(7, {A: 6.5}, {1: A}), sample(8, {}, {}))
    assert (unload.requests, unload.why) == (3, "expired")
    assert only(*samples, sample(7, {}, {}), zeroed=[("a", 6.8)]).requests == 4


def test_a_request_with_keep_alive_0_of_which_nothing_else_was_seen() -> None:
    """On another machine a model comes and goes between two samples; this server knows of it."""
    stay = only(*(sample(t, {}) for t in (0, 1, 2)), zeroed=[("a", 0.4)])
    assert when_and_why(stay) == Residency(
        A, at(0.4), at(1), "expired", None, False, False, requests=1
    )
    for t_s in (-5.0, 7.0):  # before and after what was seen
        assert residencies([sample(t, {}) for t in (0, 1, 2)], zeroed=[("a", t_s)]) == ()
    untold_list = [replace(one, residents=None) for one in (sample(0, {}), sample(1, {}))]
    assert residencies(untold_list, zeroed=[("a", 0.4)]) == ()


# --- whatever is seen ----------------------------------------------------------------------------

_listed = st.none() | st.dictionaries(st.sampled_from([A, B]), st.sampled_from([-5.0, 0.2, 60.0]))
_runners = st.none() | st.dictionaries(st.integers(1, 4), st.sampled_from([A, B, None]))
_events = st.lists(st.tuples(st.sampled_from(["a", B]), st.floats(0, 20)), max_size=3)


@settings(deadline=None)
@given(st.lists(st.tuples(_listed, _runners), max_size=40), _events, _events)
def test_whatever_is_seen_the_residencies_are_consistent(
    seen: list[tuple[dict[str, float] | None, dict[int, str | None] | None]],
    unloads: list[tuple[str, float]],
    zeroed: list[tuple[str, float]],
) -> None:
    samples = [
        sample(i / 2, None if listed is None else {m: i / 2 + d for m, d in listed.items()}, held)
        for i, (listed, held) in enumerate(seen)
    ]
    stays = residencies(samples, unloads, zeroed)
    assert [s.since for s in stays] == sorted(s.since for s in stays)
    for stay in stays:
        assert (stay.until is None) == (stay.why is None)
        assert stay.until is None or stay.until > stay.since
    for model in (A, B):
        mine = [s for s in stays if s.model == model]
        for one, after in pairwise(mine):
            assert one.until is not None
            assert one.until <= after.since
        for reading in samples:
            listed = {r.name for r in reading.residents or ()}
            covers = any(s.since <= reading.at for s in mine)
            assert model not in listed or covers


def test_a_long_session_is_derived_in_an_instant() -> None:
    models = {f"m{i}:latest": 10_000.0 for i in range(3)}
    pids: dict[int, str | None] = dict(enumerate(models, 100))
    samples = [sample(t / 2, models if t % 40 else {}, pids if t % 40 else {}) for t in range(1800)]
    best_s = min(_spent_s(samples) for _ in range(5))
    print(f"residencies() of 1800 samples with 3 models: {best_s * 1e3:.1f} ms")
    assert best_s < 0.05


def _spent_s(samples: list[Sample]) -> float:
    began_s = time.thread_time()
    assert residencies(samples)
    return time.thread_time() - began_s
