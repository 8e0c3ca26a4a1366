"""From a `Scheduler` that has run to the figures of what it did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from lifecycle_widgets.advisor.simulate.simulated import Load, OneModel, Simulated
from lifecycle_widgets.scheduler import Call, Scheduler


def simulated(
    ollama: Scheduler,
    requests: int,
    weights: Mapping[str, str],
    held_bytes: Mapping[str, float],
) -> Simulated:
    """What it did with its first requests, which have all been asked by now."""
    calls = [ollama.call(ticket) for ticket in range(requests)]
    until_s = max(
        (call.asked_s if call.ended_s is None else call.ended_s for call in calls), default=0.0
    )
    by_weights: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        by_weights[weights.get(call.model, call.model)].append(call)
    models = {
        its[0].model: _one_model(ollama, its, key, until_s, held_bytes.get(its[0].model))
        for key, its in by_weights.items()
    }
    return Simulated(
        loads=_loads(calls),
        departures=tuple(ollama.departures),
        models=models,
        until_s=until_s,
        unanswered=sum(call.state != "done" for call in calls),
    )


def _loads(calls: Iterable[Call]) -> tuple[Load, ...]:
    made = [
        Load(call.model, call.asked_s, call.load_began_s, call.served_s)
        for call in calls
        if call.load_began_s is not None and call.served_s is not None
    ]
    return tuple(sorted(made, key=lambda load: load.at_s))


def _one_model(
    ollama: Scheduler, calls: list[Call], weights: str, until_s: float, held_bytes: float | None
) -> OneModel:
    left = [one for one in ollama.departures if one.weights == weights]
    held_s = sum(one.at_s - one.since_s for one in left)
    held_s += sum(until_s - one.since_s for one in ollama.residents if one.weights == weights)
    evictions = sum(one.why == "evicted" for one in left)
    return OneModel(
        requests=len(calls),
        loads=sum(call.load_began_s is not None for call in calls),
        evictions=evictions,
        unloads=len(left) - evictions,
        waiting_s=sum(_waited_s(call, until_s) for call in calls),
        held_s=held_s,
        idle_s=max(0.0, held_s - _busy_s(calls, until_s)),
        held_bytes=held_bytes,
    )


def _waited_s(call: Call, until_s: float) -> float:
    """Until its model was in memory; one that is never answered waits until the end."""
    if call.served_s is not None:
        return call.served_s - call.asked_s
    return (until_s if call.ended_s is None else call.ended_s) - call.asked_s


def _busy_s(calls: Iterable[Call], until_s: float) -> float:
    """For how long at least one of them was being answered."""
    busy_s, end_s = 0.0, float("-inf")
    times = [
        (c.served_s, until_s if c.ended_s is None else c.ended_s)
        for c in calls
        if c.served_s is not None
    ]
    for from_s, to_s in sorted(times):
        busy_s += max(0.0, to_s - max(from_s, end_s))
        end_s = max(end_s, to_s)
    return busy_s
