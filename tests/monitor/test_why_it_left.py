"""residencies(): constructed samples, one for each way in which a model can leave."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from stay_samples import GPU, A, B, C, at, ended, only, sample, untold

from lifecycle_widgets.monitor import Runner, Sample, residencies


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


# --- evicted: another load came, and there was no room for both ----------------------------------


def switch(gap_s: float = 0.5, **more: Any) -> list[Sample]:
    """A leaves long before its deadline, and B's runner starts so long after."""
    began_s = 1 + gap_s
    samples = [sample(t, {A: 300}, {1: A}, **more) for t in (0.0, 0.5)]
    samples += [sample(1, {}, {}, **more), sample(began_s, {}, {2: None}, **more)]
    later = (sample(began_s + t, {B: began_s + 300}, {2: B}, **more) for t in (1, 2, 3, 6, 9))
    return [*samples, *later]


def test_evicted_is_known_as_soon_as_the_next_runner_is_seen() -> None:
    samples = switch(most_models=1)
    assert ended(residencies(samples[:3])[0]) == (1, "unknown")
    assert ended(residencies(samples[:4])[0]) == (1, "evicted")
    first, second = residencies(samples)
    assert ended(first) == (1, "evicted")
    assert (second.model, second.since, second.until) == (B, at(1.5), None)


def test_with_room_for_both_it_was_not_evicted() -> None:
    samples = switch(most_models=3)
    assert ended(residencies(samples[:4])[0]) == (1, "unknown")  # others may come
    assert ended(residencies(samples)[0]) == (1, "requested elsewhere")


def test_the_limit_that_is_not_told_may_be_one() -> None:
    assert ended(residencies(switch())[0]) == (1, "unknown")


def test_a_newcomer_that_comes_later_needed_no_place() -> None:
    """The runner of an evictor begins at once; seen a little later, it may have been."""
    for gap_s, why in (
        (1.5, "unknown"),
        (2.5, "requested elsewhere"),
        (5.0, "requested elsewhere"),
    ):
        assert ended(residencies(switch(gap_s, most_models=1))[0]) == (1, why)


def test_without_a_limit_that_is_told_three_models_are_the_most() -> None:
    three = {A: 100.0, B: 300.0, C: 300.0}
    held = {1: A, 2: B, 3: C}
    samples = [sample(t, three, held) for t in (0, 1)]
    two = {B: 300.0, C: 300.0}
    samples += [sample(2, two, {2: B, 3: C}), sample(2.5, two, {2: B, 3: C, 4: None})]
    assert ended(residencies(samples)[0]) == (2, "evicted")


def test_memory_that_does_not_suffice_for_both() -> None:
    """B takes 1000 bytes."""
    close = {"ram_used_bytes": 10_000_000_000 - 2000, "ram_total_bytes": 10_000_000_000}
    full = close | {"ram_used_bytes": 10_000_000_000 - 500}
    found = [residencies(switch(most_models=3, **memory))[0].why for memory in (full, close)]
    assert found == ["evicted", "unknown"]
    card = replace(GPU, memory_used_bytes=7_999_999_500, memory_total_bytes=8_000_000_000)
    free = replace(GPU, memory_used_bytes=0, memory_total_bytes=8_000_000_000)
    silent = replace(GPU, memory_used_bytes=None)
    for gpu, why in ((card, "evicted"), (free, "requested elsewhere"), (silent, "unknown")):
        assert residencies(switch(most_models=3, gpus=(gpu,)))[0].why == why


def test_a_load_that_fails_has_ollama_make_room() -> None:
    samples = [sample(t, {A: 300}, {1: A}, most_models=3) for t in (0, 0.5)]
    samples += [sample(1, {A: 300}, {1: A, 2: B}, most_models=3)]
    samples += [sample(1.5, {}, {}, most_models=3), sample(2, {}, {3: B}, most_models=3)]
    first, failed, _ = residencies(samples)
    assert ended(first) == (1.5, "evicted")
    assert (failed.model, *ended(failed)) == (B, 1.5, "unknown")


def test_loaded_anew_with_other_options_counts_as_evicted() -> None:
    samples = [sample(t, {A: 300}, {1: A}, most_models=3) for t in (0, 0.5)]
    samples += [sample(1, {}, {2: A}, most_models=3)]
    samples += [sample(1.5, {A: 301}, {2: A}, num_ctx=2048, most_models=3)]
    samples += [sample(2, {A: 302}, {3: A}, num_ctx=4096, most_models=3)]
    first, second, third = residencies(samples)
    assert ended(first) == (1, "evicted")
    assert ended(second) == (2, "evicted")
    assert third.until is None


