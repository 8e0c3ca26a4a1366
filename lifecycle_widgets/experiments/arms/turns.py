"""Turns: whose call comes next where the arms together may hold no more than the largest alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from lifecycle_widgets.experiments.arms.arm import Arm


class Turn(Protocol):
    """What is looked at of a `Lane`."""

    @property
    def arm(self) -> Arm:
        """What it measures."""

    @property
    def done(self) -> int:
        """How many calls it has made."""

    @property
    def is_over(self) -> bool:
        """Whether it has made all of them."""

    def due_in_s(self) -> float:
        """How long until its next call."""


L = TypeVar("L", bound=Turn)


def waits_with_nothing(lane: Turn) -> bool:
    """Whether it is in its long pause, and holds no model: keep_alive 0 has let all of them go."""
    return lane.arm.keep_alive.is_zero and lane.done == lane.arm.longest and not lane.is_over


def next_turn(lanes: Sequence[L]) -> L | None:
    """Whose call comes next; None when all are over.

    An arm that has begun goes on to its end, but that one which holds nothing in its long pause
    makes room for others until they have ended. So no more is held at once than by one of them.

    Parameters
    ----------
    lanes:
        In the order in which they are to begin: those that let go at once first.
    """
    open_ones = [lane for lane in lanes if not lane.is_over]
    begun = [lane for lane in open_ones if lane.done]
    holding = [lane for lane in begun if not waits_with_nothing(lane)]
    if holding:
        return holding[0]
    overdue = [lane for lane in begun if lane.due_in_s() <= 0]
    fresh = [lane for lane in open_ones if not lane.done]
    return next(iter([*overdue, *fresh, *begun]), None)
