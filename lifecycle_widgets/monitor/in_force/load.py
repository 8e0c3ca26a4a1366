"""What a server's processes take: of the processor, by two samples, and of memory."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.system.processes import open_process

_OVER_S = 2.0  # shorter, and what the system counts in hundredths says little


def cores_taken(samples: Sequence[Sample], over_s: float = _OVER_S) -> dict[int, float]:
    """How many cores each runner takes, by process: 1.0 is one core, busy all the time.

    Parameters
    ----------
    samples:
        Some of one monitor, in order of time; the last tells which runners there are.
    over_s:
        Over how many seconds at least, where there are as many.

    Returns
    -------
    dict
        Only those that were there all that time, and whose processor time is told.
    """
    if not samples:
        return {}
    last = samples[-1]
    before = next((s for s in reversed(samples) if s.t_s <= last.t_s - over_s), samples[0])
    took_s = last.t_s - before.t_s
    was = {runner.pid: runner for runner in before.runners or ()}
    taken = {}
    for runner in last.runners or ():
        then = was.get(runner.pid)
        if then is None or then.cpu_s is None or runner.cpu_s is None or took_s <= 0:
            continue
        taken[runner.pid] = max(0.0, runner.cpu_s - then.cpu_s) / took_s
    return taken


def rss_of(pid: int) -> int | None:
    """The memory that a process has now, in bytes; None where it has ended, or does not tell.

    Examples
    --------
    >>> import os
    >>> rss_of(os.getpid()) > 1e6
    True
    """
    try:
        return int(open_process(pid).memory_info().rss) or None
    except (psutil.Error, OSError, AttributeError):
        return None
