"""Constructed samples, for what can be seen of models that come and go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from lifecycle_widgets.monitor import OURS, Gpu, Request, Residency, Runner, Sample, residencies
from lifecycle_widgets.server import Resident

START = datetime(2026, 1, 1, 12, 0, tzinfo=timezone.utc)
A, B, C = "a:latest", "b:latest", "c:latest"
FOREVER_S = 290 * 365 * 86400.0
GPU = Gpu(0, "a card", 0.5, 1, 2)


def at(t_s: float) -> datetime:
    return START + timedelta(seconds=t_s)


def sample(
    t_s: float,
    listed: Mapping[str, float] | None,
    runners: Mapping[int, str | None] | None = None,
    *,
    num_ctx: int = 4096,
    **more: Any,
) -> Sample:
    """A sample at ``t_s``: models with their deadlines (seconds on the same clock), and runners.

    ``more`` is any other field of a sample.
    """
    held = None if runners is None else tuple(_runner(pid, m) for pid, m in runners.items())
    told = None if listed is None else tuple(_resident(m, s, num_ctx) for m, s in listed.items())
    plain = Sample(
        at=at(t_s),
        t_s=t_s,
        ram_used_bytes=1_000_000_000,
        ram_total_bytes=8_000_000_000,
        cpu_fraction=0.1,
        runners=held,
        gpus=(),
        residents=told,
        error="No Ollama answers" if listed is None else None,
    )
    return replace(plain, **more)


def _runner(pid: int, model: str | None) -> Runner:
    return Runner(pid, 1000, model, weights=model and f"weights of {model}")


def _resident(model: str, deadline_s: float, num_ctx: int) -> Resident:
    return Resident(model, 1000, 0, at(deadline_s), num_ctx, f"manifest of {model}")


def request(
    model: str, began_s: float | None, ended_s: float | None, whose: str = OURS, **more: Any
) -> Request:
    """A request from ``began_s`` to ``ended_s`` (None: not told; it goes on)."""
    began, ended_ = (None if t_s is None else at(t_s) for t_s in (began_s, ended_s))
    return Request(model, began, ended_, began_s, ended_s, whose, **more)


def untold(t_s: float, *names: str, deadline: datetime | None = None) -> Sample:
    """A sample of a server that does not tell its deadlines, nor anything else."""
    residents = tuple(Resident(name, None, expires_at=deadline) for name in names)
    return replace(sample(t_s, {}), residents=residents)


def only(*samples: Sample, **events: list[tuple[str, float]]) -> Residency:
    found = residencies(samples, **events)
    assert len(found) == 1, found
    return found[0]


def when_and_why(stay: Residency) -> Residency:
    """It without what is told of its size, its use and its load."""
    return replace(
        stay,
        **dict.fromkeys(("size_bytes", "vram_bytes", "loaded_by", "touched_by", "keep_alive_s")),
        **dict.fromkeys(("load_s", "overdue_s")),
        why_resident="",
    )


def ended(stay: Residency) -> tuple[float, str | None]:
    assert stay.until is not None
    return (stay.until - START).total_seconds(), stay.why
