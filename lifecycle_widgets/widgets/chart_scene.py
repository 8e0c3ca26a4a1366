"""What one picture of the chart shows: which samples, which stays, which stretch of time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property

from lifecycle_widgets.monitor import Residency, Sample

# colour-blind safe (Okabe and Ito), lightened where needed to read on dark and light
COLORS = ("#2a8fd0", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")

_NEAR = 0.4  # an expiry is drawn when it lies at most this part of the window ahead
_TEXT_ROOM = 0.17  # of the window: room for "leaves in 4 min 32 s" on a narrow page
_EMPTY_ROOM = 0.12  # for "server gone"
_MOST_LANES = 5
_MOST_STAYS = 60


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
    is_local:
        Whether the server runs on this machine.
    """

    samples: Sequence[Sample]
    stays: Sequence[Residency]
    now: datetime
    window_s: float
    ahead_s: float
    colors: Mapping[str, str]
    is_local: bool = True

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

    @cached_property
    def lanes(self) -> dict[str, int]:
        """The models that are or were in memory in the window, each with its lane (0: on top)."""
        models = dict.fromkeys(stay.model for stay in self._overlapping())
        return {model: lane for lane, model in enumerate(list(models)[-_MOST_LANES:])}

    @cached_property
    def bands(self) -> list[Residency]:
        """The stays to draw."""
        return [stay for stay in self._overlapping() if stay.model in self.lanes]

    def _overlapping(self) -> list[Residency]:
        return [s for s in self.stays if s.until is None or s.until > self.start][-_MOST_STAYS:]


def room_ahead(
    stays: Sequence[Residency], samples: Sequence[Sample], now: datetime, window_s: float
) -> float:
    """How many seconds to leave free to the right of now: more when an expiry is near.

    A young session fills the chart from the left, and scrolls when it has reached the right.
    """
    resident = [stay for stay in stays if stay.until is None]
    ahead = [(s.expires_at - now).total_seconds() for s in resident if s.expires_at is not None]
    near = [left_s for left_s in ahead if 0 < left_s <= _NEAR * window_s]
    room_s = max(near, default=0.0) + (_TEXT_ROOM if resident else _EMPTY_ROOM) * window_s
    age_s = (now - samples[0].at).total_seconds() if samples else 0.0
    return max(room_s, window_s - age_s)
