"""Monitor: one thread that samples the machine, the GPUs, the runners and /api/ps."""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from urllib.parse import urlsplit

from lifecycle_widgets.monitor.gpus import Gpus
from lifecycle_widgets.monitor.host import Host
from lifecycle_widgets.monitor.residency import residencies
from lifecycle_widgets.monitor.runners import ModelNames, RunnerWatch
from lifecycle_widgets.monitor.sample import Residency, Sample
from lifecycle_widgets.server import Resident, Server, ServerError, ServerUnreachable

_LEAST_INTERVAL_S = 0.5  # what faster readings would show is mostly their own cost
_ANSWER_S = 1.0  # a server that hangs must not hold up the readings of memory and CPU
_END_S = 10.0
_log = logging.getLogger("lifecycle_widgets")

Listener = Callable[[Sample], None]


class Monitor:
    """Watches one server and the machine, from a thread of its own.

    It never makes a model stay: of the server it asks only GET /api/ps and, once per model,
    POST /api/show, which reset no timer.

    Parameters
    ----------
    server:
        The Ollama to watch. Its runners can be seen only on this machine.
    interval_s:
        Seconds from one sample to the next; not less than 0.5.
    history_s:
        How many seconds of samples are kept.

    Raises
    ------
    ValueError
        For an ``interval_s`` below 0.5, or a ``history_s`` below ``interval_s``.

    Examples
    --------
    >>> with Monitor(Server("localhost")) as monitor:  # doctest: +SKIP
    ...     run_agent("Say hello.", model="smollm2:135m", keep_alive=0)
    >>> [(r.model, r.why) for r in monitor.residencies()]  # doctest: +SKIP
    [('smollm2:135m', 'expired')]
    """

    def __init__(
        self, server: Server, *, interval_s: float = _LEAST_INTERVAL_S, history_s: float = 900.0
    ) -> None:
        if not _LEAST_INTERVAL_S <= interval_s < math.inf:
            raise ValueError(f"interval_s is {interval_s}; give {_LEAST_INTERVAL_S} s or more.")
        if not interval_s <= history_s < math.inf:
            raise ValueError(f"history_s is {history_s}; give at least interval_s ({interval_s}).")
        self.server = server
        self.interval_s = interval_s
        self._samples: deque[Sample] = deque(maxlen=math.ceil(history_s / interval_s))
        self._lock = threading.Lock()
        self._listeners: dict[object, Listener] = {}
        self._complained: set[object] = set()
        self._thread: threading.Thread | None = None
        self._stop_asked = threading.Event()
        self._costs = (0, 0.0, 0.0)  # samples, seconds of CPU, seconds on the clock
        self._derived: tuple[object, tuple[Residency, ...]] = (None, ())

    def __repr__(self) -> str:
        state = "running" if self.is_running else "stopped"
        return f"<Monitor of {self.server.url}, {state}, {len(self._samples)} samples>"

    # --- starting and stopping -------------------------------------------------------------------

    def start(self) -> Monitor:
        """Begin to sample; harmless when it does already. Returns itself."""
        with self._lock:
            if not self.is_running:
                self._stop_asked = threading.Event()
                self._thread = threading.Thread(
                    target=self._work, args=(self._stop_asked,), name="lifecycle-monitor"
                )
                self._thread.daemon = True
                self._thread.start()
                atexit.register(self.stop)  # the interpreter must not end in mid-sample
        return self

    def stop(self) -> None:
        """End the thread, and wait until it has ended. The samples stay. Harmless when stopped."""
        atexit.unregister(self.stop)
        self._stop_asked.set()
        thread = self._thread
        if thread is None or thread is threading.current_thread():  # a listener may stop it
            return
        thread.join(_END_S)
        if thread.is_alive():
            _log.warning(
                "The monitor of %s has not ended after %g s: a listener takes that long.",
                self.server.url,
                _END_S,
            )

    def __enter__(self) -> Monitor:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """True while it samples."""
        thread = self._thread
        return thread is not None and thread.is_alive() and not self._stop_asked.is_set()

    # --- what it saw -----------------------------------------------------------------------------

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples of the last ``history_s`` seconds, in order of time."""
        with self._lock:
            return tuple(self._samples)

    @property
    def latest(self) -> Sample | None:
        """The last sample; None before the first."""
        with self._lock:
            return self._samples[-1] if self._samples else None

    def residencies(self) -> tuple[Residency, ...]:
        """Which models were in memory, when, and why they left, as far as the samples reach."""
        samples = self.samples
        unloads, zeroed = tuple(self.server.unloads), tuple(self.server.zeroed)
        state = (samples[-1:], unloads, zeroed)  # a chart asks more often than anything changes
        known, derived = self._derived
        if known != state:
            derived = residencies(samples, unloads, zeroed)
            self._derived = (state, derived)
        return derived

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Have ``callback(sample)`` called for each sample, in the monitor's thread.

        An exception in it is logged (logger ``lifecycle_widgets``) the first time, and does not
        disturb the monitor.

        Returns
        -------
        Callable
            Call it to listen no more.
        """
        ticket = object()
        with self._lock:
            self._listeners[ticket] = callback

        def unlisten() -> None:
            with self._lock:
                self._listeners.pop(ticket, None)
                self._complained.discard(ticket)

        return unlisten

    # --- what it costs ---------------------------------------------------------------------------

    @property
    def cost_s(self) -> float:
        """Seconds of CPU that a sample takes, on average, the first one and listeners left out."""
        samples, cpu_s, _ = self._costs
        return cpu_s / samples if samples else 0.0

    @property
    def wall_s(self) -> float:
        """Seconds on the clock that a sample takes, on average: CPU and waiting for the server."""
        samples, _, wall_s = self._costs
        return wall_s / samples if samples else 0.0

    @property
    def overhead(self) -> float:
        """The part of one core that the monitor takes: 0.01 is 1 % of a core."""
        return self.cost_s / self.interval_s

    # --- the thread ------------------------------------------------------------------------------

    def _work(self, stop_asked: threading.Event) -> None:
        with ExitStack() as handles:
            take = _Readings(self.server, handles).take
            while not stop_asked.is_set():
                began_s = time.monotonic()
                try:
                    began_s = self._once(take).t_s
                except Exception:
                    self._complain("sampling", "The monitor could not take a sample")
                # from this sample's own time: one that came late is not followed by an early one
                stop_asked.wait(max(0.0, began_s + self.interval_s - time.monotonic()))

    def _once(self, take: Callable[[], Sample]) -> Sample:
        cpu_s, wall_s = time.thread_time(), time.monotonic()
        sample = take()
        if self._samples:  # the first one also imports and opens everything
            count, cpu_sum_s, wall_sum_s = self._costs
            cpu_sum_s += time.thread_time() - cpu_s
            self._costs = (count + 1, cpu_sum_s, wall_sum_s + time.monotonic() - wall_s)
        with self._lock:
            self._samples.append(sample)
            listeners = tuple(self._listeners.items())
        for ticket, callback in listeners:
            try:
                callback(sample)
            except Exception:
                self._complain(ticket, f"A listener of the monitor failed ({callback!r})")
        return sample

    def _complain(self, about: object, text: str) -> None:
        """Log the exception being handled, the first time only: there are two samples a second."""
        if about not in self._complained:
            self._complained.add(about)
            _log.exception("%s. It goes on; this is said once.", text)