def test_other_options_are_seen_in_the_command_line_too() -> None:
    """num_batch stands there, and not in /api/ps."""
    samples = [sample(t, {A: 300}, {1 if t < 1 else 2: A}, most_models=3) for t in (0, 0.5, 1, 1.5)]
    assert ended(residencies(samples)[0]) == (1, "unknown")  # or unloaded, and asked for again
    told = [
        replace(one, runners=tuple(replace(r, options=f"-b {r.pid}") for r in one.runners or ()))
        for one in samples
    ]
    assert ended(residencies(told)[0]) == (1, "evicted")


def test_a_model_that_came_long_before_evicted_nobody() -> None:
    samples = [sample(0, {A: 300}, {1: A})]
    samples += [sample(t, {A: 300, B: 300}, {1: A, 2: B}) for t in (5, 6, 7)]
    samples += [sample(t, {B: 300}, {2: B}) for t in (8, 9, 10)]
    assert ended(residencies(samples[:5])[0]) == (8, "unknown")
    assert ended(residencies(samples)[0]) == (8, "unknown")
    samples += [sample(11, {B: 300}, {2: B})]
    assert ended(residencies(samples)[0]) == (8, "requested elsewhere")


def test_a_request_that_may_have_been_given_up_is_no_unload() -> None:
    """Until a model's first request has ended its deadline runs ahead of the clock."""
    moving = [sample(t, {A: t + 300}, {1: A}) for t in (0, 1, 2)]
    gone = [sample(t, {}, {}) for t in (3, 4, 5, 6, 7)]
    assert ended(only(*moving, *gone)) == (3, "unknown")
    assert ended(only(*moving, sample(2.5, {A: 302}, {1: A}), *gone)) == (3, "requested elsewhere")


def test_without_its_deadline_nothing_is_concluded() -> None:
    samples = [replace(untold(t, A), runners=(Runner(1, 1, A),)) for t in (0, 1)]
    assert ended(only(*samples, *(sample(t, {}, {}) for t in (2, 4, 6)))) == (2, "unknown")


# --- on another machine, or where runners cannot be seen ------------------------------------------


def test_on_another_machine_the_next_model_proves_nothing() -> None:
    samples = [sample(0, {A: 300}), sample(1, {}), sample(9, {}), sample(20, {B: 320})]
    assert ended(residencies(samples)[0]) == (1, "unknown")
    alone = [sample(0, {A: 300}), *(sample(t, {}) for t in (1, 9, 90))]
    assert ended(only(*alone)) == (1, "unknown")


def test_on_another_machine_a_fourth_model_takes_a_place() -> None:
    samples = [sample(0, {A: 100, B: 300, C: 300}), sample(1, {B: 300, C: 300})]
    samples += [sample(20, {B: 300, C: 300, "d:latest": 320})]
    assert ended(residencies(samples)[0]) == (1, "evicted")


def test_on_another_machine_another_context_is_another_load() -> None:
    samples = [sample(0, {A: 300}), sample(1, {A: 301}, num_ctx=2048)]
    first, second = residencies(samples)
    assert (*ended(first), second.since) == (1, "evicted", at(1))


# --- crashed, and server gone ---------------------------------------------------------------------


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
    gpu: dict[str, Any] = {"gpus": (GPU,), "most_models": 1}
    samples = [sample(0, {A: 300}, {1: A}, **gpu)]
    samples += [sample(t, {A: 300}, {}, **gpu) for t in (1, 2, 3, 4)]
    assert only(*samples).until is None
    samples += [sample(5, {}, {2: None}, **gpu)]
    assert ended(residencies(samples)[0]) == (1, "evicted")


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


def test_unloaded_by_another_name_before_it_was_ever_listed() -> None:
    times = (0, 0.5, 1, 1.5)
    samples = [sample(t, {}, {} if t in (0, 1.5) else {1: A}) for t in times]
    assert ended(only(*samples)) == (1.5, "unknown")
    assert ended(only(*samples, unloads=[("twin", 1.2)])) == (1.5, "requested")
    both = [
        sample(t, {B: 300}, {2: B} if t in (0, 1.5) else {1: A, 2: B}) for t in (0, 0.5, 1, 1.5)
    ]
    stays = residencies(both, unloads=[(B, 1.2)])
    assert [stay.why for stay in stays if stay.model == A] == ["unknown"], "that was the other one"
