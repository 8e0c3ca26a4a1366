"""Samples into residencies: when each model was in memory, and why it left.

First `_watch` folds the samples into stays, with what was noticed at their ends; then, when all
that followed is known, `_ending` decides. Nothing is stored between two calls.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lifecycle_widgets.monitor.sample import Residency, Sample
from lifecycle_widgets.server import FOREVER, Resident, full_name

_AFTER_REQUEST_S = 5.0  # an idle model leaves at once when asked; a busy one shows it otherwise
_HICCUP_S = 3.0  # a server that does not answer for less may just be busy
_NEWCOMER_RUNNER_S = 3.0  # the next model's runner starts as soon as the evicted one has left
_NEWCOMER_LISTED_S = 30.0  # /api/ps lists it only when it is loaded
# After a runner's end Ollama lists its model for moments; with a GPU until the GPU's memory is
# back, which it awaits for up to 5 s. A model listed for longer has lost its runner.
_LISTED_AFTER_END_S = 1.0
_LISTED_AFTER_END_GPU_S = 6.0

_CLOCK_WAS_SET = timedelta(seconds=1.5)

Event = tuple[str, float]
"""A model's name, and when something was done to it (``time.monotonic()``)."""


def residencies(
    samples: Sequence[Sample], unloads: Iterable[Event] = (), zeroed: Iterable[Event] = ()
) -> tuple[Residency, ...]:
    """All stays in memory that the samples show, in order of their beginning.

    Parameters
    ----------
    samples:
        In order of time.
    unloads, zeroed:
        What `Server.unloads` and `Server.zeroed` hold: models that were unloaded, and requests
        with keep_alive 0 that have ended.
    """
    if not samples:
        return ()
    seen = _watch(samples)
    seen.unloads = [(full_name(name), t_s) for name, t_s in unloads]
    seen.zeroed = [(full_name(name), t_s) for name, t_s in zeroed]
    found = [(stay.first.t_s, _residency(stay, seen)) for stay in seen.stays]
    _add_those_too_short_to_be_listed(found, seen)
    return tuple(stay for _, stay in sorted(found, key=lambda one: one[0]))


@dataclass(slots=True)
class _Stay:
    """One model in memory, and what was noticed: each the first sample that showed it."""

    model: str
    first: Sample
    last: Sample  # the last sample that lists it
    resident: Resident  # as listed there
    due_s: float = math.inf  # when its deadline is, on the clock of durations
    pid: int | None = None  # of its runner
    ended: Sample | None = None  # its runner is no more, though Ollama had not dropped it
    lost: Sample | None = None  # the server does not answer any more
    left: Sample | None = None  # the server answers, and does not list it

    def listed(self, sample: Sample, resident: Resident, pid: int | None) -> None:
        if sample is self.first or resident.expires_at != self.resident.expires_at:
            # seen for the first time: a clock that is set later does not change what it means
            self.due_s = sample.t_s + _left_s(resident, sample)
        self.last, self.resident, self.lost = sample, resident, None
        if pid is not None:
            self.pid, self.ended = pid, None
        else:
            self.look_for_runner(sample)

    def unanswered(self, sample: Sample) -> None:
        self.lost = self.lost or sample
        self.look_for_runner(sample)

    def look_for_runner(self, sample: Sample) -> None:
        if self.pid is None or sample.runners is None or self.ended is not None:
            return
        if all(runner.pid != self.pid for runner in sample.runners):
            self.ended = sample


@dataclass(slots=True)
class _Process:
    """One runner: the first and the last sample that show it, and the first that does not."""

    pid: int
    model: str | None
    first: Sample
    last: Sample
    gone: Sample | None = None


@dataclass(slots=True)
class _Seen:
    """What the samples show."""

    latest: Sample
    stays: list[_Stay] = field(default_factory=list)
    processes: list[_Process] = field(default_factory=list)
    first_look: Sample | None = None  # the first that shows runners: when these began is unknown
    unloads: list[Event] = field(default_factory=list)
    zeroed: list[Event] = field(default_factory=list)


