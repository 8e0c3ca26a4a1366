"""Background: what a widget does in threads of its own, and how it is rid of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Background:
    """Runs work in daemon threads; after `close` nothing more begins.

    Examples
    --------
    >>> done = []
    >>> background = Background()
    >>> background.start("an example", lambda: done.append("done"))
    True
    >>> background.close(timeout_s=5)
    >>> done
    ['done']
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._closed = False

    @property
    def closed(self) -> bool:
        """True once `close` was called: work that goes on should show nothing any more."""
        return self._closed

    def start(self, name: str, work: Callable[[], None]) -> bool:
        """Begin; False when closed. The thread is called ``lifecycle-<name>``."""
        thread = threading.Thread(target=work, name=f"lifecycle-{name}", daemon=True)
        with self._lock:
            if self._closed:
                return False
            self._threads = {t for t in self._threads if t.is_alive()} | {thread}
            thread.start()
            return True

    def close(self, timeout_s: float) -> None:
        """Begin nothing more, and wait up to ``timeout_s`` seconds in all for what goes on."""
        with self._lock:
            self._closed = True
            threads = self._threads - {threading.current_thread()}
        deadline_s = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(deadline_s - time.monotonic(), 0.0))
