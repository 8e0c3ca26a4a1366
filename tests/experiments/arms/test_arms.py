"""Whose call comes next, and what memory over time makes in GB-seconds; without a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_widgets.experiments.arms.arm import Arm, Call
from lifecycle_widgets.experiments.arms.arms import keep_alives_checked, next_lane
from lifecycle_widgets.experiments.arms.turns import next_turn, waits_with_nothing
from lifecycle_widgets.experiments.ground.held import gb_seconds
from lifecycle_widgets.keep_alive import KeepAlive


@dataclass
class Waiting:
    """What `next_lane` looks at of a lane."""

    due: float
    gap_s: float = 1.0
    done: int = 1
    is_over: bool = False
    has_paused: bool = True

    def due_in_s(self) -> float:
        return self.due


def next_of(*lanes: Any) -> Any:
    return next_lane(lanes)


def test_the_one_that_is_due_first_comes_next() -> None:
    late, soon = Waiting(due=30), Waiting(due=5)
    assert next_of(late, soon) is soon


def test_where_two_collide_the_shorter_gap_goes_first() -> None:
    long, short = Waiting(due=0.0, gap_s=33), Waiting(due=0.5, gap_s=0.3)
    assert next_of(long, short) is short


def test_an_arm_begins_when_the_one_before_it_pauses() -> None:
    first, second = Waiting(due=9, has_paused=False), Waiting(due=0, done=0)
    assert next_of(first, second) is first
    first.has_paused = True
    assert next_of(first, second) is second


def test_when_all_are_over_there_is_none() -> None:
    assert next_of(Waiting(due=0, is_over=True)) is None


@dataclass
class Taking:
    """What `next_turn` looks at of a lane: three calls, the pause before the second."""

    keep_alive: Any
    done: int = 0
    due: float = 0.0

    @property
    def arm(self) -> Arm:
        calls = tuple(Call("a", gap) for gap in (0, 33, 1))
        return Arm(str(self.keep_alive), KeepAlive(self.keep_alive), calls)

    @property
    def is_over(self) -> bool:
        return self.done == 3

    def due_in_s(self) -> float:
        return self.due


def test_in_turn_no_more_than_one_arm_holds_something() -> None:
    nothing, some, more = Taking(0), Taking("30s"), Taking("5m")
    lanes, order = [nothing, some, more], []
    while (due := next_turn(lanes)) is not None:
        held = [x for x in lanes if x.done and not x.is_over and not waits_with_nothing(x)]
        assert held in ([], [due])
        due.done += 1
        due.due = 33.0 if due.done == 1 else 0.0
        if due is some:
            nothing.due = -1.0  # overdue by then
        order.append(due.arm.name)
    assert order == ["0", "30s", "30s", "30s", "0", "0", "5m", "5m", "5m"]


def test_in_turn_who_waits_with_nothing_is_waited_for_at_the_end() -> None:
    lane = Taking(0, done=1, due=20.0)
    assert next_turn([lane, Taking("5m", done=3)]) is lane
    assert next_turn([lane, fresh := Taking("5m")]) is fresh


def test_the_longest_pause() -> None:
    calls = tuple(Call("a", gap) for gap in (99, 1, 33, 1))
    assert Arm("x", KeepAlive(0), calls).longest == 2
    assert Arm("x", KeepAlive(0), calls[:1]).longest == 1


def test_each_keep_alive_once() -> None:
    assert [str(k) for k in keep_alives_checked((0, None, "5m"))] == ["0", "server default", "5m"]
    with pytest.raises(ValueError, match="is not a duration"):
        keep_alives_checked(("5 minutes",))


@given(st.lists(st.floats(0, 1e10), min_size=2, max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_gb_seconds_add_up(values: list[float], one: float, other: float) -> None:
    points = [(float(i), value) for i, value in enumerate(values)]
    end = len(values) - 1.0
    low, high = sorted((one * end, other * end))
    whole = gb_seconds(points, 0, end)
    parts = [gb_seconds(points, a, b) for a, b in ((0, low), (low, high), (high, end))]
    assert sum(parts) == pytest.approx(whole, abs=1e-6)
    assert whole <= max(values) * end / 1e9 + 1e-6
