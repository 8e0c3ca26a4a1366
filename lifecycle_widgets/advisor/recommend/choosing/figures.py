"""figures_of: what one keep_alive would have come to over the gaps of a stream."""

from __future__ import annotations

import math

from lifecycle_widgets.advisor.recommend.values import Figures
from lifecycle_widgets.advisor.replay.one_ttl import one_ttl
from lifecycle_widgets.advisor.replay.profile import least
from lifecycle_widgets.advisor.workload.workload import Seconds

_HOUR_S = 3600.0


def figures_of(
    gaps_s: Seconds,
    ttl_s: float,
    t_star_s: float,
    *,
    hours: float,
    reload_s: float | None = None,
    held_bytes: float | None = None,
) -> Figures:
    """Count it.

    Parameters
    ----------
    gaps_s:
        The watched gaps, in seconds.
    ttl_s, t_star_s:
        The keep_alive (inf: forever) and T*, in seconds.
    hours:
        The hours of use that they are from (`hours_of_use`).
    reload_s, held_bytes:
        What a reload takes, in seconds, and the model in memory; None: not known.

    Examples
    --------
    >>> import numpy as np
    >>> gaps_s = np.array([10.0, 60.0, 300.0])
    >>> figures_of(gaps_s, 60.0, 30.0, hours=0.5, reload_s=2.0, held_bytes=1e9)
    Figures(cost=5.33..., cost_over_clairvoyant=2.28..., held_s=130.0, reloads=1, \
reloads_per_hour=2.0, waiting_s=2.0, gb_h=0.036...)
    """
    held_s, reloads = held = one_ttl(gaps_s, ttl_s)
    cost, best = held.cost(t_star_s), least(gaps_s, t_star_s)
    return Figures(
        cost=cost,
        cost_over_clairvoyant=cost / best if best else math.nan,
        held_s=held_s,
        reloads=reloads,
        reloads_per_hour=reloads / hours if hours else math.nan,
        waiting_s=None if reload_s is None else reloads * reload_s,
        gb_h=None if held_bytes is None else held_s / _HOUR_S * held_bytes / 1e9,
    )
