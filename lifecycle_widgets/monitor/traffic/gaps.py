"""Gaps: for how long each model was asked for nothing, between one use and the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lifecycle_widgets.monitor.traffic.request import Request


@dataclass(frozen=True)
class Gap:
    """From the end of a use of a model to the beginning of the next.

    Parameters
    ----------
    model:
        Its name.
    began_at, ended_at, began_s, ended_s:
        When it was, as `Request` has its times.
    seconds:
        How long.
    within_s:
        By how much that may be off; None: it is not known when the next use began, and the gap
        lasts to that one's end, at most.
    """

    model: str
    began_at: datetime | None
    ended_at: datetime | None
    began_s: float
    ended_s: float
    within_s: float | None

    @property
    def seconds(self) -> float:
        return self.ended_s - self.began_s


def gaps(requests: Iterable[Request]) -> tuple[Gap, ...]:
    """The idle gaps of each model, in order of their ends. Requests that overlap are one use.

    Renewals and unloadings are no use. What goes on ends a gap, and begins none.

    Examples
    --------
    >>> one = Request("a", None, None, began_s=1.0, ended_s=3.0)
    >>> two = Request("a", None, None, began_s=10.0, ended_s=None)
    >>> [gap.seconds for gap in gaps([one, two])]
    [7.0]
    """
    of_model: dict[str, list[Request]] = defaultdict(list)
    for request in requests:
        if request.is_work and (request.began_s, request.ended_s) != (None, None):
            of_model[request.model].append(request)
    found = [gap for model in of_model.values() for gap in _of_one(model)]
    return tuple(sorted(found, key=lambda gap: gap.ended_s))


def _of_one(requests: list[Request]) -> list[Gap]:
    found = []
    last: Request | None = None  # the one that ended last, so far
    for one in sorted(requests, key=_begin):
        if last is not None and last.ended_s is not None and _begin(one) > last.ended_s:
            found.append(_between(last, last.ended_s, one))
        if last is None or (last.ended_s is not None and _end(one) >= last.ended_s):
            last = one
    return found


def _between(last: Request, since_s: float, one: Request) -> Gap:
    is_known = one.began_s is not None
    withins = (last.end_within_s, one.begin_within_s)
    return Gap(
        model=one.model,
        began_at=last.ended_at,
        ended_at=one.began_at if is_known else one.ended_at,
        began_s=since_s,
        ended_s=_begin(one),
        within_s=sum(w or 0.0 for w in withins) if is_known and None not in withins else None,
    )


def _begin(one: Request) -> float:
    return one.began_s if one.began_s is not None else one.ended_s or 0.0


def _end(one: Request) -> float:
    return float("inf") if one.ended_s is None else one.ended_s