class _Readings:
    """The open handles of one monitor's thread."""

    def __init__(self, server: Server, handles: ExitStack) -> None:
        # connections of its own, which give up soon
        self._server = Server(server.url, quick_timeout_s=_ANSWER_S)
        handles.callback(self._server.close)
        self._host = Host()
        self._gpus = Gpus()
        handles.callback(self._gpus.close)
        port = urlsplit(server.url).port
        self._runners = RunnerWatch(port) if server.is_local and port else None
        self._names = ModelNames(self._server)

    def take(self) -> Sample:
        at, t_s = datetime.now().astimezone(), time.monotonic()
        used_bytes, total_bytes = self._host.memory()
        # processes before /api/ps: Ollama ends a runner first and then drops it from the list, so
        # a model without a runner has lost it
        found = self._runners.scan() if self._runners is not None else None
        residents, error = self._ask()
        return Sample(
            at=at,
            t_s=t_s,
            ram_used_bytes=used_bytes,
            ram_total_bytes=total_bytes,
            cpu_fraction=self._host.cpu_fraction(),
            runners=None if found is None else self._names.named(found, residents),
            gpus=self._gpus.read(),
            residents=residents,
            error=error,
        )

    def _ask(self) -> tuple[tuple[Resident, ...] | None, str | None]:
        try:
            return self._server.residents(), None
        except (ServerUnreachable, ServerError) as fault:
            return None, str(fault)
        except ValueError as fault:  # no JSON, or not this JSON
            line = str(fault).strip().partition("\n")[0]
            return None, f"What answers at {self._server.url} is not Ollama ({line})."
