"""learned_s: what the policy would do next for each of several streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lifecycle_widgets.advisor.policies.decide import next_keep_alive_s
from lifecycle_widgets.advisor.recommend.evidence.newest import newest
from lifecycle_widgets.advisor.workload.workload import Workload

_MOST = 20_000  # busy times that are looked at in all: some seconds


def learned_s(workload: Workload, t_stars_s: Mapping[str, float]) -> dict[str, float]:
    """`next_keep_alive_s` of each, where every stream learns from the others, too.

    Of a long workload its end counts, so that it takes no more than some seconds.

    Parameters
    ----------
    workload:
        The streams.
    t_stars_s:
        T* by stream, in seconds, of those that are wanted.

    Examples
    --------
    >>> import numpy as np
    >>> from lifecycle_widgets.advisor.workload.workload import Stream
    >>> at = 3600.0 * np.arange(9)
    >>> workload = Workload((Stream("a", at, at + 5, np.full(8, True), 9),), "an example")
    >>> learned_s(workload, {"a": 30.0})
    {'a': 0.0}
    """
    found = {}
    most = max(1, _MOST // (2 * max(1, len(t_stars_s))))
    for stream in workload.streams:
        if stream.name in t_stars_s:
            others = tuple(one for one in workload.streams if one is not stream)
            own = newest(replace(workload, streams=(stream,)), most).streams[0]
            beside = newest(replace(workload, streams=others), most).streams
            found[stream.name] = next_keep_alive_s(own, t_stars_s[stream.name], beside).ttl_s
    return found
