"""The server's default keep_alive as measured: what a load without one was given."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from lifecycle_widgets.runs.step import LEAST_LOAD_S
from lifecycle_widgets.server import Resident, Server, full_name
from lifecycle_widgets.server.own_requests import OwnRequest

_LATE_S = 10.0  # so long after its end the deadline may be another's
_STEPS_S = (3600.0, 60.0, 10.0, 5.0, 1.0)  # what people set: the roundest of what fits is it
_FOREIGN_CLOCK_S = 1.2  # the server's Date is in whole seconds


class Measured:
    """Watches what becomes of this process's own requests, and of no others.

    A model that a request of ours without ``keep_alive`` has loaded gets the server's default: its
    deadline, less the request's end. A keep_alive that somebody has asked for stays with a model
    until it leaves, so what was in memory before tells nothing.

    Parameters
    ----------
    server:
        Whose default.
    """

    def __init__(self, server: Server) -> None:
        self._own = server.own_requests
        self._tolerance_s = 0.6 if server.is_local else _FOREIGN_CLOCK_S
        self._since_s: dict[str, float] = {}  # which models are listed, by full name
        self._done_s = time.monotonic()  # requests that ended up to then are dealt with
        self._changes = -1
        #: in seconds, endless for forever; None while none has been measured
        self.seconds: float | None = None

    def see(self, residents: Sequence[Resident]) -> None:
        """Take in what is in memory, as it was read just now."""
        now_s = time.monotonic()
        listed = {full_name(one.name): one for one in residents}
        if self._changes != self._own.changes:
            self._changes = self._own.changes
            for one in self._ended():
                resident = listed.get(full_name(one.model))
                if resident is not None and self._tells(one, now_s):
                    self._take(one, resident)
        self._since_s = {name: self._since_s.get(name, now_s) for name in listed}

    def forget(self) -> None:
        """Another server has come in its place."""
        self.seconds, self._since_s = None, {}

    def _ended(self) -> list[OwnRequest]:
        """Those that have ended since the last time, in that order."""
        ended = [one for one in self._own.all() if (one.ended_s or 0.0) > self._done_s]
        self._done_s = max([self._done_s, *(one.ended_s or 0.0 for one in ended)])
        return ended

    def _tells(self, one: OwnRequest, now_s: float) -> bool:
        """Whether the deadline that is read now tells the default."""
        ended_s = one.ended_s
        if one.keep_alive_s is not None or one.is_broken_off or ended_s is None:
            return False
        was_there = self._since_s.get(full_name(one.model), math.inf) <= one.began_s
        loaded = not was_there if one.load_s is None else one.load_s >= LEAST_LOAD_S
        return loaded and now_s - ended_s <= _LATE_S and not self._is_disturbed(one)

    def _is_disturbed(self, one: OwnRequest) -> bool:
        """Whether another of ours has had to do with the same model meanwhile, or since."""
        return any(
            full_name(other.model) == full_name(one.model)
            and other is not one
            and (other.ended_s is None or other.ended_s >= one.began_s)
            for other in self._own.all()
        )

    def _take(self, one: OwnRequest, resident: Resident) -> None:
        if resident.expires_at is None or one.ended_s is None:
            return
        ended_at = one.began_at + one.ended_s - one.began_s
        seconds = resident.expires_at.timestamp() - ended_at
        if resident.is_forever:
            self.seconds = math.inf
        elif seconds > 0:
            self.seconds = roundest(seconds, self._tolerance_s)


def roundest(seconds: float, tolerance_s: float) -> float:
    """The roundest time within the tolerance, as people set round ones.

    Examples
    --------
    >>> roundest(299.7, 0.6), roundest(40.2, 0.6), roundest(1.02, 0.6), roundest(0.31, 0.6)
    (300.0, 40.0, 1.0, 0.3)
    """
    for step_s in _STEPS_S:
        near_s = round(seconds / step_s) * step_s
        if near_s and abs(near_s - seconds) <= min(tolerance_s, seconds / 4):
            return near_s
    return round(seconds, 1)
