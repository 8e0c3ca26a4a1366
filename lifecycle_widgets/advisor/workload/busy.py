"""Busy times: requests that overlap, made one."""

from __future__ import annotations

import numpy as np

from lifecycle_widgets.advisor.workload.workload import Seconds


def busy_times(start_s: Seconds, service_s: Seconds) -> tuple[Seconds, Seconds]:
    """From when to when one model was at work, of its requests: those that overlap are one.

    Parameters
    ----------
    start_s:
        When each request began, in seconds from any zero; in any order.
    service_s:
        How long each took, in seconds.

    Returns
    -------
    (from_s, until_s)
        Two arrays, in order. Between two busy times is a gap of more than 0 s.

    Examples
    --------
    >>> busy_times(np.array([0.0, 4.0, 30.0]), np.array([5.0, 2.0, 1.0]))
    (array([ 0., 30.]), array([ 6., 31.]))
    """
    if np.any(start_s[1:] < start_s[:-1]):
        order = np.argsort(start_s, kind="stable")
        start_s, service_s = start_s[order], service_s[order]
    until_s = np.maximum.accumulate(start_s + service_s)
    begins = np.ones(len(start_s), dtype=bool)
    begins[1:] = start_s[1:] > until_s[:-1]
    ends = np.ones(len(start_s), dtype=bool)
    ends[:-1] = begins[1:]
    return start_s[begins], until_s[ends]
