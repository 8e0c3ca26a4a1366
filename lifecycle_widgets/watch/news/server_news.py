"""What is new of a server itself: there, away, back, upgraded, restarted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lifecycle_widgets.monitor import InForce, Sample
from lifecycle_widgets.watch.news.news import ServerNews

_LOOKS_S = 2.0  # the first look at what is in force may come some samples after the first one


class ServerFollower:
    """Takes in each sample of one server, and tells what is new of the server."""

    def __init__(self) -> None:
        self._is_there: bool | None = None
        self._there_since_s: float | None = None  # it answers, and that is still to be told
        self._known = InForce()

    def see(self, sample: Sample) -> Iterator[ServerNews]:
        """What this sample has that is new, in order."""
        if sample.error is not None:
            self._there_since_s = None
            if self._is_there is not False:
                self._is_there = False
                yield self._told(sample, "away", told=sample.error)
            return
        if not self._is_there and self._there_since_s is None:
            self._there_since_s = sample.t_s
        if self._there_since_s is not None:
            yield from self._seen_there(sample, self._there_since_s)
        elif sample.in_force is not None:
            yield from self._changed(sample, sample.in_force)

    def _seen_there(self, sample: Sample, since_s: float) -> Iterator[ServerNews]:
        """It answers; told with its version, unless that takes too long."""
        is_known = sample.in_force is not None and sample.in_force.version is not None
        if not is_known and sample.t_s - since_s < _LOOKS_S:
            return
        yield self._told(sample, "there" if self._is_there is None else "back")
        self._is_there, self._there_since_s = True, None
        if sample.in_force is not None:
            yield from self._changed(sample, sample.in_force)

    def _changed(self, sample: Sample, now: InForce) -> Iterator[ServerNews]:
        before, self._known = self._known, now
        if now is before:
            return
        if (
            now.version is None
        ):  # not told just now: the one before is what the next is held against
            self._known = replace(now, version=before.version)
        elif before.version is not None and now.version != before.version:
            yield self._told(sample, "upgraded", version_before=before.version)
            return
        if now.restarts > before.restarts:
            yield self._told(sample, "restarted")

    def _told(self, sample: Sample, what: str, **more: str) -> ServerNews:
        version = sample.in_force.version if sample.in_force is not None else None
        return ServerNews(sample.at, what, version, in_force=sample.in_force, **more)  # type: ignore[arg-type]
