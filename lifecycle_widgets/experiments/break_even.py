"""The break-even gap T*: when holding a model in memory costs as much as loading it again.

Keeping a model is renting, letting it go is buying (a reload): the ski-rental problem. A pause
shorter than T* is cheaper with the model held, a longer one with the model gone; who must decide
before knowing how long the pause will be and lets go after T* never pays more than twice the best,
and no fixed rule does better in the worst case. Sources: Karlin, Li, Manasse and Owicki, "Empirical
studies of competitive spinning for a shared-memory multiprocessor", SOSP 1991; Albers, "Energy-
efficient algorithms", CACM 53(5), 2010; for databases in memory Lipcon and Purohit, CIDR 2025.

Values only: nothing here asks a server.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lifecycle_widgets.experiments.statistics import Interval, difference_interval


def break_even_s(reload_s: float, held_bytes: float, price_s_per_gb_s: float) -> float:
    """T* = L / c, with c = memory held x price of a gigabyte-second.

    Parameters
    ----------
    reload_s:
        L: how much longer a cold request waits than a warm one with the same history, in seconds:
        the load, and the prompt that has to be read again (unloading throws the prompt cache away).
    held_bytes:
        The memory that the resident model takes.
    price_s_per_gb_s:
        What one GB (1e9 bytes) in memory for one second is worth, in seconds of waiting.

    Returns
    -------
    float
        Seconds; ``math.inf`` when holding costs nothing.

    Raises
    ------
    ValueError
        For a value below 0.

    Examples
    --------
    A model of 0.5 GB that loads in 2 s, at one second of waiting for a GB-minute:

    >>> break_even_s(2.0, 0.5e9, 1 / 60)
    240.0
    """
    if min(reload_s, held_bytes, price_s_per_gb_s) < 0:
        raise ValueError("A time, a size and a price cannot be below 0.")
    cost_per_s = held_bytes / 1e9 * price_s_per_gb_s
    return reload_s / cost_per_s if cost_per_s else math.inf


def cost(gap_s: float, ttl_s: float, t_star_s: float) -> float:
    """What one pause costs, in reloads: min(g, T) / T* held, and one reload if g > T.

    Parameters
    ----------
    gap_s:
        g, the pause, in seconds.
    ttl_s:
        T, the keep_alive in force, in seconds (``math.inf``: forever).
    t_star_s:
        T*, the break-even, in seconds.

    Examples
    --------
    A pause of 60 s, T* = 30 s: kept for 5 minutes it costs two reloads, let go at once it costs
    one, and let go after T* it costs two: never more than twice the best.

    >>> [cost(60, ttl_s, 30) for ttl_s in (300, 0, 30)]
    [2.0, 1.0, 2.0]
    """
    held = min(gap_s, ttl_s) / t_star_s if t_star_s else math.inf if min(gap_s, ttl_s) else 0.0
    return held + (1.0 if gap_s > ttl_s else 0.0)


def reload_interval(cold_ttft_s: Sequence[float], warm_ttft_s: Sequence[float]) -> Interval:
    """L: the median time to first token when the model has to be loaded, less the median warm one.

    Both of requests with the same history, so that the difference is all that a reload costs: the
    load, and the prompt read again.

    With its interval (`difference_interval`).

    Raises
    ------
    ValueError
        When one of them is empty.

    Examples
    --------
    >>> reload_interval([1.5, 1.5, 1.5], [0.5, 0.5])
    Interval(low=1.0, median=1.0, high=1.0, n=2)
    """
    if not cold_ttft_s or not warm_ttft_s:
        lacking = "found the model in memory" if cold_ttft_s else "had to load the model"
        raise ValueError(f"No call {lacking}, so what a load costs is not known.")
    return difference_interval(cold_ttft_s, warm_ttft_s)


def break_even_interval(
    reload_s: Interval, held_bytes: float, price_s_per_gb_min: float
) -> Interval:
    """T* for an interval of L, at a price in seconds of waiting for one GB held for one minute.

    Examples
    --------
    >>> break_even_interval(Interval(1.0, 2.0, 3.0, 5), 0.5e9, 1.0)
    Interval(low=120.0, median=240.0, high=360.0, n=5)
    """
    per_s = price_s_per_gb_min / 60
    low, median, high = (
        break_even_s(max(0.0, s), held_bytes, per_s)
        for s in (reload_s.low, reload_s.median, reload_s.high)
    )
    return Interval(low, median, high, reload_s.n)


def break_even_beside(reload_s: Interval, slowdown: float) -> Interval:
    """T* while a downstream task runs that the resident model slows down ``slowdown`` times.

    In each second that the model is there such a task loses c = 1 - 1/s seconds of its work, so
    T* = L / c, whatever the model's size (`Downstream` measures s).

    Raises
    ------
    ValueError
        For a slowdown below 1.

    Examples
    --------
    From 65 s to 300 s, as in griptape's issue 1379: a reload of 5 s is worth 6.4 s of holding.

    >>> round(break_even_beside(Interval(5.0, 5.0, 5.0, 3), 300 / 65).median, 1)
    6.4
    """
    if not 1 <= slowdown < math.inf:
        raise ValueError(f"slowdown is {slowdown}; give 1 (none) or more.")
    lost = 1 - 1 / slowdown
    low, median, high = (
        max(0.0, s) / lost if lost else math.inf
        for s in (reload_s.low, reload_s.median, reload_s.high)
    )
    return Interval(low, median, high, reload_s.n)


def checked_price(price_s_per_gb_min: float | None) -> float:
    """The price as a float. Raises ValueError without one, for one below 0, or not finite."""
    if price_s_per_gb_min is None:
        raise ValueError(
            "What is a GB in memory for a minute worth to you, in seconds of waiting? Give it as "
            "price_s_per_gb_min (lesson 1 measures it)."
        )
    if not 0 <= price_s_per_gb_min < float("inf"):
        raise ValueError(
            f"The price is {price_s_per_gb_min}; give seconds of waiting per GB-minute, 0 or more."
        )
    return float(price_s_per_gb_min)
