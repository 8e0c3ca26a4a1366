"""What a request's bar says when it is pointed at: whose it was, how exact that is, its costs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime

from lifecycle_widgets.history.past import Busy
from lifecycle_widgets.monitor import OURS, WITNESSES, Request
from lifecycle_widgets.runs import clock_text, counted, duration_text, seconds_text

_KINDS = {"embed": "embedding", "load": "preload, no prompt", "touch": "renewal of a hold"}
_EXACT_S = 0.01  # what is no further off is not worth a word


def request_text(request: Request) -> str:
    """All that is known of a request, in lines.

    Examples
    --------
    >>> noon = datetime(2026, 1, 1, 12).astimezone()
    >>> print(request_text(Request("qwen3:4b", None, noon, None, 9.0, "another client")))
    qwen3:4b: another client
    until 1 Jan 12:00:00.0; its begin is not told
    """
    return "\n".join(line for line in _lines(request) if line)


def many_text(requests: Sequence[Request]) -> str:
    """What requests have in common that are too near to each other to be drawn each."""
    first = requests[0]
    ends = [r.ended_at or r.began_at for r in requests]
    known = [at for at in (r.began_at or r.ended_at for r in requests) if at is not None]
    spent_s = sum(r.total_s or 0.0 for r in requests)
    count = counted(sum(r.count for r in requests), "request")
    begun, ended = min(known), max(at for at in ends if at is not None)
    return (
        f"{first.model}: {count} of {_whose(first)}\n"
        f"{clock_text(begun)} to {clock_text(ended)}, {seconds_text(spent_s)} in all\n"
        "zoom in to see each"
    )


def busy_text(busy: Busy) -> str:
    """What a model did in a stretch of the past."""
    width_s = (busy.end - busy.start).total_seconds()
    share = f" ({100 * busy.busy_s / width_s:.0f} %)" if width_s else ""
    loads = f", {counted(busy.loads, 'load')}" if busy.loads else ""
    return (
        f"{busy.model}: {counted(busy.requests, 'request')}{loads}\n"
        f"{clock_text(busy.start)} to {clock_text(busy.end)}\n"
        f"at work for {seconds_text(busy.busy_s)}{share}"
    )


def _whose(request: Request) -> str:
    return "ours" if request.whose == OURS else request.whose


def _lines(request: Request) -> Iterator[str]:
    kind = _KINDS.get(request.kind or "", request.kind)
    what = f" ({kind})" if kind else ""
    several = f", at least {request.count} requests that overlap" if request.count > 1 else ""
    yield f"{request.model or 'name not told'}: {_whose(request)}{what}{several}"
    yield _when(request)
    yield _phases(request)
    yield _tokens(request)
    if request.keep_alive_s is not None:
        yield f"keep_alive {_keep_alive(request.keep_alive_s)}"
    if request.status is not None and request.status >= 400:
        yield f"HTTP status {request.status}"
    if request.is_broken_off:
        yield "it was broken off"
    if request.witnesses:
        yield "known by: " + "; ".join(WITNESSES.get(name, name) for name in request.witnesses)


def _when(request: Request) -> str:
    if request.began_at is None:
        ended = f"{_clock(request.ended_at)}{_off(request.end_within_s)}"
        return f"until {ended}; its begin is not told"
    began = f"{_clock(request.began_at)}{_off(request.begin_within_s)}"
    if request.ended_at is None:
        return f"since {began}; it goes on"
    total = "" if request.total_s is None else f": {seconds_text(request.total_s)}"
    return f"{began} to {_clock(request.ended_at)}{_off(request.end_within_s)}{total}"


def _clock(at: datetime | None) -> str:
    return "?" if at is None else f"{clock_text(at)}.{at.microsecond // 100_000}"


def _off(within_s: float | None) -> str:
    return "" if within_s is None or within_s <= _EXACT_S else f" (± {seconds_text(within_s)})"


def _phases(request: Request) -> str:
    told = {
        "queued": request.queued_s,
        "load": request.load_s,
        "prompt eval": request.prompt_eval_s,
        "eval": request.eval_s,
    }
    return ", ".join(f"{name} {seconds_text(s)}" for name, s in told.items() if s is not None)


def _tokens(request: Request) -> str:
    said = []
    if request.ttft_s is not None:
        said.append(f"TTFT {seconds_text(request.ttft_s)}")
    for name, count in (("prompt", request.prompt_tokens), ("output", request.output_tokens)):
        if count is not None:
            said.append(f"{name} {count:,} tokens")
    return ", ".join(said)


def _keep_alive(seconds: float) -> str:
    if math.isinf(seconds) or seconds < 0:
        return "forever"
    return "0" if seconds == 0 else duration_text(seconds)
