"""Whether another load can be why a model left: only where there was no room for both.

Ollama evicts a model when as many are in memory as there may be, when memory does not suffice or
a load has just failed, and when the same weights are asked for with other options; the load that
needs the place starts right after. Where that is not so, nobody was evicted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.stays.stay import Stay
from lifecycle_widgets.server import same_name

_BEFORE_S = 1.0  # readings of one sample are not of one moment
# The next model's runner starts as soon as the evicted one has left: within 0.15 s in all of 60
# evictions by the process table; with a GPU when its memory is back, which may take 5 s.
_RUNNER_S, _RUNNER_GPU_S = 0.75, 6.0
_LATE_S = 1.0  # on a busy machine it may be seen so much later: then it is not known
_LISTED_S = 30.0  # /api/ps lists it only when it is loaded
_FAILED_S = 3.0  # a load that fails has Ollama make room at once, and try again
_MOST_MODELS = 3  # Ollama's own limit, without or with one GPU
# what Ollama reckons for a model may be so much more than what it takes in the end
_TIMES, _MORE_BYTES = 1.25, 0.5e9


def was_evicted(
    stay: Stay,
    end: Sample,
    stays: Sequence[Stay],
    first_look: Sample | None,
    latest: Sample,
) -> bool | None:
    """Whether another load needed its place; None where that cannot be told (yet)."""
    if stay.left is None:
        return None
    left, within_s = stay.left, _within_s(stay, stay.left)
    newcomers = list(_newcomers(stay, left, within_s + _LATE_S, stays, first_look))
    in_time = [other for other in newcomers if other.first.t_s <= left.t_s + within_s]
    found = {_needed_it(stay, end, other, stays) for other in in_time}
    if True in found:
        return True
    may_come = stay.runner is not None and latest.t_s <= left.t_s + within_s + _LATE_S
    late = [other for other in newcomers if other not in in_time]
    found |= {None for other in late if _needed_it(stay, end, other, stays) is not False}
    return None if may_come or None in found else False


def _newcomers(
    stay: Stay, left: Sample, within_s: float, stays: Sequence[Stay], first_look: Sample | None
) -> Iterator[Stay]:
    """The stays that began just when this one ended."""
    for other in stays:
        if other is stay or other.first.t_s < stay.last.t_s - _BEFORE_S:
            continue
        if other.first.t_s > left.t_s + within_s:
            continue
        # when a runner began that was there at the first look is not known
        if stay.runner is None or (other.runner is not None and other.first is not first_look):
            yield other


def _within_s(stay: Stay, left: Sample) -> float:
    """How long after that sample an evictor is seen at the latest, in seconds."""
    if stay.runner is None:
        return _LISTED_S
    between_samples_s = left.t_s - stay.last.t_s
    return max(_RUNNER_GPU_S if left.cards else _RUNNER_S, 1.5 * between_samples_s)


def _needed_it(stay: Stay, end: Sample, other: Stay, stays: Sequence[Stay]) -> bool | None:
    """Whether the one could not be loaded while the other was there."""
    if is_same_model(stay, other):
        return True if _has_other_options(stay, other) else None
    before = min(stay.held or stay.last, stay.last, key=lambda sample: sample.t_s)
    count = sum(_was_there(one, before) for one in stays if one is not other)
    most = before.most_models
    if count >= (most or _MOST_MODELS):
        return True
    if any(_failed(one, end) and is_same_model(one, other) for one in stays if one is not other):
        return True
    short = _was_memory_short(before, other)
    return short if short or most is not None else None


def is_same_model(one: Stay, other: Stay) -> bool:
    """By the weights, where both are seen; by the manifest, and the name."""
    weights = [stay.runner.weights if stay.runner else None for stay in (one, other)]
    if None not in weights:
        return weights[0] == weights[1]
    digests = [stay.resident.digest if stay.resident else "" for stay in (one, other)]
    return (all(digests) and digests[0] == digests[1]) or same_name(one.model, other.model)


def _has_other_options(one: Stay, other: Stay) -> bool:
    contexts = [stay.resident.context_length if stay.resident else None for stay in (one, other)]
    options = [stay.runner.options if stay.runner else None for stay in (one, other)]
    return any(None not in pair and pair[0] != pair[1] for pair in (contexts, options))


def _was_there(one: Stay, sample: Sample) -> bool:
    return one.first.t_s <= sample.t_s < one.over_s


def _failed(one: Stay, end: Sample) -> bool:
    """Whether it was a load that failed just before that."""
    if one.resident is not None or one.gone is None:
        return False
    return -_FAILED_S <= one.gone.t_s - end.t_s <= 0.5


def _was_memory_short(before: Sample, other: Stay) -> bool | None:
    """Whether the other would not have fitted beside what was there; None: close, or not told."""
    needed = _needed_bytes(other)
    free = _free_bytes(before)
    if needed is None or free is None:
        return None
    if needed > free:
        return True
    return False if needed * _TIMES + _MORE_BYTES < free else None


def _needed_bytes(stay: Stay) -> int | None:
    if stay.resident is not None:
        return max(stay.most_bytes, stay.resident.size_bytes or 0) or None
    return stay.most_bytes if stay.gone is not None else None  # it may be growing still


def _free_bytes(sample: Sample) -> int | None:
    """Of the GPUs, where there are some, else of main memory; not of another machine."""
    if sample.runners is None:
        return None
    pairs = [(gpu.memory_used_bytes, gpu.memory_total_bytes) for gpu in sample.cards]
    free = 0
    for used, total in pairs or [(sample.ram_used_bytes, sample.ram_total_bytes)]:
        if used is None or total is None:
            return None
        free += total - used
    return free
