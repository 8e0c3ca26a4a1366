"""evidence_of: how much a stream shows."""

from __future__ import annotations

import numpy as np

from lifecycle_widgets.advisor.recommend.values import Evidence
from lifecycle_widgets.advisor.workload.groups import days_of
from lifecycle_widgets.advisor.workload.workload import Stream


def evidence_of(
    stream: Stream, origin_s: float | None = None, witnesses: tuple[str, ...] = ()
) -> Evidence:
    """How much a stream shows, and how it was seen.

    Parameters
    ----------
    origin_s:
        The stream's second 0 in seconds since 1970, so that days are those of the calendar here;
        None: they count from its first request.
    witnesses:
        How the requests were seen.
    """
    gaps = len(stream.gaps_s)
    return Evidence(
        requests=stream.requests,
        gaps=gaps,
        unwatched=len(stream.all_gaps_s) - gaps,
        span_s=stream.span_s,
        days=len(np.unique(days_of(stream.busy_from_s, origin_s))),
        witnesses=witnesses,
    )
