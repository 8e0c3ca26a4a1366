"""Tells a monitor's listeners, from a thread beside the one that samples."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lifecycle_widgets.monitor.sample import Sample

Listener = Callable[[Sample], None]

_HANGS_S = 2.0
_MOST_WAITING = 20  # samples
_END_S = 3.0
_log = logging.getLogger("lifecycle_widgets")


@dataclass(eq=False)
class _Ear:
    """One who listens."""

    callback: Listener
    busy_since_s: float | None = None
    has_failed: bool = False

    def hear(self, sample: Sample) -> None:
        self.busy_since_s = time.monotonic()
        try:
            self.callback(sample)
        except Exception:
            if not self.has_failed:  # else it is said already: there are two samples a second
                self.has_failed = True
                _log.exception(
                    "A listener of the monitor failed (%r). It goes on; this is said once.",
                    self.callback,
                )
        finally:
            self.busy_since_s = None


class Teller:
    """One thread that calls all listeners, one after another, sample by sample.

    A listener that hangs is left behind with its thread: another one goes on with the others, and
    that listener misses samples until it returns. The thread is there from the first sample on
    that somebody listens to, until `end`.
    """

    def __init__(self) -> None:
        # Python collects at any time, and a chart that it collects listens no more: also in here
        self._lock = threading.RLock()
        self._ears: dict[object, _Ear] = {}
        self._waiting: queue.SimpleQueue[Sample | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._at: _Ear | None = None  # whom the thread is telling

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Have it called for each sample; the answer ends that."""
        ticket = object()
        with self._lock:
            self._ears[ticket] = _Ear(callback)

        def unlisten() -> None:
            with self._lock:
                self._ears.pop(ticket, None)

        return unlisten

    def tell(self, sample: Sample) -> None:
        """Have the listeners called, soon."""
        with self._lock:
            if not self._ears:
                return
            while self._waiting.qsize() >= _MOST_WAITING:  # many slow listeners: the oldest goes
                with contextlib.suppress(queue.Empty):
                    self._waiting.get_nowait()
            self._waiting.put(sample)
            if self._thread is None or not self._thread.is_alive() or self._hangs():
                self._at = None
                self._thread = threading.Thread(
                    target=self._work, name="lifecycle-listeners", daemon=True
                )
                self._thread.start()

    def end(self) -> bool:
        """End the thread when what is waiting is told; False when it does not: a listener hangs."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is None or not thread.is_alive():
                return True
            self._waiting.put(None)
        if thread is threading.current_thread():  # a listener ends it
            return True
        thread.join(_END_S)
        return not thread.is_alive()

    def _hangs(self) -> bool:
        since_s = self._at.busy_since_s if self._at is not None else None
        return since_s is not None and time.monotonic() - since_s > _HANGS_S

    def _work(self) -> None:
        me = threading.current_thread()
        while (sample := self._waiting.get()) is not None:
            with self._lock:
                ears = dict(self._ears)
            for ticket, ear in ears.items():
                if ear.busy_since_s is not None or ticket not in self._ears:
                    continue  # it hangs, or listens no more
                self._at = ear
                ear.hear(sample)
                if self._thread not in (me, None):  # left behind: another one goes on
                    return
                self._at = None
