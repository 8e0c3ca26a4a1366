"""What a history is given, constructed: a monitor's face with chosen requests and stays."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lifecycle_widgets.monitor import Monitor, Request, Residency, Runner, Sample
from lifecycle_widgets.monitor.traffic import OTHERS
from lifecycle_widgets.server import Resident, Server

A, B = "a:latest", "b:latest"
SERVER = Server("192.0.2.1")
_numbers = itertools.count(1)


def at(ago_s: float) -> datetime:
    return datetime.now().astimezone() - timedelta(seconds=ago_s)


def request(ago_s: float, took_s: float | None = 0.5, model: str = A, **more: Any) -> Request:
    """One that has ended so long ago; another client's, seen by its deadline."""
    ended_s = time.monotonic() - ago_s
    plain = Request(
        model=model,
        began_at=None if took_s is None else at(ago_s + took_s),
        ended_at=at(ago_s),
        began_s=None if took_s is None else ended_s - took_s,
        ended_s=ended_s,
        whose=OTHERS,
        witnesses=("deadline",),
        begin_within_s=0.5,
        end_within_s=0.5,
        number=next(_numbers),
    )
    return replace(plain, **more)


def sample(ago_s: float, *models: str, **more: Any) -> Sample:
    """One in which these models were in memory."""
    plain = Sample(
        at=at(ago_s),
        t_s=time.monotonic() - ago_s,
        ram_used_bytes=3_000_000_000,
        ram_total_bytes=8_000_000_000,
        cpu_fraction=0.25,
        runners=tuple(Runner(7 + n, 200_000_000, model) for n, model in enumerate(models)),
        gpus=(),
        residents=tuple(Resident(model, 300_000_000, 0) for model in models),
    )
    return replace(plain, **more)


def stay(since_ago_s: float, until_ago_s: float | None, model: str = A, **more: Any) -> Residency:
    until = None if until_ago_s is None else at(until_ago_s)
    why = None if until is None else "expired"
    return replace(Residency(model, at(since_ago_s), until, why, None, False, requests=1), **more)


class Watching(Monitor):
    """The face of a monitor that a history reads, with what a test puts there."""

    def __init__(self, server: Server = SERVER) -> None:
        self.server = server
        self.taken: list[Sample] = []
        self.settled: list[Request] = []
        self.stays: tuple[Residency, ...] = ()
        self._ears: list[Callable[[Sample], None]] = []

    @property
    def interval_s(self) -> float:
        return 0.5

    @property
    def is_running(self) -> bool:
        return False

    @property
    def latest(self) -> Sample | None:
        return self.taken[-1] if self.taken else None

    @property
    def samples(self) -> tuple[Sample, ...]:
        return tuple(self.taken)

    def requests(self) -> tuple[Request, ...]:
        return tuple(self.settled)

    def requests_settled(self, position: int = 0) -> tuple[tuple[Request, ...], int]:
        return tuple(self.settled[position:]), len(self.settled)

    def residencies(self) -> tuple[Residency, ...]:
        return self.stays

    def listen(self, callback: Callable[[Sample], None]) -> Callable[[], None]:
        self._ears.append(callback)
        return lambda: self._ears.remove(callback) if callback in self._ears else None

    def see(self, *requests: Request, ago_s: float = 0.0) -> None:
        """Requests have settled, a sample comes, and it is time to write."""
        self.settled += requests
        self.taken.append(sample(ago_s, A))
        for ear in list(self._ears):
            ear(replace(self.taken[-1], t_s=time.monotonic() + 3600.0))


def rows(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()
