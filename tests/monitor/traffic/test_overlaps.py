"""Requests of one model that overlap: with the log each is told, however late it was looked."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lifecycle_widgets.monitor import Request, Sample
from tests.monitor.traffic.simulated import INTERVAL_S, MODEL, Use, World, WrittenLog, seen

AFTER_S = 12.0  # by then all is final
Burst = list[Use]  # requests of which each begins before the one before it has ended


@st.composite
def bursts(draw: st.DrawFn) -> list[Burst]:
    found, t_s = [], 2.0
    for _ in range(draw(st.integers(1, 4))):
        burst = [Use(t_s, t_s + draw(st.floats(0.2, 4.0)))]
        for _ in range(draw(st.integers(0, 2))):
            last = burst[-1]
            began_s = draw(st.floats(last.began_s, last.ended_s - 0.1))
            burst.append(Use(began_s, last.ended_s + draw(st.floats(0.1, 4.0))))
        found.append(burst)
        t_s = burst[-1].ended_s + draw(st.floats(1.2, 12.0))
    return found


LATE_S = st.lists(st.sampled_from((0.0, 0.0, 0.0, 0.3, 1.0)), min_size=1, max_size=7)
AS_SEEN = [[Use(4.896, 5.719), Use(5.112, 7.186)], [Use(8.392, 8.708)]]  # by clients, once


@settings(deadline=None, max_examples=60)
@given(bursts(), LATE_S, st.floats(0.0, 0.49))
@example(AS_SEEN, [0.0], 0.0)
@example(AS_SEEN, [1.0], 0.2)
def test_each_is_told(truth: list[Burst], late_s: list[float], shift_s: float) -> None:
    requests = [use for burst in truth for use in burst]
    world = World([Use(burst[0].began_s, burst[-1].ended_s) for burst in truth])
    found = seen(samples(world, late_s, shift_s), WrittenLog(requests))
    assert len(found) == len(requests), found
    for one in found:
        assert (one.model, one.witnesses[-1]) == (MODEL, "log"), one
        mine = [use for use in requests if one.total_s == pytest.approx(use.ended_s - use.began_s)]
        assert any(is_its_end(one, use.ended_s) for use in mine), (one, mine)
        requests.remove(mine[0])


def is_its_end(one: Request, ended_s: float) -> bool:
    assert one.ended_s is not None
    assert one.end_within_s is not None
    return abs(one.ended_s - ended_s) <= one.end_within_s + 0.05


def samples(world: World, late_s: Sequence[float], shift_s: float) -> list[Sample]:
    """Some of them late, in turn: the machine is busy."""
    found, t_s = [], shift_s
    while t_s < world.uses[-1].ended_s + AFTER_S:
        found.append(world.sample(t_s))
        t_s += INTERVAL_S + late_s[len(found) % len(late_s)]
    return found
