"""newest: the end of a long workload, for what takes a while with each request."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lifecycle_widgets.advisor.workload.workload import Stream, Workload


def newest(workload: Workload, most: int) -> Workload:
    """The workload from a time on from which it has no more than so many busy times.

    All its streams stay, some maybe without any of them.

    Examples
    --------
    >>> at = 60.0 * np.arange(5)
    >>> stream = Stream("a", at, at + 5, np.full(4, True), 5)
    >>> newest(Workload((stream,), "an example"), 2).streams[0].busy_from_s.tolist()
    [180.0, 240.0]
    """
    began_s = np.concatenate([np.empty(0), *(one.busy_from_s for one in workload.streams)])
    if len(began_s) <= most:
        return workload
    from_s = float(np.partition(began_s, len(began_s) - most)[-most])
    return replace(workload, streams=tuple(_since(one, from_s) for one in workload.streams))


def _since(stream: Stream, from_s: float) -> Stream:
    first = int(np.searchsorted(stream.busy_from_s, from_s))
    begins, ends = stream.busy_from_s[first:], stream.busy_until_s[first:]
    return replace(
        stream,
        busy_from_s=begins,
        busy_until_s=ends,
        watched=stream.watched[first:],
        requests=len(begins),
    )
