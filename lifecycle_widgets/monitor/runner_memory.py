"""What runners have been seen to take in this process, by the weights and the context they hold."""

from __future__ import annotations

import threading
from collections import OrderedDict

_MOST = 20  # runners of one kind; the last ones say how it is now

_lock = threading.Lock()
_peaks: dict[str, dict[int | None, OrderedDict[int, int]]] = {}


def note(digest: str, context_length: int | None, pid: int, rss_bytes: int) -> None:
    """A runner of this machine, without a GPU, has loaded these weights and takes so much."""
    with _lock:
        runners = _peaks.setdefault(digest, {}).setdefault(context_length, OrderedDict())
        runners[pid] = max(rss_bytes, runners.pop(pid, 0))
        if len(runners) > _MOST:
            runners.popitem(last=False)


def peaks(digest: str) -> dict[int | None, tuple[int, ...]]:
    """The most that each runner of these weights took, in bytes, by its context's length.

    The contexts are in the order in which they were first seen; None is one that was not told.
    """
    with _lock:
        return {ctx: tuple(runners.values()) for ctx, runners in _peaks.get(digest, {}).items()}
