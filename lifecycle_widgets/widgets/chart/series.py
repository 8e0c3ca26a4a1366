"""From samples to columns of numbers: what the chart's lines are drawn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from lifecycle_widgets.monitor import Machine, Residency, Runner, Sample
from lifecycle_widgets.server import Resident

_MOVES_S = 0.1
_PAST = timedelta(minutes=1)
UNNAMED = "a runner, model not known"
"""Stands for a runner whose model was never seen in memory."""


def columns(samples: Sequence[Sample]) -> dict[str, list[float]]:
    """One number per sample for each line; NaN where nothing was measured or told.

    A model's memory is the RSS of its runners where these were seen, else what Ollama tells.

    Returns
    -------
    dict
        ``"ram"`` and ``"memory:<model>"`` in bytes, ``"cpu"`` as a fraction, and for each GPU
        ``"gpu:<index>"`` (a fraction), ``"vram:<index>"`` (bytes), ``"power:<index>"`` (watts) and
        ``"heat:<index>"`` (degrees Celsius) where it tells them. Of the machine ``"cache"`` and
        ``"swap"`` (bytes), ``"disk"`` (bytes read per second) and ``"pressure"`` (the share of
        time in which something waited for CPU, memory or disks), where they can be had.
    """
    made = {
        "ram": [_or_nan(s.ram_used_bytes) for s in samples],
        "cpu": [_or_nan(s.cpu_fraction) for s in samples],
    }
    for index in sorted({gpu.index for s in samples for gpu in s.gpus}):
        cards = [next((g for g in s.gpus if g.index == index), None) for s in samples]
        made[f"gpu:{index}"] = [_or_nan(c.utilization if c else None) for c in cards]
        made[f"vram:{index}"] = [_or_nan(c.memory_used_bytes if c else None) for c in cards]
        made[f"power:{index}"] = [_or_nan(c.power_w if c else None) for c in cards]
        made[f"heat:{index}"] = [_or_nan(c.temperature_c if c else None) for c in cards]
    made |= _machine(samples)
    held = _memory(samples)
    for model in dict.fromkeys(name for row in held for name in row or ()):
        made[f"memory:{model}"] = [math.nan if row is None else row.get(model, 0.0) for row in held]
    # what was never told is no line
    return {
        key: ys
        for key, ys in made.items()
        if key in ("ram", "cpu") or not all(math.isnan(y) for y in ys)
    }


def _machine(samples: Sequence[Sample]) -> dict[str, list[float]]:
    machines = [sample.machine for sample in samples]
    return {
        "cache": [_or_nan(m.page_cache_bytes) for m in machines],
        "swap": [_or_nan(m.swap_used_bytes) for m in machines],
        "disk": [_or_nan(m.disk_read_bytes_per_s) for m in machines],
        "pressure": [_pressure(m) for m in machines],
    }


def _pressure(machine: Machine) -> float:
    told = (machine.cpu_pressure, machine.memory_pressure, machine.io_pressure)
    return max((share for share in told if share is not None), default=math.nan)


def without_moving_deadlines(
    stays: Sequence[Residency], samples: Sequence[Sample]
) -> tuple[Residency, ...]:
    """The stays, with a deadline in the past for a model in its first use: like all in use.

    Until the first request after a load has ended there is no deadline, and Ollama shows one that
    moves along with the clock.
    """
    told = [s.residents for s in samples[-4:] if s.residents is not None][-2:]
    before, now = ([_deadlines(residents) for residents in told] + [{}, {}])[:2]
    moving = {m for m in now if m in before and (now[m] - before[m]).total_seconds() > _MOVES_S}
    return tuple(
        replace(stay, expires_at=stay.since - _PAST)
        if stay.until is None and stay.model in moving
        else stay
        for stay in stays
    )


def _deadlines(residents: Sequence[Resident]) -> dict[str, datetime]:
    return {r.name: r.expires_at for r in residents if r.expires_at is not None}


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _memory(samples: Sequence[Sample]) -> list[dict[str, float] | None]:
    """Per sample, the bytes that each model holds; None where that was neither seen nor told."""
    # a runner's model is often known only when it has loaded: name its earlier samples by it
    names = {r.pid: r.model for s in samples for r in s.runners or () if r.model is not None}
    return [
        _told_memory(sample) if sample.runners is None else _runner_memory(sample.runners, names)
        for sample in samples
    ]


def _runner_memory(runners: Sequence[Runner], names: dict[int, str]) -> dict[str, float]:
    row: dict[str, float] = {}
    for runner in runners:
        name = runner.model or names.get(runner.pid, UNNAMED)
        row[name] = row.get(name, 0.0) + runner.rss_bytes
    return row


def _told_memory(sample: Sample) -> dict[str, float] | None:
    if sample.residents is None:
        return None
    return {r.name: _or_nan(r.size_bytes) for r in sample.residents}
