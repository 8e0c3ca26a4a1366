"""what_if: what each TTL would have come to over a recorded workload, as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.replay.bootstrap import FEWEST, totals
from lifecycle_widgets.advisor.replay.grid import grid
from lifecycle_widgets.advisor.replay.profile import Profile, profile
from lifecycle_widgets.advisor.workload.workload import Seconds, Stream, Workload
from lifecycle_widgets.experiments.statistics import quantiles

if TYPE_CHECKING:
    import pandas as pd

_HOUR_S = 3600.0
_GB = 1e9


def what_if(
    of: Stream | Workload | Profile,
    t_star_s: float,
    ttls_s: npt.ArrayLike | None = None,
    *,
    hours: float | None = None,
    reload_s: float | None = None,
    held_bytes: float | None = None,
    groups: Sequence[npt.ArrayLike] | None = None,
) -> pd.DataFrame:
    """What each TTL would have come to: the first load and the time after the last are left out.

    Parameters
    ----------
    of:
        A stream, all of a workload's together, or a profile (of T* too).
    t_star_s:
        T* in seconds.
    ttls_s:
        The TTLs in seconds, in any order; inf: for ever. None: `grid`, and for ever; of a profile
        its own.
    hours:
        Over how many hours, for reloads per hour. None: those that were watched, of all streams; of
        a profile they are not known.
    reload_s, held_bytes:
        How long a reload takes, and how much the model holds. None: not known.
    groups:
        The same gaps in seconds by days or by sessions: between what ``over_clairvoyant`` lies is
        then said too (``over_low``, ``over_high``), by the bootstrap, as `saving` does.

    Returns
    -------
    pandas.DataFrame
        A row per TTL (``ttl_s``, ascending): ``cost`` in reloads, ``over_clairvoyant`` (cost by the
        least there is), ``reloads``, ``reloads_per_hour``, ``waiting_s`` (for all reloads),
        ``held_h`` (hours in memory without work) and ``gb_h``. What is not known is NaN.

    Examples
    --------
    >>> at = np.array([0.0, 60.0, 400.0])
    >>> chat = Stream("chat", at, at + 10, np.full(2, True), 3)
    >>> table = what_if(chat, 120.0, [0, 120, math.inf], reload_s=5, held_bytes=2e9)
    >>> table[["ttl_s", "cost", "reloads", "waiting_s"]].values.tolist()
    [[0.0, 2.0, 2.0, 10.0], [120.0, 2.41..., 1.0, 5.0], [inf, 3.16..., 0.0, 0.0]]
    """
    import pandas as pd

    one, ttls = _profile(of, t_star_s, ttls_s)
    held = [one.at(ttl_s) for ttl_s in ttls]
    held_h = np.array([each.held_s for each in held]) / _HOUR_S
    reloads = np.array([each.reloads for each in held], dtype=np.int64)
    cost = np.array([each.cost(t_star_s) for each in held])
    known = hours_watched(of) if hours is None else hours
    low, high = _ends(groups, ttls, t_star_s)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {
            "ttl_s": ttls,
            "cost": cost,
            "over_clairvoyant": cost / one.least(t_star_s),
            "over_low": low,
            "over_high": high,
            "reloads": reloads,
            "reloads_per_hour": reloads / np.float64(known),
            "waiting_s": reloads * (math.nan if reload_s is None else reload_s),
            "held_h": held_h,
            "gb_h": held_h * (math.nan if held_bytes is None else held_bytes / _GB),
        }
    return pd.DataFrame(columns)


def _profile(
    of: Stream | Workload | Profile, t_star_s: float, ttls_s: npt.ArrayLike | None
) -> tuple[Profile, Seconds]:
    if isinstance(of, Profile):
        ttls = of.ttls_s if ttls_s is None else np.unique(np.asarray(ttls_s, dtype=np.float64))
        return of, ttls
    ttls = np.append(grid(t_star_s), math.inf) if ttls_s is None else np.asarray(ttls_s, float)
    return profile(of.gaps_s, np.union1d(ttls, [t_star_s])), np.unique(ttls)


def _ends(
    groups: Sequence[npt.ArrayLike] | None, ttls: Seconds, t_star_s: float
) -> tuple[Seconds, Seconds]:
    """Between what cost over clairvoyant lies for each TTL; NaN where that is not known."""
    ends = np.full((2, len(ttls)), math.nan)
    if groups is not None and len(groups) >= FEWEST:
        grown = np.union1d(ttls, [t_star_s])
        profiles = [profile(gaps, grown) for gaps in groups]
        costs = np.array([[*one.cost(t_star_s), one.least(t_star_s)] for one in profiles])
        drawn = totals(costs)[1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = drawn[:, :-1] / drawn[:, -1:]
        ends = quantiles(ratios.T)[:, np.isin(grown, ttls)]
    return ends[0], ends[1]


def hours_watched(of: Stream | Workload | Profile) -> float:
    """For how many hours somebody watched, of all streams together; NaN of a profile."""
    if isinstance(of, Profile):
        return math.nan
    streams = of.streams if isinstance(of, Workload) else (of,)
    return sum(s.span_s - float(s.all_gaps_s[~s.watched].sum()) for s in streams) / _HOUR_S
