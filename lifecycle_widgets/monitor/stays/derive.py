"""Stays into residencies: of the samples, of what was done from here, and of the requests."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.stays.ending import Known, ending
from lifecycle_widgets.monitor.stays.events import Event, by_name, given
from lifecycle_widgets.monitor.stays.residency import Residency
from lifecycle_widgets.monitor.stays.stay import Stay
from lifecycle_widgets.monitor.stays.staying import staying
from lifecycle_widgets.monitor.stays.use import keep_alive_of, load_s, loaded_by, touched_by
from lifecycle_widgets.monitor.stays.watch import Watch
from lifecycle_widgets.monitor.traffic.request import Request
from lifecycle_widgets.server import full_name

_full_name = lru_cache(maxsize=1000)(full_name)
_CLOCK_WAS_SET = timedelta(seconds=1.5)


class Found(NamedTuple):
    """A residency, and its times on the clock of durations."""

    since_s: float
    until_s: float  # endless while it is still resident
    residency: Residency


def residencies(
    samples: Sequence[Sample],
    unloads: Iterable[Event] = (),
    zeroed: Iterable[Event] = (),
    requests: Sequence[Request] = (),
) -> tuple[Residency, ...]:
    """All stays in memory that the samples show, in order of their beginning.

    Parameters
    ----------
    samples:
        In order of time.
    unloads, zeroed:
        What `Server.unloads` and `Server.zeroed` hold: models that were unloaded, and requests
        with keep_alive 0 that have ended.
    requests:
        What `Monitor.requests` tells: whose requests loaded and used the models.

    Examples
    --------
    >>> residencies([])
    ()
    """
    if not samples:
        return ()
    watch = Watch()
    for sample in samples:
        watch.see(sample)
    known = Known(samples[-1], watch.stays, watch.first_look, by_name(unloads))
    found, moments = found_in(known, samples, zeroed, requests)
    return in_a_row([*found.values(), *moments])


def found_in(
    known: Known,
    samples: Sequence[Sample],
    zeroed: Iterable[Event],
    requests: Sequence[Request],
    decided: Container[Stay] = (),
) -> tuple[dict[Stay, Found], list[Found]]:
    """What each of the known stays is to the reader, but of those that are decided already.

    The stays are given a name, and the requests that ended in them.

    Returns
    -------
    tuple
        Also the stays of which nothing but a request with keep_alive 0 is known.
    """
    stays = _named(known.stays)
    moments = given(zeroed, stays, samples)
    known = replace(known, stays=stays)
    found = {stay: _found(stay, known, requests) for stay in stays if stay not in decided}
    return found, [Found(t_s, end.t_s, _moment(name, t_s, end)) for name, t_s, end in moments]


def in_a_row(found: Iterable[Found]) -> tuple[Residency, ...]:
    """In order of their beginning, and of one model one after the other."""
    return tuple(one.residency for one in _in_order(_apart(_in_order(found))))


def _in_order(found: Iterable[Found]) -> list[Found]:
    return sorted(found, key=lambda one: one.since_s)


def _named(stays: Iterable[Stay]) -> list[Stay]:
    """The stays; runners that were never listed have the name of their weights, as far as known.

    One without any name beside a model that is listed without a runner is that model's.
    """
    names = {s.runner.weights: s.model for s in stays if s.runner is not None and s.resident}
    bare = [stay for stay in stays if stay.runner is None]
    left = []
    for stay in stays:
        if stay.runner is not None and not stay.model and stay.resident is None:
            stay.model = names.get(stay.runner.weights, "") if stay.runner.weights else ""
            if not stay.model and any(_are_together(stay, other) for other in bare):
                continue
        left.append(stay)
    return left


def _are_together(one: Stay, other: Stay) -> bool:
    return one.first.t_s <= other.over_s and other.first.t_s <= one.over_s


def _found(stay: Stay, known: Known, requests: Sequence[Request]) -> Found:
    end, why = ending(stay, known)
    until_s = math.inf if end is None else end.t_s
    stay.uses.look(stay.model, stay.began_s, until_s, requests, is_start_told=stay.is_start_told)
    return Found(stay.first.t_s, until_s, _residency(stay, end, why, known))


def _residency(stay: Stay, end: Sample | None, why: str | None, known: Known) -> Residency:
    deadline = None
    if stay.resident is not None and not stay.is_forever:
        deadline = _local(stay.resident.expires_at, stay.first)
    requests = stay.requests + len(stay.zeroed_s)
    now = None if end is not None else staying(stay, known.latest, deadline)
    return Residency(
        model=stay.model,
        since=stay.first.at,
        until=None if end is None else _until(stay, end),
        why=why,
        expires_at=deadline,
        is_forever=stay.is_forever,
        is_told=stay.is_forever or deadline is not None,
        requests=max(requests, 1) if why == "expired" else requests,
        is_loading=end is None and stay.resident is None,
        size_bytes=stay.most_bytes or stay.told_bytes,
        vram_bytes=stay.vram_bytes,
        loaded_by=loaded_by(stay, known.first_look),
        touched_by=touched_by(stay),
        keep_alive_s=keep_alive_of(stay),
        load_s=load_s(stay, known.first_look, None if end is not None else known.latest),
        why_resident="" if now is None else now.why,
        overdue_s=None if now is None else now.overdue_s,
        is_stuck=now is not None and now.is_stuck,
    )


def _moment(name: str, t_s: float, end: Sample) -> Residency:
    """A stay of which nothing is known but that a request with keep_alive 0 ended in it."""
    since = end.at - timedelta(seconds=end.t_s - t_s)
    return Residency(name, since, end.at, "expired", None, False, is_told=False, requests=1)


def _local(deadline: datetime | None, sample: Sample) -> datetime | None:
    """The deadline in the sample's time zone; None for none, and for the year 1 (none was set)."""
    try:
        return None if deadline is None else deadline.astimezone(sample.at.tzinfo)
    except OverflowError:
        return None


def _until(stay: Stay, end: Sample) -> datetime:
    """When it left; by the clock of its beginning, if the clock was set back meanwhile."""
    by_durations = stay.first.at + timedelta(seconds=end.t_s - stay.first.t_s)
    return by_durations if by_durations - end.at > _CLOCK_WAS_SET else end.at


def _apart(found: Iterable[Found]) -> Iterator[Found]:
    """Of one model one stay after another: a runner may be seen before the last one's end is."""
    last: dict[str, Found] = {}
    for one in found:
        name = _full_name(one.residency.model)
        before = last.get(name)
        if name and before is not None and one.since_s < before.until_s:
            if one.until_s <= before.until_s:
                continue
            assert before.residency.until is not None
            later = replace(one.residency, since=before.residency.until)
            one = Found(before.until_s, one.until_s, later)
        last[name] = one
        yield one
