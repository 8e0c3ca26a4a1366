"""What models hold of memory over time: readings of a monitor into bytes, and GB-seconds.

A runner's resident set (RSS) is what it really takes. Where runners cannot be seen (the server is
on another machine), or the weights lie on a GPU, it is the size that /api/ps tells.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from lifecycle_widgets.monitor import Runner, Sample
from lifecycle_widgets.server import Resident, full_name

RSS = "RSS of the runners"
PS = "size in /api/ps"
PS_GPU = "size in /api/ps (the weights are on a GPU)"

Point = tuple[float, float]
"""A time in seconds and the bytes held then."""


def memory_source(samples: Sequence[Sample]) -> str:
    """Where the figures come from: ``RSS``, ``PS`` or ``PS_GPU``, one for all samples."""
    if any(r.size_vram_bytes for sample in samples for r in sample.residents or ()):
        return PS_GPU
    return RSS if all(sample.runners is not None for sample in samples) else PS


def held_bytes(
    runners: Collection[Runner] | None,
    residents: Collection[Resident] | None,
    models: Collection[str],
    source: str,
) -> int:
    """The bytes that these models hold; one still loading counts, other people's do not.

    Examples
    --------
    >>> held_bytes([Runner(1, 300, "a:latest"), Runner(2, 700, "b:1")], (), {"a:latest"}, RSS)
    300
    """
    if source == RSS:
        ours = (r for r in runners or () if r.model is None or full_name(r.model) in models)
        return sum(r.rss_bytes for r in ours)
    return sum(r.size_bytes for r in residents or () if full_name(r.name) in models)


def over_time(samples: Sequence[Sample], models: Collection[str], source: str) -> list[Point]:
    """The bytes held at each sample (one in which the server did not answer is left out)."""
    return [
        (s.t_s, float(held_bytes(s.runners, s.residents, models, source)))
        for s in samples
        if source == RSS or s.residents is not None
    ]


def gb_seconds(points: Sequence[Point], start_s: float, end_s: float) -> float:
    """The integral of the memory held from ``start_s`` to ``end_s``, in GB (1e9 bytes) x seconds.

    Straight lines between the points (trapezium rule); before the first point and after the last
    one the memory is taken to be theirs.

    Examples
    --------
    >>> gb_seconds([(0.0, 1e9), (10.0, 1e9), (10.5, 0.0)], 5.0, 20.0)
    5.25
    """
    if not points or end_s <= start_s:
        return 0.0
    inner = [(t, b) for t, b in points if start_s < t < end_s]
    line = [(start_s, _at(points, start_s)), *inner, (end_s, _at(points, end_s))]
    return sum((t1 - t0) * (b0 + b1) / 2 for (t0, b0), (t1, b1) in pairwise(line)) / 1e9


def _at(points: Sequence[Point], t_s: float) -> float:
    for (t0, b0), (t1, b1) in pairwise(points):
        if t0 <= t_s <= t1:
            return b0 + (b1 - b0) * (t_s - t0) / (t1 - t0) if t1 > t0 else b1
    return points[0][1] if t_s < points[0][0] else points[-1][1]
