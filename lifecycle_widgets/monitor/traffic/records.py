"""Records: requests as they are told, of what was joined; each with a number that it keeps."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.traffic.join import Own, Theirs
from lifecycle_widgets.monitor.traffic.request import OURS, WITNESSES, Request


class Records:
    """Makes a `Request` of what was joined, by the clocks of a sample."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._count = 0

    def of(self, key: object, one: Own | Theirs, sample: Sample) -> Request:
        """The request as it is known now; with the number that it had before, if it had one."""
        if key not in self._numbers:
            self._count += 1
            self._numbers[key] = self._count
        number = self._numbers[key]
        return _ours(one, number, sample) if isinstance(one, Own) else _theirs(one, number, sample)

    def forget(self, key: object) -> None:
        """It is final."""
        self._numbers.pop(key, None)


def _ours(own: Own, number: int, sample: Sample) -> Request:
    told = own.request
    asked_s = told.keep_alive_s
    return Request(
        model=own.model,
        began_at=_at(told.began_s, sample),
        ended_at=_at(told.ended_s, sample),
        began_s=told.began_s,
        ended_s=told.ended_s,
        whose=OURS,
        witnesses=_in_order(own.witnesses),
        begin_within_s=0.0,
        end_within_s=None if told.ended_s is None else 0.0,
        kind=told.kind,
        keep_alive_s=asked_s if asked_s is not None else own.keep_alive_s,
        load_s=told.load_s,
        prompt_eval_s=told.prompt_eval_s,
        eval_s=told.eval_s,
        ttft_s=told.ttft_s,
        prompt_tokens=told.prompt_tokens,
        output_tokens=told.output_tokens,
        status=None if own.line is None else own.line.status,
        is_broken_off=told.is_broken_off,
        number=number,
    )


def _theirs(one: Theirs, number: int, sample: Sample) -> Request:
    busy, line = one.busy, one.line
    witnesses = set() if busy is None else set(busy.witnesses)
    is_end_of_busy = busy is not None and one.ended_s is not None and one.ended_s == busy.ended_s
    if not is_end_of_busy:
        witnesses.discard("deadline")
    if line is not None:
        witnesses.add("log")
    load_s = busy.load_s if busy is not None and one.key is busy else None
    return Request(
        model=one.model,
        began_at=_at(one.began_s, sample),
        ended_at=_at(one.ended_s, sample),
        began_s=one.began_s,
        ended_s=one.ended_s,
        witnesses=_in_order(witnesses),
        begin_within_s=_rounded(one.begin_within_s),
        end_within_s=_rounded(one.end_within_s),
        count=1 if line is None else line.count,
        kind=None if line is None else line.kind,
        keep_alive_s=busy.keep_alive_s if busy is not None and is_end_of_busy else None,
        queued_s=_rounded(one.queued_s),
        load_s=_rounded(load_s),
        status=None if line is None else line.status,
        is_broken_off=True if line is not None and line.status >= 400 else None,
        number=number,
    )


def _at(t_s: float | None, sample: Sample) -> datetime | None:
    if t_s is None or not math.isfinite(t_s):
        return None
    return sample.at + timedelta(seconds=t_s - sample.t_s)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _in_order(witnesses: set[str]) -> tuple[str, ...]:
    return tuple(name for name in WITNESSES if name in witnesses)
