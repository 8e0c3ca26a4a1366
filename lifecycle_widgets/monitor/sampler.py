"""The thread that takes samples, keeps the last of them, and tells its listeners."""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable

from lifecycle_widgets.monitor.readings import Readings
from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.stays.log import StayLog
from lifecycle_widgets.monitor.telling import Listener, Teller
from lifecycle_widgets.monitor.traffic.traffic import Traffic
from lifecycle_widgets.server import Server

_END_S = 10.0
_log = logging.getLogger("lifecycle_widgets")


class Sampler:
    """One thread, one ring of samples, any number of listeners; see `Monitor`, its face.

    Parameters
    ----------
    server, interval_s, history_s:
        As `Monitor` takes them.
    each_time:
        Called in the thread before each sample.
    """

    def __init__(
        self,
        server: Server,
        interval_s: float,
        history_s: float,
        each_time: Callable[[], None] = lambda: None,
    ) -> None:
        self.url, self.interval_s = server.url, interval_s
        self._samples: deque[Sample] = deque(maxlen=math.ceil(history_s / interval_s))
        self._readings, self._reading = Readings(server), threading.Lock()
        #: what is derived, sample by sample
        self.traffic = Traffic(server, history_s)
        self.stays = StayLog(server, history_s, lambda: self.traffic.requests)
        self._lock = threading.Lock()
        self._teller = Teller()
        self._each_time = each_time
        self._thread: threading.Thread | None = None
        self._stop_asked = threading.Event()
        self._failed: list[object] = []
        self._costs = (0, 0.0, 0.0)  # samples, seconds of CPU, seconds on the clock

    # --- starting and stopping -------------------------------------------------------------------

    def start(self) -> None:
        """Begin to sample; harmless when it does already."""
        with self._lock:
            if not self.is_running:
                self._stop_asked = threading.Event()
                self._thread = threading.Thread(
                    target=self._work,
                    args=(self._stop_asked,),
                    name="lifecycle-monitor",
                    daemon=True,
                )
                self._thread.start()
                atexit.register(self.stop)  # the interpreter must not end in mid-sample

    def stop(self) -> None:
        """End the threads, and wait until they have ended. The samples stay."""
        atexit.unregister(self.stop)
        self._stop_asked.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_END_S)
            if thread.is_alive():
                _log.warning("The monitor of %s has not ended after %g s.", self.url, _END_S)
        if not self.is_alive:  # else it closes them itself
            self._close()
        if not self._teller.end():
            _log.warning("A listener of the monitor of %s has not ended: it hangs.", self.url)

    @property
    def is_running(self) -> bool:
        return self.is_alive and not self._stop_asked.is_set()

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _close(self) -> None:
        with self._reading:
            self._readings.close()
            self.traffic.close()

    # --- samples ---------------------------------------------------------------------------------

    @property
    def samples(self) -> tuple[Sample, ...]:
        with self._lock:
            return tuple(self._samples)

    @property
    def latest(self) -> Sample | None:
        with self._lock:
            return self._samples[-1] if self._samples else None

    def read(self) -> Sample:
        """Take a sample now, in this thread; it is kept, and told, as all others."""
        with self._reading:
            cpu_s, wall_s = time.thread_time(), time.monotonic()
            sample = self._readings.take()
            self._derive(sample)
            if self._samples:  # the first one also imports and opens everything
                count, cpu_sum_s, wall_sum_s = self._costs
                cpu_sum_s += time.thread_time() - cpu_s
                self._costs = (count + 1, cpu_sum_s, wall_sum_s + time.monotonic() - wall_s)
            with self._lock:
                self._samples.append(sample)
            self._teller.tell(sample)
        return sample

    def _derive(self, sample: Sample) -> None:
        for derived in (self.traffic, self.stays):
            try:
                derived.see(sample)
            except Exception:  # the sample is good all the same
                if derived not in self._failed:
                    self._failed.append(derived)
                    _log.exception("What follows from a sample cannot be told; said once.")

    def _work(self, stop_asked: threading.Event) -> None:
        while not stop_asked.is_set():
            began_s = time.monotonic()
            try:
                self._each_time()
                if stop_asked.is_set():
                    break
                began_s = self.read().t_s
            except Exception:  # a reading raises nothing; whatever this is, the next one comes
                _log.exception("The monitor of %s could not take a sample.", self.url)
            # from this sample's own time: one that came late is not followed by an early one
            stop_asked.wait(max(0.0, began_s + self.interval_s - time.monotonic()))
        self._close()

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Have it called for each sample; the answer ends that."""
        return self._teller.listen(callback)

    # --- what it costs ---------------------------------------------------------------------------

    @property
    def cost_s(self) -> float:
        samples, cpu_s, _ = self._costs
        return cpu_s / samples if samples else 0.0

    @property
    def wall_s(self) -> float:
        samples, _, wall_s = self._costs
        return wall_s / samples if samples else 0.0
