"""advise_server: OLLAMA_KEEP_ALIVE and OLLAMA_MAX_LOADED_MODELS, from the advice for its models."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lifecycle_widgets.advisor.recommend.choosing.choice import LEAST_GAPS, is_shown
from lifecycle_widgets.advisor.recommend.choosing.rounding import NICE, nearest, nice_costs
from lifecycle_widgets.advisor.recommend.evidence.newest import newest
from lifecycle_widgets.advisor.recommend.values import ModelAdvice, ServerAdvice
from lifecycle_widgets.advisor.simulate.asked import asked_of
from lifecycle_widgets.advisor.simulate.limits import AtLimit, best_limit
from lifecycle_widgets.advisor.workload.groups import groups_of, hours_of_use
from lifecycle_widgets.advisor.workload.workload import Workload
from lifecycle_widgets.experiments.statistics import digits
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import counted

_APART = 0.005  # of the cost: what differs by less is the same to a person

_MOST_ASKED = 5_000  # busy times that are replayed for each limit: a fraction of a second

MOST_MODELS = 12
"""More streams than that are sessions or people, and no models of one server."""


def advise_server(
    workload: Workload, models: Sequence[ModelAdvice], most_reloads_per_hour: float | None = None
) -> ServerAdvice:
    """The one keep_alive that costs all models least together, and how many to keep at once.

    Parameters
    ----------
    workload:
        What was asked.
    models:
        The advice for each of its models that there is one for; at least one.
    most_reloads_per_hour:
        No value by which one of them reloads more often in an hour of use; None: no limit.
    """
    most = math.inf if most_reloads_per_hour is None else most_reloads_per_hour
    keep_alive, why = _one_for_all(workload, models, most)
    limit, why_so_many = _limit(workload, models)
    return ServerAdvice(keep_alive, limit, " ".join((why, *why_so_many)))


def _one_for_all(
    workload: Workload, models: Sequence[ModelAdvice], most_per_hour: float
) -> tuple[KeepAlive, str]:
    if len(models) == 1:
        return models[0].keep_alive, "With one model the server's default can be its own value."
    costs, worth = np.zeros(len(NICE)), _worth(models)
    for one in models:
        stream = workload.stream(one.model)
        of_each, reloads = nice_costs(stream.gaps_s, one.t_star_s)
        too_often = reloads > most_per_hour * hours_of_use(stream)
        costs += np.where(too_often, math.inf, worth[one.model] * of_each)
    best = NICE[int(np.argmin(costs))]
    if most_per_hour == math.inf and not _all_show(best, workload, models):
        value = nearest(_middle(one.t_star_s for one in models))
        return value, f"{value} is T*, as the gaps do not show that another value costs less."
    beside = _beside(float(np.min(costs)), models, worth)
    return best, f"Of one value for all {best} costs least: {beside}."


def _beside(cost: float, models: Sequence[ModelAdvice], worth: Mapping[str, float]) -> str:
    """What one value costs beside those of today, and beside each with its own."""
    today = sum(worth[one.model] * one.now.cost for one in models)
    own = sum(worth[one.model] * one.then.cost for one in models)
    return f"{_share(cost, today)} than today's, {_share(cost, own)} than each with its own"


def _share(cost: float, other: float) -> str:
    """
    >>> _share(8.0, 10.0), _share(10.0, 8.0), _share(10.0, 10.0)
    ('20 % less', '25 % more', 'no more')
    """
    apart = cost / other - 1 if other else 0.0
    if abs(apart) < _APART:
        return "no more"
    return f"{digits(100 * abs(apart), 2)} % {'more' if apart > 0 else 'less'}"


def _all_show(value: KeepAlive, workload: Workload, models: Sequence[ModelAdvice]) -> bool:
    """Whether the gaps of all together show that one value is cheaper than T*."""
    t_stars_s = {one.t_star_s for one in models}
    if len(t_stars_s) > 1:
        return any(one.is_enough for one in models)
    streams = (workload.stream(one.model) for one in models)
    groups = [part for stream in streams for part in groups_of(stream, workload.origin_s)[0]]
    t_star_s = t_stars_s.pop()
    enough = sum(map(len, groups)) >= LEAST_GAPS
    return enough and is_shown(value, nearest(t_star_s), groups, t_star_s)


def _middle(values: Iterable[float]) -> float:
    """As many times longer than the shortest as the longest is longer than it."""
    told = list(values)
    return math.sqrt(min(told)) * math.sqrt(max(told))


def _worth(models: Sequence[ModelAdvice]) -> dict[str, float]:
    """What a reload of each is worth: its seconds, where those of all are known; else the same."""
    seconds = {one.model: None if one.reload is None else one.reload.seconds for one in models}
    is_known = all(value is not None for value in seconds.values())
    return {name: value if is_known and value else 1.0 for name, value in seconds.items()}


def _limit(workload: Workload, models: Sequence[ModelAdvice]) -> tuple[int | None, list[str]]:
    """OLLAMA_MAX_LOADED_MODELS by what its scheduler would have done with each."""
    names = [one.model for one in models]
    if len(names) < 2:
        return None, []
    if len(names) > MOST_MODELS:
        return None, [
            f"{len(names)} streams are taken for sessions, not for models of one server: "
            "OLLAMA_MAX_LOADED_MODELS is left open."
        ]
    every = replace(workload, streams=tuple(workload.stream(name) for name in names))
    seen = newest(every, _MOST_ASKED)
    limits = best_limit(
        asked_of(seen),
        t_star_s={one.model: one.t_star_s for one in models},
        load_s=_worth(models),
        keep_alive={one.model: one.keep_alive for one in models},
    )
    best = limits.best
    others = [row for row in limits.rows if row.limit in (best.limit - 1, best.limit + 1)]
    beside = ", ".join(f"{row.limit}: {_loads(row)}" for row in others)
    is_part = seen is not every
    begin = f"Over the last {_MOST_ASKED:,} busy times, with" if is_part else "With"
    return best.limit, [
        f"{begin} {counted(best.limit, 'model')} in memory at most there would have been "
        f"{_loads(best)} ({beside}), by Ollama's own order of eviction."
    ]


def _loads(row: AtLimit) -> str:
    loads = counted(len(row.simulated.loads), "load")
    return f"{loads} and {counted(row.evictions, 'eviction')}"
