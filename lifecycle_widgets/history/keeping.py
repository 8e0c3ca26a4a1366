"""Keeping: somebody in this process wants a server's history written."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

from lifecycle_widgets.history.file.whose import name_of
from lifecycle_widgets.history.writing.keeper import Keeper
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.server import AnyServer

_keepers: dict[tuple[Path, str], Keeper] = {}
_lock = threading.RLock()  # a lab that Python collects closes its keeping: also in here


class Keeping:
    """Writes what a monitor sees, and what this process asks, into a history, until it is closed.

    Several of one server, in one process or in many, write each thing once. What goes wrong is
    said in ``told``, disturbs nobody, and is tried again.

    Parameters
    ----------
    path:
        The file.
    of:
        A running `Monitor`, which stays the caller's; or a server, which is watched until the end.

    Examples
    --------
    >>> with History().keep("localhost") as keeping:  # doctest: +SKIP
    ...     run_agent("Say hello.", model="smollm2:135m")
    """

    def __init__(self, path: Path, of: Monitor | AnyServer = None) -> None:
        self._own = None if isinstance(of, Monitor) else Monitor.shared(of)
        self._monitor = of if isinstance(of, Monitor) else self._own
        assert self._monitor is not None
        self._key = (path, name_of(self._monitor.server))
        with _lock:
            if self._key not in _keepers:
                _keepers[self._key] = Keeper(*self._key)
            self._keeper = _keepers[self._key]
            self._keeper.follow(self._monitor)
        self.is_open = True  #: False once it is closed

    def __repr__(self) -> str:
        return f"<Keeping of {self._key[1]}, {self.told or 'well'}>"

    @property
    def told(self) -> str | None:
        """What is wrong, in a sentence with what to do; None when nothing is."""
        return self._keeper.told

    def close(self) -> None:
        """Write what is left, and write no more. Harmless when done already."""
        if not self.is_open:
            return
        self.is_open = False
        with _lock:
            assert self._monitor is not None
            if self._keeper.leave(self._monitor):
                _keepers.pop(self._key, None)
        if self._own is not None:
            self._own.release()

    def __enter__(self) -> Keeping:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