def _watch(samples: Sequence[Sample]) -> _Seen:
    seen = _Seen(samples[-1])
    present: dict[str, _Stay] = {}
    alive: dict[int, _Process] = {}
    for sample in samples:
        if sample.runners or alive:
            _see_runners(sample, alive, seen.processes)
        if seen.first_look is None and sample.runners is not None:
            seen.first_look = sample
        if sample.residents is None:
            for stay in present.values():
                stay.unanswered(sample)
        elif sample.residents or present:
            _see_residents(sample, present, seen.stays)
    return seen


def _see_runners(sample: Sample, alive: dict[int, _Process], processes: list[_Process]) -> None:
    for runner in sample.runners or ():
        process = alive.get(runner.pid)
        if process is None:
            process = _Process(runner.pid, runner.model, sample, sample)
            alive[runner.pid] = process
            processes.append(process)
        process.last, process.model = sample, runner.model
    for pid in [pid for pid, process in alive.items() if process.last is not sample]:
        alive.pop(pid).gone = sample


def _see_residents(sample: Sample, present: dict[str, _Stay], stays: list[_Stay]) -> None:
    pids = {runner.model: runner.pid for runner in sample.runners or ()}
    before = dict(present)
    listed = {resident.name: resident for resident in reversed(sample.residents or ())}
    for resident in reversed(listed.values()):  # one of a name: the first
        pid = pids.get(resident.name)
        stay = before.pop(resident.name, None)
        if stay is not None and pid and stay.pid and pid != stay.pid:
            stay.left, stay = sample, None  # another runner: it was loaded anew
        if stay is None:
            stay = present[resident.name] = _Stay(resident.name, sample, sample, resident)
            stays.append(stay)
        stay.listed(sample, resident, pid)
    for name, stay in before.items():
        stay.left = sample
        del present[name]


def _residency(stay: _Stay, seen: _Seen) -> Residency:
    end, why = _ending(stay, seen)
    until = None if end is None else _until(stay, end)
    is_forever = FOREVER.total_seconds() < _left_s(stay.resident, stay.last) < math.inf
    deadline = None if is_forever else _local(stay.resident.expires_at, stay.first)
    return Residency(
        model=stay.model,
        since=stay.first.at,
        until=until,
        why=why,
        expires_at=deadline,
        is_forever=is_forever,
        is_told=is_forever or deadline is not None,
    )


def _left_s(resident: Resident, sample: Sample) -> float:
    """How long until its deadline, in seconds; endless when none is told."""
    left_s = resident.expires_in_s(sample.at)
    return math.inf if left_s is None else left_s


def _local(deadline: datetime | None, sample: Sample) -> datetime | None:
    """The deadline in the sample's time zone; None for none, and for the year 1 (none was set)."""
    try:
        return None if deadline is None else deadline.astimezone(sample.at.tzinfo)
    except OverflowError:
        return None


def _until(stay: _Stay, end: Sample) -> datetime:
    """When it left; by the clock of its beginning, if the clock was set back meanwhile."""
    by_durations = stay.first.at + timedelta(seconds=end.t_s - stay.first.t_s)
    return by_durations if by_durations - end.at > _CLOCK_WAS_SET else end.at


def _ending(stay: _Stay, seen: _Seen) -> tuple[Sample | None, str | None]:
    """When it left and why; (None, None) while it is still resident."""
    end = _end(stay, seen.latest)
    if end is None:
        return None, None
    if _requested(stay, end, seen.unloads):
        return end, "requested"
    if _expired(stay, end, seen.zeroed):
        return end, "expired"
    if _lost(stay, end):
        return end, "server gone"
    if _evicted(stay, seen):
        return end, "evicted"
    return end, "crashed" if stay.ended is not None else "unknown"


