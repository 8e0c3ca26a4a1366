"""What was done through this process's own `Server`: told to the stays that it concerns."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.stays.stay import Stay
from lifecycle_widgets.server import full_name

# a sample may be so old; who waits for an answer may hear it so much later
_EARLY_S, _LATE_S = 0.5, 1.0

Event = tuple[str, float]
"""A model's name, and when something was done to it (``time.monotonic()``)."""

Moment = tuple[str, float, Sample]
"""A model's name, when it was certainly in memory, and the sample by which it had left."""


def by_name(events: Iterable[Event]) -> Mapping[str, Sequence[float]]:
    """The times of each model's events, by its full name."""
    times: dict[str, list[float]] = defaultdict(list)
    for name, t_s in events:
        times[full_name(name)].append(t_s)
    return times


def given(
    zeroed: Iterable[Event], stays: Sequence[Stay], samples: Sequence[Sample]
) -> list[Moment]:
    """Give each request with keep_alive 0 to the stay in which it ended.

    Returns
    -------
    list
        Those for which there is none: a model that came and went between two samples.
    """
    named: dict[str, list[Stay]] = defaultdict(list)
    for one in stays:
        named[full_name(one.model)].append(one)
    moments: list[Moment] = []
    for model, times in by_name(zeroed).items():
        for t_s in times:
            # by the weights as well: a runner that was never listed has but one of their names
            stay = _of(t_s, [*named[model], *_unlisted(stays, named[model])])
            if stay is not None:
                if t_s not in stay.zeroed_s:
                    stay.zeroed_s.append(t_s)
                stay.model = stay.model or model
            elif (end := _by_then_gone(t_s, model, samples)) is not None:
                moments.append((model, t_s, end))
    return moments


def _of(t_s: float, stays: Iterable[Stay]) -> Stay | None:
    """The last stay that had begun then, of those that were there."""
    there = [s for s in stays if s.first.t_s - _EARLY_S <= t_s <= s.over_s + _LATE_S]
    return max(there, key=lambda s: (s.first.t_s <= t_s, s.first.t_s), default=None)


def _unlisted(stays: Iterable[Stay], known: Sequence[Stay]) -> list[Stay]:
    """Runners that may hold the model though they have no name, or another one of its weights."""
    weights = {stay.runner.weights for stay in known if stay.runner is not None}
    return [
        stay
        for stay in stays
        if stay.runner is not None
        and stay.resident is None
        and (not weights or stay.runner.weights in weights)
    ]


def _by_then_gone(t_s: float, model: str, samples: Sequence[Sample]) -> Sample | None:
    """The first sample after that time, if it tells that the model is not in memory."""
    after = bisect_right(samples, t_s, key=lambda sample: sample.t_s)
    if not 0 < after < len(samples):
        return None
    listed = samples[after].residents
    if listed is None or any(full_name(one.name) == model for one in listed):
        return None
    return samples[after]
