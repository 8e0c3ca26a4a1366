"""Past: what a history has of one server in a stretch of time, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lifecycle_widgets.monitor import Request, Residency, Sample


@dataclass(frozen=True)
class Busy:
    """What a model did in a stretch of time in which its requests are too many to draw each.

    ``busy_s`` is how long it was at work, ``loads`` how often it was loaded.
    """

    model: str
    start: datetime
    end: datetime
    requests: int
    busy_s: float
    loads: int = 0


@dataclass(frozen=True)
class Past:
    """A stretch of the past.

    Parameters
    ----------
    start, end:
        Which stretch.
    samples:
        At most as many as were asked for, each for the time up to the next; memory is the most,
        CPU the mean. Their runners stand for the memory that each model had.
    stays:
        The stays in memory; those too short to be seen at this width are joined.
    requests:
        Each request, where these are few enough.
    busy:
        Else what they come to, bin by bin.
    """

    start: datetime
    end: datetime
    samples: tuple[Sample, ...] = ()
    stays: tuple[Residency, ...] = ()
    requests: tuple[Request, ...] = ()
    busy: tuple[Busy, ...] = ()
