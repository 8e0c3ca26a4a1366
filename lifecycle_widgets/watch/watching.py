"""Watching: one server that is watched, and what is new there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from lifecycle_widgets.monitor import Monitor, Sample
from lifecycle_widgets.watch.news.news import News, RequestNews, SampleNews
from lifecycle_widgets.watch.news.server_news import ServerFollower
from lifecycle_widgets.watch.news.stay_news import StayFollower
from lifecycle_widgets.watch.news.tally import Tally
from lifecycle_widgets.watch.servers import Watched

_SETTLES_S = 10.0  # why a model left is decided from the samples that follow

Tell: TypeAlias = Callable[[str, News], object]
"""Called with a server's name and what is new there."""


class Watching:
    """One server that is watched, from now until `close`.

    Parameters
    ----------
    watched:
        The server.
    tell:
        Called in a thread beside the monitor's.
    interval_s:
        Seconds from one sample that is told to the next; all of them are looked at.
    """

    def __init__(self, watched: Watched, tell: Tell, interval_s: float) -> None:
        self.name, self.tally = watched.name, Tally()
        self._tell, self._interval_s = tell, interval_s
        self._told_s = -interval_s
        self._server, self._stays = ServerFollower(), StayFollower()
        self._state: tuple[object, ...] = ()
        self._moved_s = 0.0
        self._position = 0  # among the requests: those up to there were told
        self.monitor = Monitor.shared(watched.server)
        self.monitor.listen(self._hear)

    def close(self) -> None:
        """Watch no more. Harmless when done already."""
        self.monitor.release()

    def _hear(self, sample: Sample) -> None:
        for news in self._new(sample):
            self.tally.add(news)
            self._tell(self.name, news)
        # half a sample early is as good: else each would come one later
        if sample.t_s - self._told_s >= self._interval_s - self.monitor.interval_s / 2:
            self._told_s = sample.t_s
            self._tell(self.name, SampleNews(sample.at, sample))

    def _new(self, sample: Sample) -> Iterator[News]:
        yield from self._server.see(sample)
        if self._moves(sample):
            yield from self._stays.see(self.monitor.residencies(), sample.at)
        settled, self._position = self.monitor.requests_settled(self._position)
        for request in settled:
            yield RequestNews(request.ended_at or sample.at, request)

    def _moves(self, sample: Sample) -> bool:
        """Whether a stay may have changed: most of the time none has, which costs nothing."""
        pids = tuple(runner.pid for runner in sample.runners or ())
        state = sample.residents, pids, sample.error is None
        if state != self._state:
            self._state, self._moved_s = state, sample.t_s
        return sample.t_s - self._moved_s <= _SETTLES_S
