"""Who wants to know of each run of this process when it has ended, whoever started it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from lifecycle_widgets.runs import Run

_listeners: dict[object, Callable[[Run], None]] = {}
_lock = threading.RLock()  # a lab that Python collects listens no more: also in here
_log = logging.getLogger("lifecycle_widgets")


def listen_to_runs(callback: Callable[[Run], None]) -> Callable[[], None]:
    """Have ``callback(run)`` called with each run that has ended, in a thread of that run.

    It must be quick: whoever waits for the run waits for it. An exception in it is logged (logger
    ``lifecycle_widgets``), and disturbs nobody.

    Returns
    -------
    Callable
        Call it to listen no more.

    Examples
    --------
    >>> heard = []
    >>> unlisten = listen_to_runs(heard.append)
    >>> unlisten()
    """
    ticket = object()
    with _lock:
        _listeners[ticket] = callback

    def unlisten() -> None:
        with _lock:
            _listeners.pop(ticket, None)

    return unlisten


def tell_of(run: Run) -> None:
    """A run has ended."""
    with _lock:
        callbacks = tuple(_listeners.values())
    for callback in callbacks:
        try:
            callback(run)
        except Exception:
            _log.exception("A listener to ended runs failed (%r).", callback)
