"""ServerLog: the requests in a server's log, as they end."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from lifecycle_widgets.monitor.traffic.witnesses.log.gin import MARK, GinLine, parse_line
from lifecycle_widgets.monitor.traffic.witnesses.log.places import NoLog, open_log
from lifecycle_widgets.monitor.traffic.witnesses.log.tails import Tail
from lifecycle_widgets.server import Server

_AGAIN_S = 60.0  # where it was not found, or could not be read
_HEARD_S = 10.0  # a question for /api/ps of ours is asked more often than that
_LONGEST = 1 << 16  # an unfinished line is not kept for ever
_ZONE_S = 900  # zones differ by quarters of an hour
_OURS = b'"/api/ps"'


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """One request that asked a model for something, and ended between two times (monotonic).

    ``count``: how many it stands for, one after another; ``duration_s`` is then theirs together.
    """

    low_s: float
    high_s: float
    duration_s: float
    status: int
    kind: str
    count: int = 1


class ServerLog:
    """Reads what is added to the log from sample to sample; where it is, is found out beside that.

    Whether what is read is this server's log, and in a form that is known, shows by our own
    questions: each stands in it.

    Parameters
    ----------
    server:
        Whose log.
    is_wanted:
        Whether it is looked for.
    heard_s:
        In so many seconds our own questions stand in it, if it is this server's.
    """

    def __init__(
        self, server: Server, *, is_wanted: bool = True, heard_s: float = _HEARD_S
    ) -> None:
        self._within_s = heard_s
        self._port = urlsplit(server.url).port or 0
        self._is_looked_for = is_wanted and server.is_local
        self._tail: Tail | None = None
        self._of_pid: int | None = None
        self._finding: threading.Thread | None = None
        self._found: Tail | str | None = None
        self._rest = b""
        self._grown = 0  # bytes, since something of ours was heard
        self._looked_s = -_AGAIN_S
        self._read_s, self._heard_s, self._since_s = 0.0, 0.0, 0.0
        self._why_not = (
            "The server's log is being looked for."
            if server.is_local
            else "The server's log cannot be read: it is on another machine."
        )

    @property
    def is_heard(self) -> bool:
        """Whether it is known to be read, and understood."""
        return self._tail is not None and self._read_s - self._heard_s <= self._within_s

    @property
    def told(self) -> str:
        """Whether it is read, or why not, in a sentence."""
        if self._tail is None:
            return self._why_not
        if self.is_heard:
            return f"The server's log is read ({self._tail.name})."
        if self._read_s - self._since_s <= self._within_s:
            return f"The server's log is opened ({self._tail.name})."
        if self._grown:
            return f"The server's log ({self._tail.name}) is not in a form that is known here."
        return f"The server's log ({self._tail.name}) cannot be read, or the server is silent."

    def read(self, pid: int | None) -> list[Line]:
        """The requests that have ended since; never waits.

        Parameters
        ----------
        pid:
            The server's process; None where it is not known.
        """
        if not self._is_looked_for:
            return []
        now_s = time.monotonic()
        self._look_for_it(pid, now_s)
        if self._tail is None:
            return []
        try:
            data = self._tail.read()
        except OSError:
            self._why_not = f"The server's log ({self._tail.name}) has come to an end."
            self.close()
            self._looked_s = now_s
            return []
        before_s, self._read_s = self._read_s or now_s, time.monotonic()
        return self._lines(data, before_s) if data else []

    def close(self) -> None:
        """Let go of it; the next reading opens it anew."""
        tail, self._tail, self._rest = self._tail, None, b""
        self._looked_s = -_AGAIN_S
        if tail is not None:
            tail.close()

    # --- where it is -----------------------------------------------------------------------------

    def _look_for_it(self, pid: int | None, now_s: float) -> None:
        if self._finding is not None:
            if self._finding.is_alive():
                return
            self._finding = None
            self._take(self._found, now_s)
        is_other = pid is not None and pid != self._of_pid
        if is_other or (self._tail is None and now_s - self._looked_s >= _AGAIN_S):
            self.close()
            self._of_pid, self._looked_s = pid, now_s
            self._finding = threading.Thread(
                target=self._find, args=(pid,), name="lifecycle-log", daemon=True
            )
            self._finding.start()

    def _find(self, pid: int | None) -> None:
        try:
            self._found = open_log(pid, self._port)
        except (NoLog, OSError) as fault:
            self._found = str(fault)

    def _take(self, found: Tail | str | None, now_s: float) -> None:
        self._found = None
        if isinstance(found, str) or found is None:
            self._why_not = found or self._why_not
            return
        self._tail, self._grown = found, 0
        self._since_s = self._read_s = now_s
        self._heard_s = now_s - 2 * self._within_s

    # --- what it says ----------------------------------------------------------------------------

    def _lines(self, data: bytes, before_s: float) -> list[Line]:
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        self._rest = data[end:][-_LONGEST:]
        self._grown += len(data)
        found: list[Line] = []
        start = data.find(MARK, 0, end)
        clocks = datetime.now(), time.monotonic()  # one reading, one time: the lines are alike
        while start != -1:
            stop = data.find(b"\n", start)
            line = data[start:stop]
            if _OURS in line:
                self._heard_s, self._grown = self._read_s, 0
            elif b"POST" in line and (told := parse_line(line)) is not None:
                found += self._dated(told, before_s, clocks)
            start = data.find(MARK, stop, end)
        return found

    def _dated(self, told: GinLine, before_s: float, clocks: tuple[datetime, float]) -> list[Line]:
        """When it ended: since the last reading, and in the second that the line names."""
        if told.kind is None:
            return []
        assert self._tail is not None
        ahead_s = (told.at - clocks[0]).total_seconds()
        ahead_s -= _ZONE_S * round(ahead_s / _ZONE_S)
        second_s = clocks[1] + ahead_s
        low_s, high_s = before_s - self._tail.lag_s, self._read_s
        if max(low_s, second_s) <= min(high_s, second_s + 1.0):  # else the clocks differ
            low_s, high_s = max(low_s, second_s), min(high_s, second_s + 1.0)
        return [Line(low_s, high_s, told.duration_s, told.status, told.kind)]
