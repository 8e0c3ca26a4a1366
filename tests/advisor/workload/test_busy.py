"""Requests that overlap are one busy time; what touches has no gap between."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_widgets.advisor.workload.busy import busy_times

REQUESTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=30)


@settings(max_examples=200, deadline=None)
@given(asked=REQUESTS)
def test_it_is_busy_when_a_request_is_in_flight(asked: list[tuple[int, int]]) -> None:
    """Half a second at a time, by counting."""
    start_s, service_s = (np.array([one[part] for one in asked], dtype=float) for part in (0, 1))
    busy = list(zip(*busy_times(start_s, service_s), strict=True))
    for half in range(140):
        at = half / 2
        in_flight = any(start <= at <= start + took for start, took in asked)
        assert in_flight == any(begin <= at <= until for begin, until in busy)
    assert all(until < begin for (_, until), (begin, _) in pairwise(busy))


def test_none_is_none() -> None:
    assert [len(one) for one in busy_times(np.array([]), np.array([]))] == [0, 0]
