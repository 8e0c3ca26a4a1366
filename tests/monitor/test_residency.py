"""residencies(): constructed samples, one for each way in which a model can leave."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_widgets.monitor import Gpu, Residency, Runner, Sample, residencies
from lifecycle_widgets.server import Resident

START = datetime(2026, 1, 1, 12, 0, tzinfo=timezone.utc)
A, B = "a:latest", "b:latest"
FOREVER_S = 290 * 365 * 86400.0
GPU = Gpu(0, "a card", 0.5, 1, 2)


def at(t_s: float) -> datetime:
    return START + timedelta(seconds=t_s)


def sample(
    t_s: float,
    listed: dict[str, float] | None,
    runners: dict[int, str | None] | None = None,
    *,
    gpus: tuple[Gpu, ...] = (),
) -> Sample:
    """A sample at ``t_s``: models with their deadlines (seconds on the same clock), and runners."""
    return Sample(
        at=at(t_s),
        t_s=t_s,
        ram_used_bytes=1,
        ram_total_bytes=2,
        cpu_fraction=0.1,
        runners=None
        if runners is None
        else tuple(Runner(pid, 1000, model) for pid, model in runners.items()),
        gpus=gpus,
        residents=None
        if listed is None
        else tuple(Resident(m, 1, 0, at(deadline), 4096, "d") for m, deadline in listed.items()),
        error="No Ollama answers" if listed is None else None,
    )


def only(*samples: Sample, **events: list[tuple[str, float]]) -> Residency:
    found = residencies(samples, **events)
    assert len(found) == 1, found
    return found[0]


def ended(stay: Residency) -> tuple[float, str | None]:
    assert stay.until is not None
    return (stay.until - START).total_seconds(), stay.why


def test_nothing_seen() -> None:
    assert residencies(()) == ()
    assert residencies([sample(0, {}), sample(0.5, None), sample(1, {}, {})]) == ()


def test_still_resident() -> None:
    stay = only(sample(0, {}), sample(0.5, {A: 60}), sample(1, {A: 61}))
    assert stay == Residency(A, at(0.5), None, None, at(61), False)


def test_forever_has_no_deadline() -> None:
    stay = only(sample(0, {A: FOREVER_S}))
    assert stay.is_forever
    assert stay.expires_at is None


def untold(t_s: float, *names: str, deadline: datetime | None = None) -> Sample:
    residents = tuple(Resident(name, None, expires_at=deadline) for name in names)
    return replace(sample(t_s, {}), residents=residents)


def test_a_deadline_that_is_not_told() -> None:
    stay = only(untold(0, A), untold(1, A))
    assert stay == Residency(A, at(0), None, None, None, False, is_told=False)
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


@pytest.mark.parametrize("runners", [True, False])
def test_expired(runners: bool) -> None:
    held: dict[int, str | None] | None = {1: A} if runners else None
    gone: dict[int, str | None] | None = {} if runners else None
    stay = only(sample(0, {A: 1.3}, held), sample(1, {A: 1.3}, held), sample(1.5, {}, gone))
    assert ended(stay) == (1.5, "expired")


def test_keep_alive_0_on_a_warm_model_is_expired_though_its_deadline_was_later() -> None:
    samples = [sample(0, {A: 300}, {1: A}), sample(1, {A: 300}, {1: A}), sample(1.5, {}, {})]
    assert ended(only(*samples, zeroed=[("a", 1.2)])) == (1.5, "expired")
    assert ended(only(*samples)) == (1.5, "unknown")


def test_keep_alive_0_too_short_to_be_listed() -> None:
    samples = [sample(0, {}, {}), sample(0.5, {}, {7: None}), sample(1, {}, {7: None})]
    samples += [sample(1.5, {}, {})]
    assert residencies(samples) == ()  # a load that was given up
    expired = Residency(A, at(1), at(1.5), "expired", None, False)
    assert only(*samples, zeroed=[("a", 1.2)]) == expired
    assert residencies(samples, zeroed=[("a", 9.0)]) == ()


def test_requested() -> None:
    samples = [sample(0, {A: 300}, {1: A}), sample(1, {A: 300}, {1: A}), sample(1.5, {}, {})]
    assert ended(only(*samples, unloads=[("a", 1.1)])) == (1.5, "requested")
    assert ended(only(*samples, unloads=[("b", 1.1)])) == (1.5, "unknown")


def test_requested_while_busy_leaves_later() -> None:
    busy = [sample(t, {A: 3.01 if t > 3 else 300}, {1: A}) for t in range(40)]
    stay = only(*busy, sample(40, {}, {}), unloads=[(A, 3.0)])
    assert ended(stay) == (40, "requested")


def test_an_unload_that_a_later_request_overruled_is_no_reason() -> None:
    samples = [sample(t, {A: 60}, {1: A}) for t in range(60)]
    assert ended(only(*samples, sample(60, {}, {}), unloads=[(A, 3.0)])) == (60, "expired")


def test_an_unload_before_it_was_loaded_is_no_reason() -> None:
    samples = [sample(0, {}, {}), sample(1, {A: 2}, {1: A}), sample(2, {}, {})]
    assert ended(only(*samples, unloads=[(A, 0.5)])) == (2, "expired")


def test_evicted_is_known_as_soon_as_the_next_runner_is_seen() -> None:
    samples = [
        sample(0, {A: 300}, {1: A}),
        sample(0.5, {A: 300}, {1: A}),
        sample(1, {}, {}),
        sample(1.5, {}, {2: None}),
        sample(8, {B: 308}, {2: B}),
    ]
    assert ended(only(*samples[:3])) == (1, "unknown")
    assert ended(only(*samples[:4])) == (1, "evicted")
    first, second = residencies(samples)
    assert ended(first) == (1, "evicted")
    assert (second.model, second.until) == (B, None)


def test_evicted_on_another_machine_is_known_when_the_next_model_is_listed() -> None:
    samples = [sample(0, {A: 300}), sample(1, {}), sample(9, {}), sample(20, {B: 320})]
    assert ended(residencies(samples[:3])[0]) == (1, "unknown")
    assert ended(residencies(samples)[0]) == (1, "evicted")
    late = [*samples[:3], sample(90, {B: 390})]
    assert ended(residencies(late)[0]) == (1, "unknown")


def test_loaded_anew_with_other_options_counts_as_evicted() -> None:
    samples = [
        sample(0, {A: 300}, {1: A}),
        sample(0.5, {}, {2: A}),
        sample(1, {A: 301}, {2: A}),
        sample(1.5, {A: 301}, {3: A}),
    ]
    first, second, third = residencies(samples)
    assert ended(first) == (0.5, "evicted")
    assert ended(second) == (1.5, "evicted")
    assert third.until is None


def test_a_model_that_came_long_before_evicted_nobody() -> None:
    samples = [sample(0, {A: 300}, {1: A})]
    samples += [sample(t, {A: 300, B: 300}, {1: A, 2: B}) for t in (5, 6, 7)]
    samples += [sample(8, {B: 300}, {2: B})]
    assert ended(residencies(samples)[0]) == (8, "unknown")


def test_crashed_while_it_is_still_listed() -> None:
    samples = [sample(0, {A: 300}, {1: A})]
    samples += [sample(t / 2, {A: 300}, {}) for t in range(1, 9)]
    assert only(*samples[:2]).until is None  # may just be leaving
    assert ended(only(*samples)) == (0.5, "crashed")
    samples += [sample(300.5, {}, {})]
    assert ended(only(*samples)) == (0.5, "crashed")


def test_crashed_and_loaded_anew() -> None:
    samples = [sample(0, {A: 300}, {1: A}), *(sample(t, {A: 300}, {}) for t in (1, 2, 3))]
    samples += [sample(4, {}, {2: A}), sample(5, {A: 305}, {2: A})]
    first, second = residencies(samples)
    assert ended(first) == (1, "crashed")
    assert second.until is None


def test_an_eviction_that_waits_for_gpu_memory_is_no_crash() -> None:
    samples = [sample(0, {A: 300}, {1: A}, gpus=(GPU,))]
    samples += [sample(t, {A: 300}, {}, gpus=(GPU,)) for t in (1, 2, 3, 4)]
    assert only(*samples).until is None
    samples += [sample(5, {}, {2: None}, gpus=(GPU,))]
    assert ended(only(*samples)) == (1, "evicted")


def test_a_runner_that_could_not_be_read_once_is_no_crash() -> None:
    samples = [sample(0, {A: 300}, {1: A}), sample(0.5, {A: 300}, {}), sample(1, {A: 300}, {1: A})]
    assert only(*samples, sample(3, {A: 300}, {1: A})).until is None


def test_server_gone_with_its_runners() -> None:
    samples = [sample(0, {A: 300}, {1: A}), sample(0.5, None, {})]
    assert ended(only(*samples)) == (0.5, "server gone")
    assert ended(only(*samples, sample(9, {}, {}))) == (0.5, "server gone")


def test_server_gone_after_its_runners() -> None:
    samples = [sample(0, {A: 300}, {1: A}), sample(0.5, {A: 300}, {}), sample(1, None, {})]
    assert ended(only(*samples)) == (0.5, "server gone")


def test_a_server_that_hangs_still_holds_its_models() -> None:
    samples = [sample(t, {A: 300} if t < 3 or t > 20 else None, {1: A}) for t in range(25)]
    for end in range(1, 25):
        assert only(*samples[:end]).until is None
    assert ended(only(*samples, sample(25, {}, {}), unloads=[(A, 24.5)])) == (25, "requested")


def test_server_gone_on_another_machine() -> None:
    samples = [sample(0, {A: 300}), sample(1, None), sample(2, None), sample(3, {A: 303})]
    assert only(*samples[:3]).until is None
    assert only(*samples).until is None  # a hiccup
    assert ended(only(*samples[:3], sample(9, None))) == (1, "server gone")
    assert ended(only(*samples[:3], sample(9, None), sample(10, {}))) == (1, "server gone")


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
