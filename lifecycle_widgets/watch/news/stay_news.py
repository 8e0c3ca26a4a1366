"""What is new of the models in memory: there, loading, loaded, left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from lifecycle_widgets.monitor import Residency
from lifecycle_widgets.watch.news.news import StayNews

_DECIDED = timedelta(seconds=6)  # why a model left is known from the samples that follow


class StayFollower:
    """Takes in the stays after each sample of one server, and tells what is new of them."""

    def __init__(self) -> None:
        self._began: datetime | None = None
        self._open: dict[str, bool] = {}  # models whose coming was told; whether as loading
        self._left: dict[str, datetime] = {}  # when each was last told to have left

    def see(self, stays: Sequence[Residency], now: datetime) -> Iterator[StayNews]:
        """What is new, in order of time.

        Parameters
        ----------
        stays:
            All that the monitor has, the same ones again and again.
        now:
            The time of the last sample.
        """
        self._began = self._began or now
        for stay in stays:
            if self._is_told(stay):
                continue
            yield from self._come(stay, now)
            if stay.until is not None and _is_decided(stay, now):
                self._left[stay.model] = stay.until
                self._open.pop(stay.model, None)
                yield StayNews(stay.until, "left", stay)

    def _is_told(self, stay: Residency) -> bool:
        """Whether its end was told before; a stay never ends twice."""
        left = self._left.get(stay.model)
        return left is not None and stay.until is not None and stay.until <= left

    def _come(self, stay: Residency, now: datetime) -> Iterator[StayNews]:
        was_loading = self._open.get(stay.model)
        if was_loading is None and stay.is_loading:
            self._open[stay.model] = True
            yield StayNews(stay.since, "loading", stay)
        elif was_loading is not False and not stay.is_loading:
            self._open[stay.model] = False
            was_there = (
                was_loading is None and self._began is not None and stay.since <= self._began
            )
            yield StayNews(_loaded_at(stay, now), "there" if was_there else "loaded", stay)


def _loaded_at(stay: Residency, now: datetime) -> datetime:
    """When its load was over; as it was seen, where that is not told."""
    if stay.load_s is not None:
        return stay.since + timedelta(seconds=stay.load_s)
    return now if stay.until is None else stay.since


def _is_decided(stay: Residency, now: datetime) -> bool:
    assert stay.until is not None
    return stay.why != "unknown" or now - stay.until >= _DECIDED
