"""All that a `Scheduler` holds possible, where a test cannot know what came first.

A test knows when it sent something and when it saw an answer, not when Ollama dealt with it; so
an event has an interval. When a deadline lies close to it, or two events' intervals overlap, both
orders are possible: each becomes a world of its own, and what the server shows decides.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

from lifecycle_widgets.scheduler import InMemory, Scheduler

LATE_S = 0.6  # Ollama may act so much later than its timers say: ending a runner takes time
EARLY_S = 0.02
SLACK_S = 1.0  # and may count a request's end so much later than it was sent or seen
_FOREVER_S = 1e8


@dataclass(frozen=True)
class Event:
    """Something that happened between two moments; ``act`` raises ValueError if it cannot have."""

    earliest_s: float
    latest_s: float
    act: Callable[[Scheduler, float], object]


@dataclass(frozen=True)
class Seen:
    """One reading of the server: name to ``expires_at``, the digest that is being loaded."""

    expires_at_s: Mapping[str, float]
    loading: str | None


class Worlds:
    """The states that a server may be in, by what was done to it and what it has shown."""

    def __init__(self, scheduler: Scheduler, digests: Mapping[str, str]) -> None:
        self.all = [scheduler]
        self._digests = digests
        self._told: set[float] = set()  # deadlines that the server has told twice: known exactly
        self._last_told_s: Mapping[str, float] = {}
        self.blur_s = 0.0  # the widest interval of an event since it last told

    def happened(self, events: Sequence[Event]) -> None:
        """These have happened, in any order that their intervals allow."""
        if not events:
            return
        self.blur_s = max([self.blur_s, *(e.latest_s - e.earliest_s for e in events)])
        after: list[Scheduler] = []
        why_not: set[str] = set()
        for order in _orders(events):
            worlds = self.all
            for event in order:
                worlds = _distinct(_did(event, worlds, why_not))
            after += worlds
        assert after, f"In no world {len(events)} events can have happened: {sorted(why_not)}"
        self.all = _distinct(after)

    def explaining(self, seen: Seen, now_s: float) -> list[Scheduler]:
        """Those which the reading agrees with, at the moment at which it does."""
        moments = (m for world in self.all for m in _moments(world, now_s))
        return _distinct(m for m in moments if not self.differences(m, seen))

    def keep(self, worlds: list[Scheduler], seen: Seen) -> None:
        """Only these are left; from here on they count from what the server tells."""
        self.all = worlds
        for world in worlds:
            for runner in world._mechanism.loaded.values():
                told_s = seen.expires_at_s[runner.model]
                if runner.expires_s is None or told_s - world.now_s > _FOREVER_S:
                    continue
                runner.expires_s = told_s
                if told_s == self._last_told_s.get(runner.model):  # else it may not have settled
                    self._told.add(told_s)
                if runner.deadline_s < math.inf:
                    runner.deadline_s = told_s
                    world._mechanism.set_alarm(told_s, runner)
        self._last_told_s = seen.expires_at_s
        self.blur_s = 0.0

    def differences(self, world: Scheduler, seen: Seen) -> list[str]:
        """What the world and the reading do not agree about."""
        residents = {r.model: r for r in world.residents}
        found = [
            f"{name} is {'not ' * (name in residents)}listed"
            for name in sorted(residents.keys() ^ seen.expires_at_s.keys())
        ]
        for name in residents.keys() & seen.expires_at_s.keys():
            expected, told_s = residents[name], seen.expires_at_s[name]
            if not self._agree(expected, told_s, world.now_s):
                late_s = told_s - expected.expires_at_s
                found.append(f"{name} expires {late_s:+.3f} s from what was expected")
        loading = world.loading and self._digests[world.loading.model]
        if loading != seen.loading:
            found.append(f"loading is {seen.loading}, not {loading}")
        return found

    def _agree(self, expected: InMemory, told_s: float, now_s: float) -> bool:
        if math.isinf(expected.expires_at_s) or told_s - now_s > _FOREVER_S:
            return math.isinf(expected.expires_at_s) and told_s - now_s > _FOREVER_S
        late_s = told_s - expected.expires_at_s
        if expected.expires_at_s in self._told:
            return late_s == 0
        return -0.05 - self.blur_s <= late_s <= SLACK_S + self.blur_s


def _orders(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    by_time = sorted(events, key=lambda e: e.latest_s)
    if len(events) > 5:  # a crash that many requests die of; their order makes no difference
        yield by_time
        return
    for order in itertools.permutations(by_time):
        if all(a.earliest_s <= b.latest_s for a, b in itertools.combinations(order, 2)):
            yield order


def _did(event: Event, worlds: Iterable[Scheduler], why_not: set[str]) -> Iterator[Scheduler]:
    for world in worlds:
        for moment in _moments(world, event.latest_s):
            try:
                event.act(moment, moment.now_s)
            except (ValueError, IndexError) as impossible:
                why_not.add(f"{impossible}, with {moment.residents}")
                continue  # not in this order
            yield moment


def _moments(world: Scheduler, now_s: float) -> Iterator[Scheduler]:
    """Copies of the world as it may be now: before and after each deadline that is close."""
    world = deepcopy(world)
    while (due_s := world.next_s) <= now_s + EARLY_S:
        if due_s >= now_s - LATE_S:
            before = deepcopy(world)
            before.advance(max(before.now_s, min(now_s, due_s - 1e-6)))
            yield before
        world.advance(max(world.now_s, due_s))
    world.advance(max(world.now_s, now_s))
    yield world


def _distinct(worlds: Iterable[Scheduler]) -> list[Scheduler]:
    return list({_signature(world): world for world in worlds}.values())


def _signature(world: Scheduler) -> object:
    listed = tuple(
        (r.model, round(r.expires_at_s, 1) if r.busy or r.expires_at_s < math.inf else None,
         r.keep_alive_s, r.busy, r.crashed)
        for r in sorted(world.residents, key=lambda r: r.weights)
    )  # fmt: skip
    tickets = range(len(world._calls))
    mechanism = world._mechanism
    victim = mechanism.victim and mechanism.victim.weights
    # "forever" looks the same while it runs ahead and when it stands, until a keep_alive comes
    ahead = frozenset(r.weights for r in mechanism.loaded.values() if r.expires_s is None)
    return listed, tuple(world.call(t).state for t in tickets), victim, ahead
