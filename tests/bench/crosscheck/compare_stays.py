"""Residencies, held against the process table and Ollama's log."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from lifecycle_widgets.monitor import Residency
from tests.bench.crosscheck.ollama_log import Said
from tests.bench.crosscheck.process_table import LOOK_S, Life
from tests.bench.crosscheck.seen import Asked
from tests.bench.crosscheck.stage import Stage
from tests.bench.crosscheck.table import EXACT, Comparison

ELSEWHERE = "requested elsewhere"
_LISTING_S = 0.25  # a reading of the processes and of /api/ps, on a busy machine
_CRASH_S = 2 * LOOK_S
_NO_LOAD_S = 0.1  # nothing is said of a runner sooner after its beginning


def stays(stage: Stage) -> Iterator[Comparison]:
    """Residencies beside the process table and the scheduler's decisions."""
    ours = stage.monitor.residencies()
    pairs = matched(stage, ours, stage.table.lives)
    seen = {life.pid for _, life in pairs}
    missed = [life for life in stage.table.lives if life.pid not in seen]
    unseen = sum(_is_short(stage, life) for life in missed)
    without = [
        f"{s.model} since {s.since:%X.%f}" for s in ours if all(s is not p for p, _ in pairs)
    ]
    where = f"stays without a runner {without}, runners without a stay {missed}"
    but = "; what came and went between two samples (a load that was given up) cannot be seen"
    count = Comparison("stays in memory", "runners in the process table", "", 0, EXACT + but)
    count.hold(len(ours), len(stage.table.lives) - unseen, where)
    loads = Comparison("`loads` of all stays", "loads begun by Ollama's log", "", 0, EXACT + but)
    begun = len(stage.log.loads("began")) - unseen
    loads.hold(sum(stay.loads for stay in ours), begun, where)
    present = Comparison("stays that go on", "runners that are alive", "", 0, EXACT)
    going_on = sum(stay.until is None for stay in ours)
    present.hold(going_on, len(stage.table.alive()), "at the end")
    yield from (count, loads, present, *_each_stay(stage, pairs))


def _is_short(stage: Stage, life: Life) -> bool:
    return life.ended_s is not None and life.ended_s - life.began_s < stage.monitor.interval_s


def _each_stay(stage: Stage, pairs: list[tuple[Residency, Life]]) -> Iterator[Comparison]:
    within_s = stage.monitor.interval_s + _LISTING_S
    of_sample = "seen at the next sample, every 0.5 s"
    requests = Comparison(
        "`requests` of a stay", "what the runner has served, by the log", "", 0,
        "at least so many: of those between two samples the last is seen", is_least=True,
    )  # fmt: skip
    since = Comparison("`since`", "beginning of the runner", "s", within_s, of_sample)
    until = Comparison("`until`", "end of the runner", "s", within_s, of_sample)
    why = Comparison(
        "`why`", "decisions in Ollama's log", "words", 0,
        "known, or said not to be; where another client unloads within a second before a load, "
        "the samples are those of an eviction",
    )  # fmt: skip
    said = _said_of_each(stage)
    for stay, life in pairs:
        where = f"runner {life.pid}, {stay.model} since {stay.since:%X.%f}"
        served = sum(one.what == "served" for one in said[life.pid])
        requests.hold(stay.requests, served, where)
        since.hold(stay.since.timestamp() - stage.wall_ahead_s, life.began_s, where)
        if stay.until is not None and life.ended_s is not None:
            until.hold(stay.until.timestamp() - stage.wall_ahead_s, life.ended_s, where)
            right = _right_words(stage, life, said[life.pid])
            why.hold_word(None if stay.why == "unknown" else stay.why, right, where)
    yield from (requests, since, until, why)


def matched(
    stage: Stage, ours: tuple[Residency, ...], lives: list[Life]
) -> list[tuple[Residency, Life]]:
    """Each stay with the runner of the same weights that it shares most time with, each once."""
    names = stage.weights

    def shared_s(stay: Residency, life: Life) -> float:
        if names.get(stay.model, life.weights) != life.weights:
            return -1.0
        now_s = stage.ended_s
        until_s = stay.until.timestamp() - stage.wall_ahead_s if stay.until else now_s
        since_s = stay.since.timestamp() - stage.wall_ahead_s
        return min(until_s, life.ended_s or now_s) - max(since_s, life.began_s)

    found: list[tuple[Residency, Life]] = []
    stays_left, lives_left = list(ours), list(lives)
    for stay, life in sorted(product(ours, lives), key=lambda pair: -shared_s(*pair)):
        if shared_s(stay, life) > 0 and stay in stays_left and life in lives_left:
            stays_left.remove(stay)
            lives_left.remove(life)
            found.append((stay, life))
    return sorted(found, key=lambda pair: pair[1].began_s)


def _said_of_each(stage: Stage) -> dict[int, list[Said]]:
    """What the scheduler said of each runner: the last one of the weights that was there then.

    (Some versions say its process number, some do not.)
    """
    found: dict[int, list[Said]] = {life.pid: [] for life in stage.table.lives}
    for said in stage.log.scheduler():
        at_s = said.at_s - stage.wall_ahead_s - _NO_LOAD_S
        its = (li for li in stage.table.lives if li.weights == said.weights and li.began_s < at_s)
        if (life := max(its, key=lambda li: li.began_s, default=None)) is not None:
            found[life.pid].append(said)
    return found


def _right_words(stage: Stage, life: Life, said: list[Said]) -> set[str]:
    """What may be said of why a runner left; that it is not known may always be.

    What would have befallen it before the next sample looks as if it had: its deadline had passed
    by then, or Ollama had decided before it found that the runner had been killed. And one that
    left by itself just when it was told to had been told.
    """
    assert life.ended_s is not None
    ended_s = life.ended_s + stage.wall_ahead_s
    next_s = ended_s + stage.monitor.interval_s
    decided = next((one for one in said if one.is_end), None)
    words: set[str] = set()
    if decided is None or decided.at_s > ended_s + _CRASH_S:
        words.add("crashed")
    if decided is not None and decided.at_s <= next_s:
        words |= _decided_words(stage, life, decided.what, decided.at_s - stage.wall_ahead_s)
    idle = [one.due_s for one in said if one.what == "idle"]
    if idle and idle[-1] <= next_s + _LISTING_S:
        words.add("expired")
    return words | ({"requested"} if life.pid in stage.unloaded else set())


def _decided_words(stage: Stage, life: Life, what: str, at_s: float) -> set[str]:
    if what in ("timer", "evicted"):
        return {"expired" if what == "timer" else "evicted"}
    if what == "unloaded" and life.pid in stage.unloaded:
        return {"requested"}
    by_prompt = {"expired"} if what == "zero" else set()
    if by_prompt and any(_is_of(stage, asked, life, at_s) for asked in stage.asked):
        return by_prompt
    after_s = [other.began_s - (life.ended_s or 0) for other in stage.table.lives]
    looks_evicted = any(-_CRASH_S < s < 2 * stage.monitor.interval_s for s in after_s)
    return {ELSEWHERE, *by_prompt, *({"evicted"} if looks_evicted else ())}


def _is_of(stage: Stage, asked: Asked, life: Life, at_s: float) -> bool:
    """Whether what was decided of a runner then was the end of a run of the monitor's Server."""
    is_model = stage.weights[asked.run.model] == life.weights
    return asked.is_own and is_model and asked.began_s <= at_s <= asked.ended_s + _CRASH_S
