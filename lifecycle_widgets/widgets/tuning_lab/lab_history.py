"""LabHistory: what a lab keeps of its server, and what was kept before."""

from __future__ import annotations

from lifecycle_widgets.history import History, HistoryError, Keeping, is_off
from lifecycle_widgets.monitor import Monitor


class LabHistory:
    """Keeps what the lab's monitor sees, until it is closed; what is wrong is said, never raised.

    Attributes
    ----------
    history:
        The person's; None where they want none, or it cannot be used.
    """

    def __init__(self) -> None:
        self.history: History | None = None
        self._keeping: Keeping | None = None
        self._fault = ""
        if is_off():
            return
        try:
            self.history = History()
        except HistoryError as fault:
            self._fault = str(fault)

    @property
    def told(self) -> str:
        """What is wrong with it now, in a sentence; empty: nothing."""
        keeping = self._keeping
        return self._fault or (keeping.told if keeping is not None else "") or ""

    def keep(self, monitor: Monitor) -> None:
        """Keep what this monitor sees from now on, instead of another one's."""
        self._stop()
        if self.history is None:
            return
        try:
            self._keeping = self.history.keep(monitor)
        except HistoryError as fault:
            self._fault = str(fault)

    def close(self) -> None:
        """Write what is left, and let go of the file."""
        self._stop()
        if self.history is not None:
            self.history.close()

    def _stop(self) -> None:
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.close()
