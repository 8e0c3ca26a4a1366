"""A server's lives: its process, its version, and how often another has come in its place."""

from __future__ import annotations

from datetime import datetime

import psutil


class Lives:
    """Told what is seen of a server, it knows a restart and an upgrade; one that is both is one.

    Examples
    --------
    >>> lives = Lives()
    >>> for version in ("0.33.1", "0.33.1", "0.34.0"):
    ...     lives.answers_as(version)
    >>> lives.version, lives.restarts
    ('0.34.0', 1)
    """

    def __init__(self) -> None:
        #: the one that lives now; None where it is not seen
        self.process: psutil.Process | None = None
        self.version: str | None = None
        self.restarts = 0
        self._last: psutil.Process | None = None  # that was seen
        self._container_at: datetime | None = None
        self._is_counted = False  # since the version was told

    def is_process(self, pid: int | None) -> bool:
        """Take in its process; None: it has none, or none that is seen. True for another one."""
        known = self.process
        if known is not None and known.pid == pid and known.is_running():
            return False
        self.process = _opened(pid)
        if self.process is not None:
            if self._last is not None and self.process != self._last:
                self._count()
            self._last = self.process
        return self.process is not None and self.process != known

    def is_container(self, started_at: datetime) -> None:
        """Take in when its container was started."""
        if self._container_at is not None and started_at != self._container_at:
            self._count()
        self._container_at = started_at

    def answers_as(self, version: str) -> None:
        """Take in the version that it tells."""
        if self.version is not None and version != self.version and not self._is_counted:
            self._count()
        self.version, self._is_counted = version, False

    @property
    def began(self) -> datetime | None:
        """Since when its process, or its container, runs."""
        if self.process is None:
            return self._container_at
        try:
            return datetime.fromtimestamp(self.process.create_time()).astimezone()
        except (psutil.Error, OSError):
            return None

    def _count(self) -> None:
        self.restarts += 1
        self._is_counted = True


def _opened(pid: int | None) -> psutil.Process | None:
    try:
        return None if pid is None else psutil.Process(pid)
    except (psutil.Error, OSError):
        return None
