"""Loads that go on: seen by their runners, or concluded from a request of ours that waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.stays.residency import Residency
from lifecycle_widgets.monitor.traffic.request import OURS, Request
from lifecycle_widgets.server import same_name

_WAITS_S = 1.0  # a request for a model in memory is under way for that long before it is listed


@dataclass(frozen=True)
class Loading:
    """A model that is being loaded.

    Parameters
    ----------
    model:
        Its name; empty where that is not known (yet).
    since, for_s:
        When the load began, and how many seconds ago that is.
    is_seen:
        True: its runner is there. False: runners cannot be seen, a request of ours waits, and its
        model is not in memory; so it is being loaded, or waits until it can be.
    usual_s:
        What its loads took as a rule (the median of those that were seen); None: not known.
    """

    model: str
    since: datetime
    for_s: float
    is_seen: bool = True
    usual_s: float | None = None


def loading(
    sample: Sample | None, stays: Sequence[Residency], requests: Sequence[Request] = ()
) -> tuple[Loading, ...]:
    """The loads that go on, in order of their beginning.

    Parameters
    ----------
    sample:
        The last one (`Monitor.latest`).
    stays, requests:
        What `Monitor.residencies` and `Monitor.requests` tell.

    Examples
    --------
    >>> loading(None, [])
    ()
    """
    if sample is None:
        return ()
    found = [*_seen(sample, stays)]
    found += _concluded(sample, stays, requests)
    return tuple(sorted(found, key=lambda one: one.since))


def _seen(sample: Sample, stays: Sequence[Residency]) -> Iterator[Loading]:
    for stay in stays:
        if stay.is_loading and stay.until is None:
            for_s = stay.load_s
            if for_s is None:  # there when the monitor began
                for_s = (sample.at - stay.since).total_seconds()
            yield Loading(stay.model, stay.since, for_s, usual_s=_usual_s(stay.model, stays))


def _concluded(
    sample: Sample, stays: Sequence[Residency], requests: Sequence[Request]
) -> Iterator[Loading]:
    if sample.runners is not None or sample.residents is None:
        return
    listed = [resident.name for resident in sample.residents]
    said: set[str] = set()
    for request in reversed(requests):
        if request.ended_s is not None:
            break  # those that go on are the last
        began_s, name = request.began_s, request.model
        if request.whose != OURS or began_s is None or request.began_at is None or name in said:
            continue
        for_s = sample.t_s - began_s
        if for_s >= _WAITS_S and not any(same_name(name, other) for other in listed):
            said.add(name)
            usual_s = _usual_s(name, stays)
            yield Loading(name, request.began_at, for_s, is_seen=False, usual_s=usual_s)


def _usual_s(model: str, stays: Sequence[Residency]) -> float | None:
    took = [
        stay.load_s
        for stay in stays
        if stay.load_s is not None and not stay.is_loading and same_name(stay.model, model)
    ]
    return median(took) if took and model else None
