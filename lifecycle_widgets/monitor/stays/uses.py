"""Uses: what requests tell of one stay: whose loaded it, whose was the last, what goes on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from lifecycle_widgets.monitor.traffic.request import OURS, Request
from lifecycle_widgets.server import full_name

_EARLY_S = 0.5  # a runner whose beginning is not told began so long before it was seen, at most
_LATE_S = 10.0  # the log tells of a request so long after its end, at most


class Uses:
    """Looks through requests again and again; what it has seen long ago is not looked at twice."""

    def __init__(self) -> None:
        #: whose request loaded it, where that is told
        self.loader: Request | None = None
        #: the last that has ended in it
        self.last: Request | None = None
        #: the keep_alive that was in force then, in seconds; None: not known
        self.keep_s: float | None = None
        #: those that go on
        self.going_on: tuple[Request, ...] = ()
        self._looked_s = -math.inf

    def look(
        self,
        model: str,
        began_s: float,
        end_s: float,
        requests: Sequence[Request],
        *,
        is_start_told: bool,
    ) -> None:
        """Take in what is new of a stay: always of the same one.

        Parameters
        ----------
        model:
            What is in memory; empty where that is not known.
        began_s, end_s:
            When its load began, and when it left; endless while it is there.
        requests:
            In order of their ends, then those that go on.
        is_start_told:
            Whether that is when its load began; else it is when it was first seen.
        """
        early_s = began_s if is_start_told else began_s - _EARLY_S
        since_s = max(early_s, self._looked_s - _LATE_S)
        name, mine = _key(model), []
        for request in reversed(requests if model else ()):
            if request.ended_s is not None:
                if request.ended_s < since_s:
                    break
                self._looked_s = max(self._looked_s, request.ended_s)
            if _key(request.model) == name and _is_within(request, end_s):
                mine.append(request)
        for request in reversed(mine):
            self._take(began_s, request)
        self.going_on = tuple(one for one in reversed(mine) if one.ended_s is None)

    def _take(self, began_s: float, request: Request) -> None:
        if request.began_s is not None:
            before_s = began_s if self.loader is None else self.loader.began_s
            if before_s is None or request.began_s <= before_s:
                self.loader = request  # also the same, told more exactly
        if request.ended_s is not None:
            self.last = request
            # one of ours that has sent none leaves it as it is
            if request.keep_alive_s is not None or request.whose != OURS:
                self.keep_s = request.keep_alive_s


def _is_within(request: Request, end_s: float) -> bool:
    """Whether it can have been answered by what left then."""
    began_s = request.ended_s if request.began_s is None else request.began_s
    return request.kind != "unload" and (began_s is None or began_s <= end_s)


@lru_cache(maxsize=1000)
def _key(model: str) -> str:
    return full_name(model).lower()
