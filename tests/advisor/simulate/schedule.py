"""Random schedules of several models, and what `replay_server` says will come of them.

Times are compressed: keep_alives of 1 to 8 s, answers of half a second to two.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from lifecycle_widgets.advisor.policies.policy import Policy
from lifecycle_widgets.advisor.simulate.replay import Asked, LoadTimes, Setting, replay_server
from lifecycle_widgets.advisor.simulate.simulated import Simulated

DEFAULT_S = 3.0
TOKEN_S = 0.1  # so that an answer takes as long as its tokens are many
AFTER_S = 9.0  # after the last request one watches on: any keep_alive but forever has run out
SETTINGS: tuple[Setting, ...] = (None, 0, 1, 2, 3, 5, 8, -1)
LOADS = (0.6, 1.0, 1.6, 2.5)  # how long a load may take against its usual time, here and now
ANSWERS = (1.0, 1.4)
LATE_S = 0.35  # and how much longer any answer

Event: TypeAlias = tuple[str, str]
"""("loads" | "evicted" | "unloaded", model)"""


@dataclass(frozen=True)
class Schedule:
    """What is asked, with which keep_alives; a tuple has one for each request of its model."""

    limit: int
    asked: tuple[Asked, ...]
    keep_alives: Mapping[str, Setting | tuple[float, ...]]
    end_s: float

    def carried(self, model: str) -> Setting | Policy:
        """As `replay_server` takes it."""
        its = self.keep_alives.get(model)
        return InTurn(its) if isinstance(its, tuple) else its

    def sent(self, model: str, number: int) -> Setting:
        """What the so-manieth request of a model carries."""
        its = self.keep_alives[model]
        return its[number] if isinstance(its, tuple) else its


class InTurn:
    """A policy that gives what it was given, one after the other."""

    name, guarantee, source = "in turn", "none", "this test"

    def __init__(self, ttls_s: Sequence[float]) -> None:
        self._ttls_s = iter(ttls_s)

    def next_ttl_s(self) -> float:
        return next(self._ttls_s)

    def learn(self, gap_s: float) -> None:
        pass


def predicted(
    schedule: Schedule, load_s: LoadTimes, digests: Mapping[str, str]
) -> list[Event] | None:
    """What will happen until its end, in order; None where a request is never answered."""

    def loads(one: Asked) -> float:
        if one.model == "the end" or not callable(load_s):
            return {"the end": 0.0, **load_s}[one.model] if isinstance(load_s, Mapping) else 0.0
        return load_s(one)

    done = replay_server(
        [*schedule.asked, Asked("the end", schedule.end_s, 0.0)],
        keep_alive=schedule.carried,
        load_s=loads,
        limit=schedule.limit,
        default_keep_alive=DEFAULT_S,
        weights=digests,
    )
    return None if done.unanswered else _story(done, schedule.end_s)


def _story(done: Simulated, end_s: float) -> list[Event]:
    events = [
        (d.at_s, "evicted" if d.why == "evicted" else "unloaded", d.model) for d in done.departures
    ]
    events += [(load.at_s, "loads", load.model) for load in done.loads]
    events.sort(key=lambda event: event[0])  # of the same moment a leaving makes room for a load
    return [(what, model) for at_s, what, model in events if at_s < end_s]


# --- drawing --------------------------------------------------------------------------------------


def drawn(
    seed: int,
    models: Sequence[str],
    limit: int,
    loads_s: Mapping[str, float],
    digests: Mapping[str, str],
) -> tuple[Schedule, int]:
    """A random schedule whose course is decided, and how many had to be drawn for it.

    Some models of it have to leave for others; one only where that is rare.
    """
    chance = random.Random(seed)
    for count in range(1, 100_000):
        schedule = _one(chance, models, limit)
        plain = predicted(schedule, loads_s, digests)
        evictions = sum(what == "evicted" for what, _ in plain or ())
        if evictions < (2 if count < 3000 else 1):
            continue
        if is_decided(schedule, loads_s, digests, chance):
            return schedule, count
    raise AssertionError("No schedule is decided.")


def _one(chance: random.Random, models: Sequence[str], limit: int) -> Schedule:
    at_s, asked = 0.0, []
    for _ in range(chance.randint(8, 14)):
        answer_s = TOKEN_S * chance.choice((5, 10, 20))
        asked.append(Asked(chance.choice(models), round(at_s, 1), answer_s))
        at_s += chance.choice((0.4, 1.0, 2.5, 4.0, 6.0))
    settings: dict[str, Setting | tuple[float, ...]] = {}
    for model in models:
        settings[model] = chance.choice(SETTINGS)
        if chance.random() < 0.3:  # a policy's
            settings[model] = tuple(chance.choice((0.0, 1.0, 2.0, 4.0, 8.0)) for _ in asked)
    return Schedule(limit, tuple(asked), settings, at_s + AFTER_S)


def is_decided(
    schedule: Schedule,
    loads_s: Mapping[str, float],
    digests: Mapping[str, str],
    chance: random.Random,
) -> bool:
    """Whether all is answered, and goes the same way however long loads and answers take here."""
    plain = predicted(schedule, loads_s, digests)
    return plain is not None and all(
        predicted(
            shaken(schedule, chance, ANSWERS, LATE_S),
            {model: s * _about(LOADS, number, chance) for model, s in loads_s.items()},
            digests,
        )
        == plain
        for number in range(40)
    )


def _about(factors: Sequence[float], number: int, chance: random.Random) -> float:
    return factors[number % len(factors)] * chance.uniform(0.8, 1.25)


def shaken(
    schedule: Schedule, chance: random.Random, answers: tuple[float, float], late_s: float
) -> Schedule:
    """The same with requests that arrive and answers that end somewhat later."""
    asked = [
        Asked(
            one.model,
            one.at_s + chance.uniform(0, 0.3 * late_s),
            one.answer_s * chance.uniform(*answers) + chance.uniform(0, late_s),
        )
        for one in schedule.asked
    ]
    return replace(schedule, asked=tuple(asked))


def explained(
    schedule: Schedule,
    load_s: Callable[[Asked], float],
    digests: Mapping[str, str],
    seen: Sequence[Event],
    blur_s: float = 0.12,
) -> bool:
    """Whether what was seen is what the times that were measured come to.

    They are known to about ``blur_s``: what lies closer may have come in either order.
    """
    chance = random.Random(0)

    def slower(one: Asked) -> float:
        return load_s(one) + chance.uniform(0, blur_s)

    tries = [(schedule, load_s)]
    tries += [(shaken(schedule, chance, (1.0, 1.0), blur_s), slower) for _ in range(200)]
    return any(predicted(one, loads, digests) == list(seen) for one, loads in tries)
