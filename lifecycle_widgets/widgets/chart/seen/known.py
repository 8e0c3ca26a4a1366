"""Known: what is known of a stretch of time, from the monitor's ring and the history together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from lifecycle_widgets.history import Busy, Past
from lifecycle_widgets.monitor import Monitor, Request, Residency, Sample
from lifecycle_widgets.widgets.chart.series import without_moving_deadlines

_INSTANT = timedelta(milliseconds=100)  # as exact as the axis is
_MEETS = timedelta(seconds=2)  # a stay that was there when the ring begins is the one of before


@dataclass(frozen=True)
class Known:
    """What there is to draw, oldest first."""

    samples: Sequence[Sample] = ()
    stays: Sequence[Residency] = ()
    requests: Sequence[Request] = ()
    busy: Sequence[Busy] = ()

    @property
    def begins(self) -> datetime | None:
        """When the first sample was taken."""
        return self.samples[0].at if self.samples else None

    @property
    def now(self) -> datetime:
        """The time of the last sample."""
        return self.samples[-1].at if self.samples else datetime.now().astimezone()


def known_of(monitor: Monitor) -> Known:
    """What a monitor has seen."""
    samples = monitor.samples
    stays = without_moving_deadlines(monitor.residencies(), samples)
    return Known(samples, stays, monitor.requests())


def with_past(known: Known, past: Past | None) -> Known:
    """What is known with what was kept of the time before; where both tell, the monitor does."""
    if past is None:
        return known
    begins = known.begins or past.end
    samples = stepped([sample for sample in past.samples if sample.at < begins], begins)
    before = [stay for stay in past.stays if stay.since < begins]
    stays, going_on = list(known.stays), []
    for stay in before:
        if stay.until is not None and stay.until < begins - _MEETS:
            continue
        same = next((i for i, s in enumerate(stays) if _goes_on(s, stay, begins)), None)
        if same is not None:  # the same stay, which began before the monitor did
            stays[same] = replace(stays[same], since=stay.since)
            going_on.append(stay)
    ended = [
        stay if stay.until is not None else replace(stay, until=begins, why="unknown")
        for stay in before
        if not any(stay is other for other in going_on)
    ]
    return Known(
        [*samples, *known.samples],
        sorted([*ended, *stays], key=lambda stay: stay.since),
        [*(r for r in past.requests if _is_before(r, begins)), *known.requests],
        [one for one in past.busy if one.start < begins],
    )


def stepped(samples: Sequence[Sample], until: datetime) -> list[Sample]:
    """A history's samples, each held for its time; where nobody watched, nothing is known.

    Parameters
    ----------
    samples:
        Each stands for a stretch as long as the shortest time between two of them.
    until:
        Where what follows begins.
    """
    if not samples:
        return []
    times = [sample.at for sample in samples]
    apart = [later - at for at, later in pairwise(times)]
    width = min(apart, default=until - times[0])
    made = []
    for sample, following in zip(samples, [*times[1:], until], strict=True):
        end = min(sample.at + width, following)
        made += [sample, replace(sample, at=end - _INSTANT)]
        if following > end + width / 2:
            made.append(_unseen(sample, end))
    return made


def _unseen(sample: Sample, at: datetime) -> Sample:
    """What is known where nobody watched."""
    return Sample(at, sample.t_s, None, sample.ram_total_bytes, None, None, (), None)


def _goes_on(stay: Residency, before: Residency, begins: datetime) -> bool:
    return stay.model == before.model and stay.since <= begins + _MEETS


def _is_before(request: Request, begins: datetime) -> bool:
    at = request.ended_at or request.began_at
    return at is not None and at < begins