def _end(stay: _Stay, latest: Sample) -> Sample | None:
    """The sample that first showed that it had left; None while it is still resident."""
    if stay.left is not None:
        return stay.ended or (stay.lost if stay.pid is None else None) or stay.left
    if stay.lost is not None:
        if stay.pid is not None:
            return stay.ended  # its runner tells, even when the server does not
        return stay.lost if latest.t_s - stay.lost.t_s >= _HICCUP_S else None
    if stay.ended is not None and latest.t_s - stay.ended.t_s >= _listed_after_end_s(latest):
        return stay.ended
    return None


def _requested(stay: _Stay, end: Sample, unloads: list[Event]) -> bool:
    for name, t_s in unloads:
        if name != full_name(stay.model) or not stay.first.t_s <= t_s <= end.t_s:
            continue
        # a busy model leaves later; its deadline is then the time of the request
        if end.t_s - t_s <= _AFTER_REQUEST_S or abs(stay.due_s - t_s) <= 1.5:
            return True
    return False


def _expired(stay: _Stay, end: Sample, zeroed: list[Event]) -> bool:
    # /api/ps is read just after the sample's time; on another machine the clocks differ
    tolerance_s = 2.0 if end.runners is None else 0.25
    if stay.due_s <= end.t_s + tolerance_s:
        return True
    name = full_name(stay.model)
    return any(n == name and -1.0 <= end.t_s - t_s <= _AFTER_REQUEST_S for n, t_s in zeroed)


def _lost(stay: _Stay, end: Sample) -> bool:
    """True when it left with its server (which ends its runners, then itself)."""
    if stay.lost is None or end is stay.left:
        return False
    return end.t_s >= stay.lost.t_s - _LISTED_AFTER_END_S


def _evicted(stay: _Stay, seen: _Seen) -> bool:
    """True when another model was loaded just when this one left."""
    if stay.left is None:
        return False
    earliest_s = stay.last.t_s - 1.0
    if stay.pid is None:  # runners cannot be seen: by when the next model is listed
        latest_s = stay.left.t_s + _NEWCOMER_LISTED_S
        return any(
            earliest_s <= other.first.t_s <= latest_s and other.model != stay.model
            for other in seen.stays
        )
    if stay.ended and stay.left.t_s - stay.ended.t_s > _listed_after_end_s(stay.left):
        return False  # nobody kills a runner so long before another model comes
    latest_s = stay.left.t_s + _NEWCOMER_RUNNER_S
    return any(
        earliest_s <= other.first.t_s <= latest_s and other.pid != stay.pid
        for other in seen.processes
        if other.first is not seen.first_look
        # after a crash the next request loads the same model again, which is no eviction
        and not (stay.ended and other.model == stay.model)
    )


def _add_those_too_short_to_be_listed(found: list[tuple[float, Residency]], seen: _Seen) -> None:
    """Stays with keep_alive 0 that began and ended between two readings of /api/ps.

    Their runners were seen, for loading takes longer than that.
    """
    listed = {stay.pid for stay in seen.stays}
    for name, t_s in seen.zeroed:
        for runner in seen.processes:
            if runner.gone is None or runner.pid in listed:
                continue
            its_own = runner.model is None or full_name(runner.model) == name
            if its_own and runner.last.t_s - 0.5 <= t_s <= runner.gone.t_s + 0.5:
                stay = Residency(name, runner.last.at, runner.gone.at, "expired", None, False)
                if not any(_overlap(stay, other) for _, other in found):
                    found.append((runner.last.t_s, stay))


def _overlap(one: Residency, other: Residency) -> bool:
    if full_name(one.model) != full_name(other.model):
        return False
    return (other.until is None or one.since < other.until) and (
        one.until is None or other.since < one.until
    )


def _listed_after_end_s(sample: Sample) -> float:
    return _LISTED_AFTER_END_GPU_S if sample.gpus else _LISTED_AFTER_END_S
