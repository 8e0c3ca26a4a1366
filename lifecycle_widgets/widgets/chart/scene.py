"""What one picture of the chart shows: which samples, which stays, which stretch of time."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from lifecycle_widgets.history.past import Busy
from lifecycle_widgets.monitor import Request, Residency, Sample
from lifecycle_widgets.widgets.chart.words import is_untold

_NEAR = 0.4  # an expiry is drawn when it lies at most this part of the window ahead
_TEXT_ROOM = 0.17  # of the window: room for "leaves in 4 min 32 s" on a narrow page
_UNTOLD_ROOM = 0.24  # for "until when is not told"
_EMPTY_ROOM = 0.12  # for "server gone"; a longer word has room when time has passed
_LETTER, _STILL_LETTER = 7 / 700, 7 / 380  # of the window: a letter's width on a narrow page
_MOST_LANES = 16
_MOST_GONE = 240  # stays that have ended


@dataclass(frozen=True)
class Scene:
    """Everything that one picture is made from.

    Parameters
    ----------
    samples, stays:
        Oldest first; also those that lie outside the window.
    now:
        Where the present is (the time of the last sample).
    window_s, ahead_s:
        The width of the picture in seconds, and how much of it lies ahead of now (less than 0
        for a view of the past).
    colors:
        One per model.
    is_elsewhere:
        Whether the server is on another machine: RAM, CPU and GPUs are then not the server's.
    requests, busy:
        Everyone's requests, and what they come to where they are too many to be drawn each.
    marked:
        Which requests stand out, as `request_key` has them.
    is_still:
        Whether it is for a figure, which cannot move its texts to where there is room for them.
    """

    samples: Sequence[Sample]
    stays: Sequence[Residency]
    now: datetime
    window_s: float
    ahead_s: float
    colors: Mapping[str, str]
    is_elsewhere: bool = False
    requests: Sequence[Request] = ()
    busy: Sequence[Busy] = ()
    marked: Collection[str] = ()
    is_still: bool = False

    def room_for(self, text: str) -> float:
        """How many seconds wide a text is, and a little more."""
        return (len(text) + 1) * (_STILL_LETTER if self.is_still else _LETTER) * self.window_s

    @property
    def end(self) -> datetime:
        """The time at the right edge."""
        return self.now + timedelta(seconds=self.ahead_s)

    @property
    def start(self) -> datetime:
        """The time at the left edge."""
        return self.end - timedelta(seconds=self.window_s)

    def place(self, at: datetime) -> float:
        """The place of a time on the axis, to 0.1 s: the clock of the notebook's machine.

        In seconds since 1970 as that clock shows them, not as UTC has them: the page may be on
        another machine, and its own clock is none of the picture's business.
        """
        return round(at.timestamp() + self._offset_s, 1)

    @cached_property
    def _offset_s(self) -> float:
        return (self.now.astimezone().utcoffset() or timedelta(0)).total_seconds()

    @cached_property
    def seen(self) -> Sequence[Sample]:
        """The samples in the window, and one before and after it: lines reach the edges."""
        first = bisect_left(self.samples, self.start, key=lambda sample: sample.at)
        after = bisect_left(self.samples, self.end, key=lambda sample: sample.at)
        return self.samples[max(first - 1, 0) : after + 1]

    @property
    def latest(self) -> Sample | None:
        """The last sample; None before the first."""
        return self.samples[-1] if self.samples else None

    @cached_property
    def lanes(self) -> dict[str, int]:
        """The models that are or were in memory in the window, each with its lane (0: on top).

        When there are more than fit, those in memory come first, then those that left last.
        """
        left = self._left
        order = sorted(left, key=lambda model: left[model], reverse=True)[:_MOST_LANES]
        return {model: lane for lane, model in enumerate(m for m in left if m in order)}

    @property
    def not_shown(self) -> int:
        """How many models have no lane."""
        return len(self._left) - len(self.lanes)

    @cached_property
    def bands(self) -> list[Residency]:
        """The stays to draw."""
        return [stay for stay in self._overlapping if stay.model in self.lanes]

    @cached_property
    def asked(self) -> list[Request]:
        """The requests in the window."""
        return [request for request in self.requests if self._is_in_view(request)]

    @cached_property
    def worked(self) -> list[Busy]:
        """The stretches in the window of which only the sum is known."""
        return [one for one in self.busy if one.end > self.start and one.start < self.end]

    def _is_in_view(self, request: Request) -> bool:
        begun, ended = request.began_at or request.ended_at, request.ended_at or self.now
        return begun is not None and begun < self.end and ended > self.start

    @cached_property
    def _left(self) -> dict[str, float]:
        """When each model left (infinite: it has not), in order of their first appearance."""
        left: dict[str, float] = {}
        for model, until in self._appearances():
            until_s = math.inf if until is None else until.timestamp()
            left[model] = max(until_s, left.get(model, until_s))
        return left

    def _appearances(self) -> Iterator[tuple[str, datetime | None]]:
        """Each model and until when, by stays; then those that only requests tell of."""
        yield from ((stay.model, stay.until) for stay in self._overlapping)
        yield from ((one.model, one.ended_at or self.now) for one in self.asked if one.model)
        yield from ((one.model, one.end) for one in self.worked)

    @cached_property
    def _overlapping(self) -> list[Residency]:
        """Every stay that goes on, and the last ones of those that have ended in the window."""
        begun = [stay for stay in self.stays if stay.since < self.end]
        gone = [stay for stay in begun if stay.until is not None and stay.until > self.start]
        drawn = {id(stay) for stay in gone[-_MOST_GONE:]}
        return [stay for stay in begun if stay.until is None or id(stay) in drawn]


def models_of(stays: Iterable[Residency], requests: Iterable[Request] = ()) -> list[str]:
    """The models of stays and requests, each once, in the order in which they appear."""
    named = (one.model for many in (stays, requests) for one in many)
    return [model for model in dict.fromkeys(named) if model]


def room_ahead(
    stays: Sequence[Residency], begins: datetime | None, now: datetime, window_s: float
) -> float:
    """How many seconds to leave free to the right of now: more when an expiry is near.

    A young session (``begins``: its first sample) fills the chart from the left, and scrolls when
    it has reached the right.
    """
    resident = [stay for stay in stays if stay.until is None]
    ahead = [(s.expires_at - now).total_seconds() for s in resident if s.expires_at is not None]
    near = [left_s for left_s in ahead if 0 < left_s <= _NEAR * window_s]
    room_s = max(near, default=0.0) + _text_room(resident) * window_s
    age_s = 0.0 if begins is None else (now - begins).total_seconds()
    return max(room_s, window_s - age_s)


def _text_room(resident: Sequence[Residency]) -> float:
    if any(is_untold(stay) for stay in resident):
        return _UNTOLD_ROOM
    return _TEXT_ROOM if resident else _EMPTY_ROOM
