"""Waiting in a thread that has to hear an interrupt, and what is said of one.

An interrupt is the kernel's stop button, or Ctrl-C.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TypeVar

_T = TypeVar("_T")

# How soon an interrupt is heard. One long wait can sleep through it: a signal that comes while
# another thread of the process begins does not always wake the main thread (8 of 40 tries of plain
# Python 3.11 on Linux 6.18). It is remembered, and raised when that thread wakes for any reason.
_HEARS_S = 0.2


class Interrupted(KeyboardInterrupt):
    """An interrupt that says what was stopped, and where that is which is kept.

    Whoever catches KeyboardInterrupt catches it; a notebook shows its sentence alone.

    Examples
    --------
    >>> Interrupted("the run was stopped.")._render_traceback_()
    ['KeyboardInterrupt: the run was stopped.']
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows, in place of the way through our code."""
        return [f"KeyboardInterrupt: {self}"]


@contextmanager
def told_if_interrupted(sentence: str) -> Iterator[None]:
    """An interrupt in the block becomes an `Interrupted`, unless it is one.

    Parameters
    ----------
    sentence:
        What was stopped, and where that is which is kept.

    Examples
    --------
    >>> try:
    ...     with told_if_interrupted("the run was stopped."):
    ...         raise KeyboardInterrupt
    ... except KeyboardInterrupt as interrupt:
    ...     print(interrupt)
    the run was stopped.
    """
    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt:
        raise Interrupted(sentence) from None


def wait_for(event: threading.Event, timeout_s: float | None = None) -> bool:
    """As ``event.wait(timeout_s)``, in pieces: so an interrupt is heard soon.

    Examples
    --------
    >>> wait_for(threading.Event(), timeout_s=0.01)
    False
    """
    until_s = math.inf if timeout_s is None else time.monotonic() + timeout_s
    while not event.wait(max(0.0, min(_HEARS_S, until_s - time.monotonic()))):
        if time.monotonic() >= until_s:
            return False
    return True


def next_of(queue: SimpleQueue[_T], hears_s: float = _HEARS_S) -> _T:
    """As ``queue.get()``, in pieces: each of ``hears_s`` seconds, for one that waits for hours.

    Examples
    --------
    >>> queue: SimpleQueue[str] = SimpleQueue()
    >>> queue.put("an event")
    >>> next_of(queue)
    'an event'
    """
    while True:
        try:
            return queue.get(timeout=hears_s)
        except Empty:
            pass
