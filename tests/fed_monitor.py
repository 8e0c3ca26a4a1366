"""A monitor that is given its samples: for what shows them, without waiting for a server."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from lifecycle_widgets.monitor import Monitor, Request, Residency, Sample
from lifecycle_widgets.monitor.monitor import HISTORY_S
from lifecycle_widgets.monitor.stays.log import StayLog
from lifecycle_widgets.server import Server

Listener = Callable[[Sample], None]


class FedMonitor(Monitor):
    """Keeps what it is fed as a monitor keeps what it reads, and tells its listeners at once.

    ``asked`` are the requests that it knows of.
    """

    def __init__(self, url: str = "http://127.0.0.1:9") -> None:
        super().__init__(Server(url))
        self._fed: deque[Sample] = deque(maxlen=int(HISTORY_S / 0.5) + 1)
        self._log = StayLog(self.server, HISTORY_S)
        self._heard: list[Listener] = []
        self.asked: list[Request] = []

    def feed(self, sample: Sample) -> None:
        """One more sample."""
        self._fed.append(sample)
        self._log.see(sample)
        oldest = sample.at - timedelta(seconds=HISTORY_S)
        self.asked = [r for r in self.asked if (r.ended_at or sample.at) >= oldest]
        for listener in list(self._heard):
            listener(sample)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The last ones."""
        return tuple(self._fed)

    @property
    def latest(self) -> Sample | None:
        """The last one."""
        return self._fed[-1] if self._fed else None

    def residencies(self) -> tuple[Residency, ...]:
        """As a monitor derives them."""
        return self._log.residencies()

    def requests(self) -> tuple[Request, ...]:
        """Those that were put into ``asked``."""
        return tuple(self.asked)

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Have it called for each sample, in the thread that feeds it."""
        self._heard.append(callback)
        return lambda: self._heard.remove(callback) if callback in self._heard else None

    def start(self) -> FedMonitor:
        """Nothing is to be started."""
        return self

    def stop(self) -> None:
        """Nor stopped."""


NOON = datetime(2026, 3, 2, 12).astimezone()
