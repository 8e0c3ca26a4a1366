"""Which columns of a file say when a request began, how long it took, and of which stream it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.times import moment, number, shown

STREAM = ("stream", "model", "session")
START = ("start_s", "began_at", "started_at", "start", "start_time", "timestamp", "time")
END = ("ended_at", "end_s", "created_at")
SERVICE = {
    "service_s": 1.0,
    "duration_s": 1.0,
    "total_s": 1.0,
    "duration_ms": 1e-3,
    "total_duration": 1e-9,
}
"""Each with its unit in seconds; the last is how Ollama answers, with `created_at`, its end."""
KIND, SERVER = "kind", "server"
_NO_WORK = ("touch", "unload")
WANTED = "stream,start_s,service_s"


@dataclass(frozen=True)
class Columns:
    """What of a file is read; None: it has no such column."""

    stream: str | None
    start: str | None
    end: str | None
    service: str | None
    unit_s: float = 1.0
    kind: str | None = None
    server: str | None = None

    @property
    def is_in_order(self) -> bool:
        """Whether rows are in the order of beginnings: what has ends is kept in theirs."""
        return self.end is None

    @property
    def is_plain(self) -> bool:
        """Whether it has nothing but a trace's three columns, in seconds."""
        return (self.end, self.kind, self.server) == (None,) * 3 and self.unit_s == 1

    @property
    def names(self) -> list[str]:
        """All that is read."""
        every = (self.stream, self.start, self.end, self.service, self.kind, self.server)
        return [name for name in every if name is not None]

    @property
    def time(self) -> str:
        """The column that the order is told by."""
        return self.start or self.end or "start_s"

    @property
    def duration(self) -> str:
        """What a duration is called: it may be from a beginning to an end."""
        return self.service or "its duration"

    def request(self, get: Callable[[str], Any]) -> tuple[str | None, float, float, bool | None]:
        """One row: its stream, its beginning and its duration in seconds, and `moment`'s zone.

        Parameters
        ----------
        get:
            What the row has in a column.

        Raises
        ------
        WorkloadError
        """
        name = None if self.stream is None else _name(get(self.stream), self.stream)
        took = None if self.service is None else get(self.service)
        start = None if self.start is None else get(self.start)
        end = None if self.end is None else get(self.end)
        if end is None or (_is_none(end) and not _is_none(start)):
            took_s = 0.0 if self.service is None else self._took_s(took)
            start_s, has_zone = moment(start, self.time)
            return name, start_s, took_s, has_zone
        end_s, has_zone = moment(end, self.time if self.end is None else self.end)
        if not _is_none(took):
            took_s = self._took_s(took)
        elif not _is_none(start):
            took_s = end_s - moment(start, self.time)[0]
        else:
            took_s = 0.0  # its beginning is not told: a gap lasts to its end, at most
        return name, end_s - took_s, took_s, has_zone

    def _took_s(self, value: Any) -> float:
        return number(value, self.duration) * self.unit_s

    def is_work(self, get: Callable[[str], Any]) -> bool:
        """Whether the row is a request: a renewal or an unloading is none."""
        return self.kind is None or get(self.kind) not in _NO_WORK


def columns(names: Sequence[str]) -> Columns:
    """What of these columns is read.

    Raises
    ------
    WorkloadError
        Where the beginning cannot be had from them, or one is there twice.

    Examples
    --------
    >>> found = columns(["stream", "start_s", "service_s"])
    >>> found.stream, found.start, found.service
    ('stream', 'start_s', 'service_s')
    """
    plain = [name.strip().lower() for name in names]
    for name in (*STREAM, *START, *END, *SERVICE):
        if plain.count(name) > 1:
            raise WorkloadError(f"the column {name} is there twice.")
    if "gap_s" in plain:
        raise WorkloadError("these are gaps, not requests. Export the history's requests.")
    of = dict(zip(plain, names, strict=True))

    def first(wanted: Sequence[str]) -> str | None:
        return next((of[name] for name in wanted if name in of), None)

    start, end, service = first(START), first(END), first(tuple(SERVICE))
    if start is None and (end is None or service is None):
        has = shown(",".join(names)) if any(plain) else "nothing"
        raise WorkloadError(f"the column start_s is missing. A trace has {WANTED}; this has {has}.")
    unit_s = SERVICE[service.strip().lower()] if service else 1.0
    return Columns(first(STREAM), start, end, service, unit_s, first((KIND,)), first((SERVER,)))


def _name(value: Any, column: str) -> str:
    if isinstance(value, (dict, list)):
        raise WorkloadError(f"{column} is {shown(value)}, which is no name.")
    return "" if value is None else str(value)


def _is_none(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
