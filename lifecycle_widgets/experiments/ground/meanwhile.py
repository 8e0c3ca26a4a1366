"""What else the machine did while an experiment ran: other work makes times longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from statistics import median
from types import TracebackType
from typing import Any

from lifecycle_widgets.monitor import Monitor, Sample
from lifecycle_widgets.server import Server

MUCH = 0.1  # of the CPU: what a desktop does anyway is less
_MOST = 0.95  # and of what is left nobody could measure anything


class Meanwhile:
    """Watches a server and the machine while an experiment runs, with what watches them already.

    Parameters
    ----------
    server:
        The one that is measured. Private ones are ours, and so no other work.

    Examples
    --------
    >>> with Meanwhile(Server("192.0.2.1")) as meanwhile:  # an address that is kept for examples
    ...     pass
    >>> meanwhile.facts()["cpu_of_others"] is None
    True
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._samples: list[Sample] = []
        self._pauses: list[tuple[float, float]] = []
        self._interval_s = 0.0
        self._release: Callable[[], None] = lambda: None

    def __enter__(self) -> Meanwhile:
        monitor = Monitor.shared(self._server)
        self._interval_s, self._release = monitor.interval_s, monitor.release
        monitor.listen(self._samples.append)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()

    def paused(self, since_s: float) -> None:
        """Nothing was measured from then (``time.monotonic()``) until now."""
        now_s = time.monotonic()
        if now_s > since_s + self._interval_s:
            self._pauses.append((since_s, now_s))

    def facts(self) -> dict[str, Any]:
        """What others did in the time in which something was measured: see `meanwhile_facts`."""
        return meanwhile_facts([*self._samples], self._pauses, self._interval_s)


def meanwhile_facts(
    samples: Iterable[Sample], pauses: Collection[tuple[float, float]] = (), interval_s: float = 0.5
) -> dict[str, Any]:
    """What others did, as plain JSON values.

    ``cpu_of_others``: their share of the CPU, 0 to 1, the median of the samples;
    ``others_peak``: the largest; ``disk_of_others_bytes_per_s`` and ``ram_of_others_bytes``:
    medians; ``samples``: how many there were. None where it is not told, and ``why_not_told`` says
    why the CPU's is not.

    Parameters
    ----------
    samples:
        Of a monitor, one each ``interval_s`` seconds: each is about the time since the last one.
    pauses:
        From when to when nothing was measured (``time.monotonic()``): that does not count.
    """
    counted = [
        sample
        for sample in samples
        if not any(since + interval_s <= sample.t_s <= to for since, to in pauses)
    ]
    cpu = [s.cpu_of_others for s in counted if s.cpu_of_others is not None]
    return {
        "cpu_of_others": round(median(cpu), 3) if cpu else None,
        "others_peak": round(max(cpu), 3) if cpu else None,
        "disk_of_others_bytes_per_s": _median(s.disk_of_others_bytes_per_s for s in counted),
        "ram_of_others_bytes": _median(s.ram_of_others_bytes for s in counted),
        "samples": len(cpu),
        "why_not_told": None if cpu else _why_not(counted),
    }


def much(share: float | None) -> float:
    """The share that others took, where that is worth a word; else 0, also when it is not told.

    Examples
    --------
    >>> much(0.48), much(0.04), much(None)
    (0.48, 0.0, 0.0)
    """
    return min(share, _MOST) if share is not None and share > MUCH else 0.0


def beside_sentence(share: float | None) -> str:
    """What a verdict says of work that ran beside it; empty where there was little.

    Examples
    --------
    >>> beside_sentence(0.48)[:71]
    ' Other work took 48 % of the CPU meanwhile (as the monitor saw it), so '
    >>> beside_sentence(0.04)
    ''
    """
    if not (taken := much(share)):
        return ""
    return (
        f" Other work took {taken:.0%} of the CPU meanwhile (as the monitor saw it), so times may "
        f"be up to {1 / (1 - taken):.1f} times too long; intervals are widened downward for that."
    ).replace("%", " %", 1)


def _median(values: Iterable[float | None]) -> int | None:
    told = [value for value in values if value is not None]
    return round(median(told)) if told else None


def _why_not(samples: Iterable[Sample]) -> str:
    whys = [why for s in samples for why in (s.unseen, *s.faults) if why]
    return whys[-1] if whys else "It was over before two looks at the machine could be taken."
