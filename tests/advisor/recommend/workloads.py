"""Workloads made of chosen gaps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lifecycle_widgets.advisor.workload.workload import Stream, Workload

ANSWER_S = 5.0


def stream(gaps_s: Sequence[float], name: str = "a", unwatched: Sequence[int] = ()) -> Stream:
    """One that answers for 5 s, then is idle for each of these times."""
    at_s = np.concatenate([[0.0], np.cumsum(np.asarray(gaps_s, dtype=float) + ANSWER_S)])
    watched = ~np.isin(np.arange(len(gaps_s)), unwatched)
    return Stream(name, at_s, at_s + ANSWER_S, watched, len(at_s))


def workload(*streams: Stream, origin_s: float | None = None) -> Workload:
    return Workload(streams, "an example", ("trace",), (), origin_s)
