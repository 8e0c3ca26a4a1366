"""One sampler per server, on lease: it runs from the first lease to the end of the last."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Hashable

from lifecycle_widgets.monitor.sampler import Sampler
from lifecycle_widgets.monitor.telling import Listener
from lifecycle_widgets.server import Server


class _Shared:
    """A sampler, and what its leases have."""

    def __init__(self, server: Server, interval_s: float, history_s: float) -> None:
        self.sampler = Sampler(server, interval_s, history_s, self.sweep)
        self.leases: dict[object, Server] = {}
        self.abandoned: deque[object] = deque()  # tickets of leases that Python has collected
        self.unlistens: dict[object, list[Callable[[], None]]] = {}

    def sweep(self) -> None:
        """End the leases that were abandoned (in the sampler's thread)."""
        while self.abandoned:
            _end(self, self.abandoned.popleft())


# Python collects at any time, and a chart that it collects ends its lease: also in here, in the
# thread that has the lock
_lock = threading.RLock()
_all: dict[Hashable, _Shared] = {}


class Lease:
    """A share in the sampler of a server.

    Parameters
    ----------
    server, interval_s, history_s:
        As `Sampler` takes them; the two times are those of the first lease.
    """

    def __init__(self, server: Server, interval_s: float, history_s: float) -> None:
        self._ticket = object()
        key, new = _key(server), _Shared(server, interval_s, history_s)  # a new one is cheap
        with _lock:
            shared = _all.setdefault(key, new)
            shared.leases[self._ticket] = server
            shared.unlistens[self._ticket] = []
        self._shared = shared
        shared.sampler.start()

    @property
    def sampler(self) -> Sampler:
        return self._shared.sampler

    def released_with(self, holder: object) -> None:
        """Be released when ``holder`` is collected, if it was not before.

        Python collects at any time, in any thread, whatever locks that holds: so the ticket is
        only put where the sampler's thread finds it.
        """
        finalizer = weakref.finalize(holder, self._shared.abandoned.append, self._ticket)
        finalizer.atexit = False  # the sampler ends by itself then

    def release(self) -> None:
        """End the lease; the sampler ends with the last. Harmless when done already."""
        _end(self._shared, self._ticket)

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Have samples told until the lease ends."""
        unlisten = self.sampler.listen(callback)
        with _lock:
            mine = self._shared.unlistens.get(self._ticket)
            if mine is not None:
                mine.append(unlisten)
        if mine is None:  # it has ended
            unlisten()
        return unlisten


def running(server: Server) -> Sampler | None:
    """The sampler of a server that somebody has on lease, to read from; None: nobody has."""
    with _lock:
        shared = _all.get(_key(server))
    return shared.sampler if shared is not None else None


def _key(server: Server) -> Hashable:
    """The same for servers that are reached at the same address in the same way."""
    door = server.door
    verify = door.verify if isinstance(door.verify, (bool, str)) else id(door.verify)
    return door.url, tuple(sorted(door.headers.items())), verify


def _end(shared: _Shared, ticket: object) -> None:
    with _lock:
        if shared.leases.pop(ticket, None) is None:
            return
        unlistens = shared.unlistens.pop(ticket)
        is_last = not shared.leases
        if is_last:
            for key in [key for key, one in _all.items() if one is shared]:
                del _all[key]
    for unlisten in unlistens:
        unlisten()
    if is_last:
        shared.sampler.stop()
