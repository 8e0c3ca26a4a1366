"""Monitor: what is sampled of the machine, the GPUs, the runners and /api/ps, and who was there."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.sampler import Sampler
from lifecycle_widgets.monitor.shared import Lease
from lifecycle_widgets.monitor.stays import Loading, Residency, loading
from lifecycle_widgets.monitor.telling import Listener
from lifecycle_widgets.monitor.traffic import Gap, Request, gaps
from lifecycle_widgets.server import AnyServer, Server

LEAST_INTERVAL_S = 0.5  # what faster readings would show is mostly their own cost
HISTORY_S = 900.0

_Self = TypeVar("_Self", bound="Monitor")


class Monitor:
    """Watches one server and the machine, from a thread of its own.

    It never makes a model stay: of the server it asks only GET /api/ps, now and then
    GET /api/version, and, once per model, POST /api/show (with GET /api/tags for a runner that is
    not listed), which reset no timer. To watch a server that something else may be watching
    already, use `Monitor.shared`.

    Parameters
    ----------
    server:
        The Ollama to watch: a Server, an address, or a Sandbox; without one, `Server.find` looks
        for it.
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
        self,
        server: AnyServer = None,
        *,
        interval_s: float = LEAST_INTERVAL_S,
        history_s: float = HISTORY_S,
    ) -> None:
        if not LEAST_INTERVAL_S <= interval_s < math.inf:
            raise ValueError(f"interval_s is {interval_s}; give {LEAST_INTERVAL_S} s or more.")
        if not interval_s <= history_s < math.inf:
            raise ValueError(f"history_s is {history_s}; give at least interval_s ({interval_s}).")
        self.server = Server.of(server)
        self._sampler = Sampler(self.server, interval_s, history_s)

    def __repr__(self) -> str:
        state = "running" if self.is_running else "stopped"
        return f"<{type(self).__name__} of {self.server.url}, {state}, {len(self.samples)} samples>"

    @classmethod
    def shared(cls, server: AnyServer = None) -> SharedMonitor:
        """The one running monitor of a server, shared by whatever shows it.

        It runs from the first lease to the release of the last.

        Parameters
        ----------
        server:
            As `Monitor` takes it. With the same address and the same way to it (headers,
            certificates) it is the same monitor.

        Examples
        --------
        >>> with Monitor.shared("192.0.2.1") as one, Monitor.shared("192.0.2.1") as other:
        ...     one.read() in other.samples
        True
        """
        return SharedMonitor(server)

    # --- starting and stopping -------------------------------------------------------------------

    def start(self: _Self) -> _Self:
        """Begin to sample; harmless when it does already. Returns itself."""
        self._sampler.start()
        return self

    def stop(self) -> None:
        """End the thread, and wait until it has ended. The samples stay. Harmless when stopped."""
        self._sampler.stop()

    def __enter__(self: _Self) -> _Self:
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
        return self._sampler.is_running

    # --- what it saw -----------------------------------------------------------------------------

    @property
    def interval_s(self) -> float:
        """Seconds from one sample to the next."""
        return self._sampler.interval_s

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples of the last ``history_s`` seconds, in order of time."""
        return self._sampler.samples

    @property
    def latest(self) -> Sample | None:
        """The last sample; None before the first."""
        return self._sampler.latest

    def read(self) -> Sample:
        """Take one sample now, without waiting for the next; it is kept as the others are."""
        return self._sampler.read()

    def residencies(self) -> tuple[Residency, ...]:
        """Which models were in memory, when, and why they left, as far as the samples reach.

        One for each runner that was seen; see `Residency`.
        """
        return self._sampler.stays.residencies()

    def loading(self) -> tuple[Loading, ...]:
        """The loads that go on; see `Loading`. Where runners cannot be seen, of our requests."""
        return loading(self.latest, self.residencies(), self.requests())

    def requests(self) -> tuple[Request, ...]:
        """Everyone's requests, as far as they can be known; see `Request`.

        Those that have ended in the last ``history_s`` seconds, in order of their ends, then
        those that go on.
        """
        return self._sampler.traffic.requests

    def requests_settled(self, position: int = 0) -> tuple[tuple[Request, ...], int]:
        """The requests that have become final since a position, for whoever keeps them.

        A request is final some seconds after its end, as the server's log may tell more of it; all
        that have ended are when the monitor is stopped. Each is given out once, in the order in
        which they became final, and does not change any more.

        Parameters
        ----------
        position:
            0 at first; then what this has returned the last time.

        Returns
        -------
        tuple
            The requests, and the position to ask from the next time.
        """
        return self._sampler.traffic.settled(position)

    def gaps(self) -> tuple[Gap, ...]:
        """For how long each model was asked for nothing, between one use and the next."""
        return gaps(self.requests())

    @property
    def traffic_told(self) -> tuple[str, ...]:
        """What `requests` rests on, and why another witness is not there, each in a sentence."""
        return self._sampler.traffic.told

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Have ``callback(sample)`` called for each sample, in a thread beside the monitor's.

        An exception in it is logged (logger ``lifecycle_widgets``) the first time. One that takes
        long disturbs neither the monitor nor, for more than some seconds, other listeners.

        Returns
        -------
        Callable
            Call it to listen no more.
        """
        return self._sampler.listen(callback)

    # --- what it costs ---------------------------------------------------------------------------

    @property
    def cost_s(self) -> float:
        """Seconds of CPU that a sample takes, on average, the first one and listeners left out."""
        return self._sampler.cost_s

    @property
    def wall_s(self) -> float:
        """Seconds on the clock that a sample takes, on average: CPU and waiting for the server."""
        return self._sampler.wall_s

    @property
    def overhead(self) -> float:
        """The part of one core that the monitor takes: 0.01 is 1 % of a core."""
        return self.cost_s / self.interval_s


class SharedMonitor(Monitor):
    """A lease on the one running monitor of a server: read it, and `release` it in the end.

    What is collected by Python unreleased is released, too. See `Monitor.shared`.
    """

    def __init__(self, server: AnyServer = None) -> None:
        self.server = Server.of(server)
        self._lease = Lease(self.server, LEAST_INTERVAL_S, HISTORY_S)
        self._lease.released_with(self)
        self._sampler = self._lease.sampler

    def start(self: _Self) -> _Self:
        """It runs already; after the release it stays as it was. Returns itself."""
        return self

    def stop(self) -> None:
        """The same as `release`: others may be watching still."""
        self.release()

    def release(self) -> None:
        """Watch no more: its listeners are told nothing, and the last one ends the thread.

        Harmless when done already.
        """
        self._lease.release()

    def listen(self, callback: Listener) -> Callable[[], None]:
        """As `Monitor.listen`; it ends with the release."""
        return self._lease.listen(callback)
