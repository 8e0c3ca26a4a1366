"""From samples to columns of numbers: what the chart's lines are drawn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from lifecycle_widgets.monitor import Residency, Sample

_MOVES_S = 0.1
UNNAMED = "a runner, model not known"
"""Stands for a runner whose model was never seen in memory."""


def columns(samples: Sequence[Sample], *, is_local: bool) -> dict[str, list[float]]:
    """One number per sample for each line; NaN where nothing was measured.

    Parameters
    ----------
    is_local:
        True: a model's memory is the RSS of its runners. False (the runners are on another
        machine): the size that Ollama tells.

    Returns
    -------
    dict
        ``"ram"`` and ``"memory:<model>"`` in bytes, ``"cpu"`` as a fraction, and for each GPU
        ``"gpu:<index>"`` (a fraction) and ``"vram:<index>"`` (bytes).
    """
    made = {
        "ram": [float(s.ram_used_bytes) for s in samples],
        "cpu": [s.cpu_fraction for s in samples],
    }
    for index in sorted({gpu.index for s in samples for gpu in s.gpus}):
        cards = [next((g for g in s.gpus if g.index == index), None) for s in samples]
        made[f"gpu:{index}"] = [_or_nan(c.utilization if c else None) for c in cards]
        made[f"vram:{index}"] = [_or_nan(c.memory_used_bytes if c else None) for c in cards]
    held = _runner_memory(samples) if is_local else _told_memory(samples)
    for model in dict.fromkeys(name for row in held for name in row):
        made[f"memory:{model}"] = [row.get(model, 0.0) for row in held]
    return made


def without_moving_deadlines(
    stays: Sequence[Residency], samples: Sequence[Sample]
) -> tuple[Residency, ...]:
    """The stays, with no ``expires_at`` for a model in its first use.

    Until the first request after a load has ended there is no deadline, and Ollama shows one that
    moves along with the clock.
    """
    told = [s.residents for s in samples[-4:] if s.residents is not None][-2:]
    before, now = ([{r.name: r.expires_at for r in residents} for residents in told] + [{}, {}])[:2]
    moving = {m for m in now if m in before and (now[m] - before[m]).total_seconds() > _MOVES_S}
    return tuple(
        replace(stay, expires_at=None) if stay.until is None and stay.model in moving else stay
        for stay in stays
    )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _runner_memory(samples: Sequence[Sample]) -> list[dict[str, float]]:
    """Per sample, the bytes that the runners of each model hold."""
    # a runner's model is often known only when it has loaded: name its earlier samples by it
    names = {r.pid: r.model for s in samples for r in s.runners or () if r.model is not None}
    rows: list[dict[str, float]] = []
    for sample in samples:
        row: dict[str, float] = {}
        for runner in sample.runners or ():
            name = runner.model or names.get(runner.pid, UNNAMED)
            row[name] = row.get(name, 0.0) + runner.rss_bytes
        rows.append(row)
    return rows


def _told_memory(samples: Sequence[Sample]) -> list[dict[str, float]]:
    return [{r.name: float(r.size_bytes) for r in s.residents or ()} for s in samples]
