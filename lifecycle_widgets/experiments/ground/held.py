"""What models hold of memory over time: readings of a monitor into bytes, and GB-seconds.

A runner's resident set (RSS) is what it really takes. Where runners cannot be seen, or the weights
lie on a GPU, it is the size that /api/ps tells. Where that is not told either, it is not known:
None, never 0.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from lifecycle_widgets.monitor import Runner, Sample
from lifecycle_widgets.server import Resident, full_name

RSS = "RSS of the runners"
PS = "size in /api/ps (the runners cannot be seen)"
PS_GPU = "size in /api/ps (the weights are on a GPU)"

Point = tuple[float, float]
"""A time in seconds and the bytes held then."""


def memory_source(samples: Sequence[Sample]) -> str:
    """Where the figures come from: ``RSS``, ``PS`` or ``PS_GPU``, one for all samples.

    The runners count when they were seen in most samples with a model in memory: of two Ollamas of
    another user it is known which one it is only when a model has been there for a moment.
    """
    listed = [r for sample in samples for r in sample.residents or ()]
    if any(r.size_vram_bytes for r in listed):
        return PS_GPU
    holding = [s.runners is not None for s in samples if s.residents or s.runners]
    seen = holding or [s.runners is not None for s in samples]
    is_told = any(r.size_bytes is not None for r in listed)
    if 2 * sum(seen) > len(seen) or (any(seen) and not is_told):
        return RSS
    return PS


def held_bytes(
    runners: Collection[Runner] | None,
    residents: Collection[Resident] | None,
    models: Collection[str],
    source: str,
) -> int | None:
    """The bytes that these models hold; one still loading counts, other people's do not.

    None when it is not told.

    Examples
    --------
    >>> held_bytes([Runner(1, 300, "a:latest"), Runner(2, 700, "b:1")], (), {"a:latest"}, RSS)
    300
    """
    if source == RSS and runners is not None:
        ours = (r for r in runners if r.model is None or full_name(r.model) in models)
        return sum(r.rss_bytes for r in ours)
    if residents is None:
        return None
    sizes = [r.size_bytes for r in residents if full_name(r.name) in models]
    if sizes and source == RSS:  # not by another measure
        return None
    told = [size for size in sizes if size is not None]
    return sum(told) if len(told) == len(sizes) else None


def over_time(samples: Sequence[Sample], models: Collection[str], source: str) -> list[Point]:
    """The bytes held at each sample; one that does not tell is left out.

    None at all for a server that lists these models without their sizes: 0 while they are not there
    would be all that is known.
    """
    listed = [r for s in samples for r in s.residents or () if full_name(r.name) in models]
    if source != RSS and any(r.size_bytes is None for r in listed):
        return []
    read = [(s.t_s, held_bytes(s.runners, s.residents, models, source)) for s in samples]
    return [(t_s, float(held)) for t_s, held in read if held is not None]


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
