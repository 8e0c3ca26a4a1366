"""What an advice says: why, what is promised, what to know before; short, with its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lifecycle_widgets.advisor.policies.slack_bank import K_RELOADS
from lifecycle_widgets.advisor.recommend.choosing.choice import Choice, seconds, worst_over_least
from lifecycle_widgets.advisor.recommend.values import Evidence, Figures
from lifecycle_widgets.advisor.workload.workload import Seconds
from lifecycle_widgets.experiments.statistics import Interval, digits
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import counted
from lifecycle_widgets.short_texts import one_line

MOST_LETTERS = 60
"""Of a name in a sentence."""

_MANY = 0.5  # of the gaps: when more end in a reload, it feels wrong
_NEARLY_2 = 2.5  # times the least: T*, rounded
_TIMES = 3.0  # from here on it is so many times as much, and no percentage
_APART = 0.01  # of the cost: what differs by less is the same to a person


@dataclass(frozen=True)
class Case:
    """All that the sentences about one model are made of; as in `ModelAdvice`."""

    model: str
    choice: Choice
    today: KeepAlive
    t_star_s: float
    gaps_s: Seconds
    evidence: Evidence
    is_recent: bool
    saves: Interval
    now: Figures
    then: Figures


# --- why ------------------------------------------------------------------------------------------


def because(case: Case) -> str:
    """Why this value: what was seen, then what it would have come to."""
    return f"{_seen(case)} {_reason(case)}"


def _seen(case: Case) -> str:
    evidence, span = case.evidence, length(case.evidence.span_s)
    when = f"In the last {span}" if case.is_recent else f"Over {span}"
    asked = f"{when} {called(case.model)} was asked {counted(evidence.requests, 'time')}"
    if evidence.gaps == 1:
        return f"{asked}, with one idle gap, of {length(float(case.gaps_s[0]))}."
    longer = int((case.gaps_s > case.t_star_s).sum())
    return (
        f"{asked}, with {evidence.gaps:,} idle gaps: half of them up to "
        f"{length(float(np.median(case.gaps_s)))}, {f'{longer:,}' if longer else 'none'} longer "
        f"than T* ({length(case.t_star_s)})."
    )


def _reason(case: Case) -> str:
    choice, today = case.choice, case.today
    is_same = choice.value.seconds == today.seconds
    if choice.is_enough and is_same:
        return f"Today's {today} is right: {_came_to(case.then)}; no other is shown to cost less."
    would = (
        f"With {choice.value}: {_came_to(case.then)}; with today's {today}: {_came_to(case.now)}. "
        f"{_saved(case)}"
    )
    if choice.is_enough:
        return would
    why = (
        "That is not enough evidence yet: T* is the value that never does badly"
        if choice.too_few
        else "Not enough evidence yet that another value costs less than T*, which never does badly"
    )
    return f"{why}, and is today's {today}." if is_same else f"{why}. {would}"


def _came_to(figures: Figures) -> str:
    waiting = f" ({length(figures.waiting_s)} of waiting)" if figures.waiting_s else ""
    size = f" ({digits(figures.gb_h, 2)} GB-hours)" if figures.gb_h else ""
    reloads = counted(figures.reloads, "reload") if figures.reloads else "no reload"
    return f"{reloads}{waiting} and {length(figures.held_s)} idle in memory{size}"


def _saved(case: Case) -> str:
    """The difference in cost, and how sure it is."""
    saves, now, then = case.saves, case.now, case.then
    apart = abs(now.cost - then.cost)
    if apart < _APART * now.cost or not apart:
        nearer = worst_over_least(seconds(case.choice.value), case.t_star_s)
        is_safer = nearer < worst_over_least(seconds(case.today), case.t_star_s)
        return "That costs the same" + (", and promises more." if is_safer else ".")
    more = "less" if then.cost < now.cost else "more"
    part = f"{digits(100 * apart / now.cost, 2)} % {more}" if now.cost else more
    if now.cost and then.cost >= _TIMES * now.cost:
        part = f"{digits(then.cost / now.cost, 2)} times as much"
    per = "a day" if case.evidence.days > 1 else "in all"
    number = digits(abs(saves.median), 2)
    reloads = "1 reload's" if number == "1" else f"{number} reloads'"
    worth = f"That is {part} at this price: {reloads} worth {per}"
    if not saves.has_ends:
        return f"{worth}."
    if saves.low <= 0 <= saves.high:
        return f"{worth}, which may be chance."
    low, high = sorted((abs(saves.low), abs(saves.high)))
    return f"{worth} ({digits(low, 2)} to {digits(high, 2)})."


# --- what is promised, what to know ---------------------------------------------------------------


def guarantee(value: KeepAlive, t_star_s: float) -> str:
    """What is promised of it as a fixed value, and of deciding anew at each gap.

    Examples
    --------
    >>> guarantee(KeepAlive("2m"), 120.0)
    'Whatever comes, it never costs more than 2 times the least possible.'
    >>> print(guarantee(KeepAlive("10m"), 120.0))
    As a fixed value it costs at worst 6 times the least possible. lw.AdaptiveKeepAlive, which \
decides anew at each gap, never costs more than twice the least and 3 reloads.
    """
    ratio = worst_over_least(seconds(value), t_star_s)
    if ratio <= _NEARLY_2:
        return f"Whatever comes, it never costs more than {digits(ratio)} times the least possible."
    if ratio < math.inf:
        fixed = f"As a fixed value it costs at worst {digits(ratio)} times the least possible"
    else:
        turn = "short" if value.is_zero else "long"
        fixed = f"As a fixed value it promises nothing, should the gaps become {turn}"
    return (
        f"{fixed}. lw.AdaptiveKeepAlive, which decides anew at each gap, never costs more than "
        f"twice the least and {K_RELOADS:g} reloads."
    )


def warnings(case: Case, lacks: str | None = None) -> Iterator[str]:
    """What a person should know before using it.

    Parameters
    ----------
    lacks:
        What is not known of its reload, in a sentence.
    """
    then, gaps = case.then, case.evidence.gaps
    if then.reloads >= _MANY * gaps and then.reloads > case.now.reloads:
        yield (
            f"It will feel wrong: {then.reloads:,} of {counted(gaps, 'gap')} end in a reload, "
            f"{digits(then.reloads_per_hour, 2)} in an hour of use. That is right for your price, "
            f"by which a reload is worth {length(case.t_star_s)} of the idle model in memory. If "
            "you would rather not wait, name a longer T*, or give most_reloads_per_hour."
        )
    if (free := case.choice.without_limit) is not None:
        yield f"Without the limit of reloads an hour it would be {free}."
    if lacks is not None:
        yield lacks


# --- numbers --------------------------------------------------------------------------------------


def called(stream: str) -> str:
    """Its name in a sentence; a bare number is said to be a stream's.

    Examples
    --------
    >>> called("llama3.2:latest"), called("7")
    ('llama3.2:latest', 'stream 7')
    """
    return f"stream {stream}" if stream.isdigit() else one_line(stream, MOST_LETTERS)


def length(seconds: float) -> str:
    """A length of time, in two digits and one unit.

    Examples
    --------
    >>> [length(s) for s in (0, 0.0234, 14.2, 96.3, 125, 5400, 260_000)]
    ['0 s', '0.023 s', '14 s', '96 s', '2.1 min', '90 min', '3 days']
    """
    for unit, unit_s in (("s", 1.0), ("min", 60.0), ("h", 3600.0)):
        if seconds < (48 if unit == "h" else 120) * unit_s:
            return f"{digits(seconds / unit_s, 2)} {unit}"
    return f"{digits(seconds / 86_400, 2)} days"
