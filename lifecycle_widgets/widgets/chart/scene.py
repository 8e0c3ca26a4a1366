"""What one picture of the chart shows: which samples, which stays, which stretch of time."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property

from lifecycle_widgets.monitor import Residency, Sample
from lifecycle_widgets.widgets.chart.words import is_untold

# Okabe and Ito's first five, then those that differ most from all before them, also for the
# colour-blind (the least CIEDE2000 of any two is 8.6; for most people 11), and read on dark and
# light (lightness 42 to 78)
COLORS = (
    *("#2a8fd0", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#994580", "#85cc8c", "#39c3e6"),
    *("#994d45", "#3361cc", "#b23c09", "#85ccbe", "#b26e50", "#538077", "#e695a5", "#b29550"),
)

_NEAR = 0.4  # an expiry is drawn when it lies at most this part of the window ahead
_TEXT_ROOM = 0.17  # of the window: room for "leaves in 4 min 32 s" on a narrow page
_UNTOLD_ROOM = 0.24  # for "until when is not told"
_EMPTY_ROOM = 0.12  # for "server gone"; a longer word has room when time has passed
_MOST_LANES = 16
_MOST_GONE = 60  # stays that have ended


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
        The width of the picture in seconds, and how much of it lies ahead of now.
    colors:
        One per model.
    is_elsewhere:
        Whether the server is on another machine: RAM, CPU and GPUs are then not the server's.
    """

    samples: Sequence[Sample]
    stays: Sequence[Residency]
    now: datetime
    window_s: float
    ahead_s: float
    colors: Mapping[str, str]
    is_elsewhere: bool = False

    @property
    def end(self) -> datetime:
        """The time at the right edge."""
        return self.now + timedelta(seconds=self.ahead_s)

    @property
    def start(self) -> datetime:
        """The time at the left edge."""
        return self.end - timedelta(seconds=self.window_s)

    def place(self, at: datetime) -> str:
        """The place of a time on the axis, to 0.1 s: the clock of the notebook's machine.

        Text, because plotly shows numbers on a date axis by the clock of the browser's machine.
        """
        return at.astimezone(self._zone).isoformat(" ", "milliseconds")[:21]

    @cached_property
    def _zone(self) -> timezone:
        return timezone(self.now.astimezone().utcoffset() or timedelta(0))

    @cached_property
    def seen(self) -> Sequence[Sample]:
        """The samples in the window, and one before it, so that lines reach the edge."""
        first = bisect_left(self.samples, self.start, key=lambda sample: sample.at)
        return self.samples[max(first - 1, 0) :]

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
    def _left(self) -> dict[str, float]:
        """When each model left (infinite: it has not), in order of their first appearance."""
        left: dict[str, float] = {}
        for stay in self._overlapping:
            until_s = math.inf if stay.until is None else stay.until.timestamp()
            left[stay.model] = max(until_s, left.get(stay.model, until_s))
        return left

    @cached_property
    def _overlapping(self) -> list[Residency]:
        """Every stay that goes on, and the last ones of those that have ended in the window."""
        gone = [s for s in self.stays if s.until is not None and s.until > self.start]
        drawn = {id(stay) for stay in gone[-_MOST_GONE:]}
        return [stay for stay in self.stays if stay.until is None or id(stay) in drawn]


def with_colors(colors: Mapping[str, str], stays: Sequence[Residency]) -> dict[str, str]:
    """A colour for each model of the stays: the one it has, else one that no other model has.

    Examples
    --------
    >>> with_colors({}, [])
    {}
    """
    models = dict.fromkeys(stay.model for stay in stays)
    made = {model: colors[model] for model in models if model in colors}
    for model in models:
        if model not in made:
            used = list(made.values())
            made[model] = min(COLORS, key=used.count)
    return made


def room_ahead(
    stays: Sequence[Residency], samples: Sequence[Sample], now: datetime, window_s: float
) -> float:
    """How many seconds to leave free to the right of now: more when an expiry is near.

    A young session fills the chart from the left, and scrolls when it has reached the right.
    """
    resident = [stay for stay in stays if stay.until is None]
    ahead = [(s.expires_at - now).total_seconds() for s in resident if s.expires_at is not None]
    near = [left_s for left_s in ahead if 0 < left_s <= _NEAR * window_s]
    room_s = max(near, default=0.0) + _text_room(resident) * window_s
    age_s = (now - samples[0].at).total_seconds() if samples else 0.0
    return max(room_s, window_s - age_s)


def _text_room(resident: Sequence[Residency]) -> float:
    if any(is_untold(stay) for stay in resident):
        return _UNTOLD_ROOM
    return _TEXT_ROOM if resident else _EMPTY_ROOM
