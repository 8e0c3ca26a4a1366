"""What the machine was like in a stretch of the past: one sample for each bin that was seen."""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Protocol

from lifecycle_widgets.history.file.rows import US, time_of
from lifecycle_widgets.monitor import Gpu, Machine, Runner, Sample

_MEANS = (
    "cpu",
    "cpu_of_others",
    "swapped_in",
    "disk_read",
    "cpu_pressure",
    "memory_pressure",
    "io_pressure",
)


class Bins(Protocol):
    """From when to when, in bins how wide; see `looking_back.Stretch`."""

    @property
    def start_us(self) -> int: ...
    @property
    def end_us(self) -> int: ...
    @property
    def step_us(self) -> int: ...
    @property
    def width_s(self) -> int: ...


def samples(connection: sqlite3.Connection, server: int, bins: Bins) -> Iterator[Sample]:
    """Those of the bins in which somebody watched, in order; each for the time up to the next."""
    width_us, step_us = bins.width_s * US, max(bins.step_us, bins.width_s * US)
    place = f"max(0, (bin * {width_us} - {bins.start_us}) / {step_us})"
    where = (
        f"server = {server} AND width = {bins.width_s} AND bin >= {bins.start_us // width_us} "
        f"AND bin < {-(-bins.end_us // width_us)}"
    )
    means = ", ".join(f"sum({n} * samples) / sum(({n} IS NOT NULL) * samples)" for n in _MEANS)
    found = connection.execute(
        f"""SELECT {place} AS place, max(ram_used), max(ram_total), max(page_cache),
            max(swap_used), max(swap_total), {means}
        FROM readings WHERE {where} GROUP BY place ORDER BY place"""
    ).fetchall()
    runners, gpus = _runners(connection, place, where), _gpus(connection, place, where)
    ago_s = time.time() - time.monotonic()
    for at, *told in found:
        at_us = bins.start_us + at * step_us
        yield _sample(at_us, at_us / US - ago_s, told, runners[at], gpus[at])


def _sample(
    at_us: int, t_s: float, told: list[Any], runners: list[Runner], gpus: list[Gpu]
) -> Sample:
    used, total, cache, swap, swap_total, cpu, others, swapped, disk, *pressures = told
    return Sample(
        at=time_of(at_us),
        t_s=t_s,
        ram_used_bytes=used,
        ram_total_bytes=total,
        cpu_fraction=cpu,
        runners=tuple(runners),
        gpus=tuple(gpus),
        residents=(),
        cpu_of_others=others,
        machine=Machine(cache, swap, swap_total, swapped, disk, *pressures),
    )


def _runners(connection: sqlite3.Connection, place: str, where: str) -> dict[int, list[Runner]]:
    """What each model had; one of which nobody told it has nothing to show."""
    found = connection.execute(
        f"""SELECT {place} AS place, model, (SELECT name FROM models WHERE id = model),
            max(bytes), max(vram_bytes)
        FROM memory WHERE {where} GROUP BY place, model"""
    )
    by_place = defaultdict[int, list[Runner]](list)
    for at, number, model, size, vram in found:
        by_place[at].append(Runner(-number, size or 0, model, vram_bytes=vram))
    return by_place


def _gpus(connection: sqlite3.Connection, place: str, where: str) -> dict[int, list[Gpu]]:
    found = connection.execute(
        f"""SELECT {place} AS place, card, max(name),
            sum(utilization * samples) / sum((utilization IS NOT NULL) * samples),
            max(memory_used), max(memory_total),
            sum(power * samples) / sum((power IS NOT NULL) * samples), max(temperature)
        FROM cards WHERE {where} GROUP BY place, card"""
    )
    names = dict(connection.execute("SELECT id, name FROM words").fetchall())
    by_place = defaultdict[int, list[Gpu]](list)
    for at, card, name, *told in found:
        by_place[at].append(Gpu(card, names.get(name, ""), *told))
    return by_place
