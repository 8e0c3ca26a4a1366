"""Errand: work for the background that one thread does, once more if it was asked for meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lifecycle_widgets.widgets.background import Background


class Errand:
    """Work that may be asked for at any time, by anyone, and is never done twice at a time.

    Examples
    --------
    >>> background, done = Background(), threading.Event()
    >>> errand = Errand(background, "an example", done.set)
    >>> errand.ask()
    >>> done.wait(timeout=5)
    True
    >>> background.close(timeout_s=5)
    """

    def __init__(self, background: Background, name: str, work: Callable[[], None]) -> None:
        self._background, self._name, self._work = background, name, work
        self._lock = threading.Lock()
        self._running = self._asked = False

    @property
    def is_stale(self) -> bool:
        """True when what goes on need not be finished: asked for anew, or nobody is left."""
        return self._asked or self._background.closed

    def ask(self) -> None:
        """Have it done, in a thread of its own: now, or after the one that goes on."""
        with self._lock:
            self._asked = True
            if not self._running:
                self._running = self._background.start(self._name, self._go)

    def _go(self) -> None:
        while True:
            with self._lock:
                if not self._asked or self._background.closed:
                    self._running = False
                    return
                self._asked = False
            try:
                self._work()
            except BaseException:
                self._running = False
                raise
