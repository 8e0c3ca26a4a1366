"""drawn_workload: a workload that is drawn at random, to try a policy on what is known of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lifecycle_widgets.advisor.workload.workload import Seconds, Stream, Workload

_Draw = Callable[[np.random.Generator, int], Seconds]

_LATER = 10.0  # how much longer the gaps are at the end of a drift, or after a change
_PAUSE = 30.0  # of on and off: how much longer a pause is than the gaps before it


def _lognormal(rng: np.random.Generator, gaps: int) -> Seconds:
    spread = 1.5
    return rng.lognormal(-(spread**2) / 2, spread, gaps)


def _on_off(rng: np.random.Generator, gaps: int) -> Seconds:
    return rng.exponential(np.where(rng.random(gaps) < 0.1, _PAUSE, 1.0))


def _drift(rng: np.random.Generator, gaps: int) -> Seconds:
    return rng.exponential(np.geomspace(1.0, _LATER, gaps))


def _change(rng: np.random.Generator, gaps: int) -> Seconds:
    return rng.exponential(np.where(np.arange(gaps) < gaps // 2, 1.0, _LATER))


def _mixture(rng: np.random.Generator, gaps: int) -> Seconds:
    scales: Seconds = np.array([0.1, 1.0, 10.0])[rng.integers(3, size=gaps)]
    return scales * rng.lognormal(0.0, 0.3, gaps)


KINDS: dict[str, _Draw] = {
    "poisson": lambda rng, gaps: rng.exponential(1.0, gaps),
    "lognormal": _lognormal,
    "pareto": lambda rng, gaps: rng.pareto(1.5, gaps),
    "periodic": lambda rng, gaps: rng.normal(1.0, 0.02, gaps).clip(0.5),
    "on and off": _on_off,
    "drift": _drift,
    "change": _change,
    "mixture": _mixture,
}
"""How gaps can be drawn, by name: as seconds around 1."""


def drawn_workload(
    kind: str = "poisson",
    *,
    gaps: int = 1000,
    mean_gap_s: float = 60.0,
    service_s: float = 5.0,
    streams: int = 1,
    seed: int = 0,
) -> Workload:
    """Requests with gaps drawn at random; the same for the same seed.

    Parameters
    ----------
    kind:
        One of `KINDS`: "poisson", "lognormal", "pareto", "periodic" (as a cron job), "on and off"
        (work with long pauses), "drift" (ever longer), "change" (of a sudden longer), "mixture" (of
        three scales).
    gaps:
        How many in each stream.
    mean_gap_s:
        Their mean over the whole workload, in seconds.
    service_s:
        How long each request takes, in seconds.
    streams:
        How many streams, each drawn by itself.
    seed:
        Of the random numbers.

    Raises
    ------
    ValueError
        For another kind, or a number that makes no gap.

    Examples
    --------
    >>> workload = drawn_workload("lognormal", gaps=100, mean_gap_s=90.0)
    >>> workload.gaps, round(float(workload.streams[0].gaps_s.mean()), 6)
    (100, 90.0)
    """
    if kind not in KINDS:
        raise ValueError(f"There is no kind {kind!r}; there are {', '.join(KINDS)}.")
    if gaps < 1 or streams < 1:
        raise ValueError("Give 1 or more gaps and streams: nothing is learned from none.")
    if not (0 < mean_gap_s < math.inf and 0 <= service_s < math.inf):
        raise ValueError("Give a mean_gap_s above 0 and a service_s of 0 or more, in seconds.")
    rng = np.random.default_rng(seed)
    drawn = [KINDS[kind](rng, gaps) for _ in range(streams)]
    scale_s = mean_gap_s / float(np.mean(drawn))
    return Workload(
        tuple(_stream(str(n), one * scale_s, service_s) for n, one in enumerate(drawn, start=1)),
        f"{kind} gaps, drawn with seed {seed}",
        ("drawn",),
    )


def _stream(name: str, gaps_s: Seconds, service_s: float) -> Stream:
    from_s = np.concatenate([[0.0], np.cumsum(gaps_s + service_s)])
    return Stream(name, from_s, from_s + service_s, np.ones(len(gaps_s), dtype=bool), len(from_s))
