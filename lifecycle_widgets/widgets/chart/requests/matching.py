"""Which requests a run made, and which run made a request: told by model and time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from lifecycle_widgets.monitor import OURS, Request
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import same_name

WITHIN_S = 0.1
"""A request and a step that begin no further apart are the same."""


def span_of(run: Run) -> tuple[datetime, datetime]:
    """From when to when a run asked its models."""
    ends_s = [step.start_s + step.timings.total_s for step in run.steps]
    begin_s = min((step.start_s for step in run.steps), default=0.0)
    end_s = max(ends_s, default=run.timings.total_s)
    at = run.started_at
    return at + timedelta(seconds=begin_s), at + timedelta(seconds=end_s)


def requests_of(run: Run, requests: Iterable[Request]) -> list[Request]:
    """Those of the requests that the run made.

    Examples
    --------
    >>> from lifecycle_widgets import KeepAlive, Step, Timings
    >>> noon = datetime(2026, 1, 1, 12).astimezone()
    >>> steps = Step(1.0, Timings(2.0), model="smollm2:135m"),
    >>> run = Run("smollm2:135m", KeepAlive(0), "Hi", "Hello", noon, Timings(3.0), steps)
    >>> begins = noon + timedelta(seconds=1.02), noon + timedelta(seconds=1.4)
    >>> seen = [Request("smollm2:135m", at, None, None, None, OURS) for at in begins]
    >>> requests_of(run, seen) == seen[:1]
    True
    """
    asked = [
        (step.model or run.model, run.started_at + timedelta(seconds=step.start_s))
        for step in run.steps
    ]
    return [
        request
        for request in requests
        if request.whose == OURS and any(_is_same(request, *one) for one in asked)
    ]


def run_of(request: Request, runs: Iterable[Run]) -> Run | None:
    """The run that made a request: of two that could be, the later one; None where none did."""
    made = [run for run in runs if requests_of(run, [request])]
    return max(made, key=lambda run: run.started_at, default=None)


def _is_same(request: Request, model: str, at: datetime) -> bool:
    if request.began_at is None or not same_name(request.model, model):
        return False
    return abs((request.began_at - at).total_seconds()) <= WITHIN_S
