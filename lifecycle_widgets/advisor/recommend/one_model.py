"""advise_model: the advice for one model, from its stream and what else is known of it."""

from __future__ import annotations

import time
from dataclasses import replace

from lifecycle_widgets.advisor.price import Price
from lifecycle_widgets.advisor.recommend.choosing.choice import choose, limited, seconds
from lifecycle_widgets.advisor.recommend.choosing.figures import figures_of
from lifecycle_widgets.advisor.recommend.evidence.evidence import evidence_of
from lifecycle_widgets.advisor.recommend.evidence.reload_cost import ReloadCost
from lifecycle_widgets.advisor.recommend.telling import words
from lifecycle_widgets.advisor.recommend.values import ModelAdvice
from lifecycle_widgets.advisor.replay.bootstrap import saving
from lifecycle_widgets.advisor.workload.groups import groups_of, hours_of_use
from lifecycle_widgets.advisor.workload.workload import Stream, Workload
from lifecycle_widgets.experiments.statistics import Interval
from lifecycle_widgets.keep_alive import KeepAlive


def advise_model(
    stream: Stream,
    workload: Workload,
    learned_s: float,
    price: Price,
    *,
    today: tuple[KeepAlive, str],
    reload: ReloadCost,
    most_reloads_per_hour: float | None = None,
) -> ModelAdvice:
    """Choose its value, count what it comes to, and say why.

    Parameters
    ----------
    stream, workload:
        The model's, with at least one watched gap, and where it is from.
    learned_s:
        What the policy would do next, in seconds.
    price:
        From which its T* follows.
    today:
        The value in force, and how it is known.
    reload:
        What is known of a reload.
    most_reloads_per_hour:
        No value that reloads more often in an hour of use; None: no limit.
    """
    t_star_s = price.t_star(reload.seconds, reload.held_bytes)
    gaps_s, hours = stream.gaps_s, hours_of_use(stream)
    groups, _ = groups_of(stream, workload.origin_s)
    choice = choose(learned_s, today[0], groups, t_star_s)
    if most_reloads_per_hour is not None:
        choice = limited(choice, gaps_s, t_star_s, hours, most_reloads_per_hour)
    now, then = (
        figures_of(
            gaps_s,
            seconds(value),
            t_star_s,
            hours=hours,
            reload_s=reload.seconds,
            held_bytes=reload.held_bytes,
        )
        for value in (today[0], choice.value)
    )
    evidence = evidence_of(stream, workload.origin_s, workload.witnesses)
    gain = saving(groups, seconds(today[0]), seconds(choice.value), t_star_s)
    saves = _scaled(gain, 1 / max(1, evidence.days))
    case = words.Case(
        model=stream.name,
        choice=choice,
        today=today[0],
        t_star_s=t_star_s,
        gaps_s=gaps_s,
        evidence=evidence,
        is_recent=_is_recent(stream, workload),
        saves=saves,
        now=now,
        then=then,
    )
    is_measured = reload.reload_s is not None or reload.held_bytes is not None
    return ModelAdvice(
        model=stream.name,
        keep_alive=choice.value,
        today=today[0],
        today_from=today[1],
        t_star_s=t_star_s,
        price_in_words=price.in_words(reload.seconds, reload.held_bytes),
        reload=reload if is_measured else None,
        saves=saves,
        saves_s=None if reload.seconds is None else _scaled(saves, reload.seconds),
        now=now,
        then=then,
        evidence=evidence,
        is_enough=choice.is_enough,
        guarantee=words.guarantee(choice.value, t_star_s),
        because=words.because(case),
        warnings=tuple(words.warnings(case, _lacks(reload))),
    )


def _scaled(interval: Interval, factor: float) -> Interval:
    low, median, high = (v * factor for v in (interval.low, interval.median, interval.high))
    return replace(interval, low=low, median=median, high=high)


def _is_recent(stream: Stream, workload: Workload) -> bool:
    """Whether "in the last so many days" is true of it."""
    if workload.origin_s is None:
        return False
    ago_s = time.time() - workload.origin_s - float(stream.busy_until_s[-1])
    return 0 <= ago_s <= 60 + stream.span_s / 10


def _lacks(reload: ReloadCost) -> str | None:
    """What is not known of a reload: a sentence where that is something."""
    is_whole = reload.reload_s is not None and (
        reload.load_s is None or reload.prompt_s is not None
    )
    return None if is_whole else reload.told or None
