"""Evidence: when a model was at work, by what this process knows, and by the history."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cache

import numpy as np

from lifecycle_widgets.advisor.adaptive.learner import Busy
from lifecycle_widgets.advisor.adaptive.plain import Plain
from lifecycle_widgets.advisor.workload.busy import busy_times
from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.from_history import workload_of
from lifecycle_widgets.advisor.workload.workload import Stream, Workload
from lifecycle_widgets.history import History, HistoryError
from lifecycle_widgets.monitor.shared import running
from lifecycle_widgets.monitor.traffic.request import OURS, Request
from lifecycle_widgets.server import OwnRequest, Server

REMEMBERS = timedelta(days=30)
"""How far it looks back in the history."""
MOST_GAPS = 2000
"""As many gaps of the past are learnt from, the newest."""

_NO_WORK = ("touch", "unload")
_NEAR_S = 2.0  # a request that a monitor saw is known to a second or two


def busy_of(
    server: Server | None, is_it: Callable[[str], bool], plain: Iterable[Plain] = ()
) -> list[Busy]:
    """When a model was at work, as far as this process has seen it, in order.

    Its own requests it knows exactly; other clients' where the server's shared monitor runs.

    Parameters
    ----------
    is_it:
        Whether a name is the model's.
    plain:
        Those of drivers that are not run by us. Where nobody tells their end, nor a monitor sees
        them, they have no length.
    """
    is_it = cache(is_it)
    own = server.own_requests.all() if server is not None else ()
    seen = [_busy(one) for one in own if one.kind not in _NO_WORK and is_it(one.model)]
    sampler = running(server) if server is not None else None
    others = sampler.traffic.requests if sampler is not None else ()
    seen += [_busy(one) for one in others if _is_others(one) and is_it(one.model)]
    for asked in plain:
        if asked.ended_s is not None:
            seen.append((asked.began_s, asked.ended_s))
        elif not any(map(_holds(asked.began_s), seen)):
            seen.append((asked.began_s, asked.began_s))
    if not seen:
        return []
    spans = np.array(seen)
    with np.errstate(invalid="ignore"):  # inf: it goes on
        from_s, until_s = busy_times(spans[:, 0], spans[:, 1] - spans[:, 0])
    return list(zip(from_s.tolist(), until_s.tolist(), strict=True))


def _busy(one: OwnRequest | Request) -> Busy:
    ended_s = np.inf if one.ended_s is None else one.ended_s
    return (ended_s if one.began_s is None else one.began_s), ended_s


def _is_others(one: Request) -> bool:
    is_told = one.began_s is not None or one.ended_s is not None
    return one.whose != OURS and one.is_work and is_told


def _holds(at_s: float) -> Callable[[Busy], bool]:
    return lambda busy: busy[0] - _NEAR_S <= at_s <= busy[1]


class Past:
    """The gaps of a server's models before this process has seen any, by a history.

    Parameters
    ----------
    workload:
        What was asked then; None: nothing is known, for the reason in ``why_not``.

    Examples
    --------
    >>> Past.of(Workload((), "nothing"), None).gaps_s(lambda name: True, 0.0)
    []
    """

    def __init__(self, workload: Workload | None, why_not: str = "") -> None:
        self.workload, self.why_not = workload, why_not

    @classmethod
    def of(cls, history: History | Workload | None, server: Server | None) -> Past:
        """That of a server; None: by the person's own history. Raises nothing."""
        if isinstance(history, Workload):
            return cls(history)
        try:
            return cls(workload_of(history, server=server, since=REMEMBERS))
        except (WorkloadError, HistoryError) as fault:
            return cls(None, str(fault))

    def gaps_s(self, is_it: Callable[[str], bool], until_s: float) -> list[tuple[float, str]]:
        """The gaps that were watched, in the order of their ends: how long, and which other's.

        Parameters
        ----------
        is_it:
            Whether a name is the model's, whose gaps have the name "".
        until_s:
            Those that had ended by then, by the monotonic clock.
        """
        if self.workload is None:
            return []
        ended: list[tuple[float, float, str]] = []
        for stream in self.workload.streams:
            ended += _ended(stream, "" if is_it(stream.name) else stream.name)
        if self.workload.origin_s is not None:
            until_at_s = until_s + time.time() - time.monotonic() - self.workload.origin_s
            ended = [one for one in ended if one[0] <= until_at_s + _NEAR_S]
        ended.sort()
        return [(gap_s, whose) for _, gap_s, whose in ended[-MOST_GAPS:]]


def _ended(stream: Stream, whose: str) -> Iterable[tuple[float, float, str]]:
    gaps_s = stream.gaps_s
    ends_s = stream.gap_began_s + gaps_s
    return zip(ends_s.tolist(), gaps_s.tolist(), [whose] * len(gaps_s), strict=True)
