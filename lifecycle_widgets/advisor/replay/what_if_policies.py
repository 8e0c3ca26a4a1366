"""what_if_policies: what each policy would have come to over a recorded workload, as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lifecycle_widgets.advisor.replay.hindsight import best_in_hindsight
from lifecycle_widgets.advisor.replay.online import ALL, replay_policies
from lifecycle_widgets.advisor.replay.what_if import hours_watched
from lifecycle_widgets.advisor.workload.workload import Workload

if TYPE_CHECKING:
    import pandas as pd

_HOUR_S = 3600.0
_GB = 1e9


def what_if_policies(
    workload: Workload,
    t_star_s: float,
    names: Sequence[str] = ALL,
    *,
    reload_s: float | None = None,
    held_bytes: float | None = None,
) -> pd.DataFrame:
    """What each policy would have come to, as `what_if` has it of each TTL.

    Parameters
    ----------
    workload:
        The streams; a policy serves each, and knows only what had already happened.
    t_star_s:
        T* in seconds.
    names:
        Of the policies. The best single TTL, which only hindsight knows, is added.
    reload_s, held_bytes:
        How long a reload takes, and how much the model holds. None: not known.

    Returns
    -------
    pandas.DataFrame
        A row per policy (the index): ``cost`` in reloads, ``over_clairvoyant`` and between what it
        lies (``over_low``, ``over_high``: see `PolicyCost.interval`), ``reloads``,
        ``reloads_per_hour`` (of those that were watched), ``waiting_s``, ``held_h``, ``gb_h``.
        What is not known is NaN.

    Raises
    ------
    KeyError
        For a policy that there is not.

    Examples
    --------
    >>> from lifecycle_widgets.advisor.workload.drawn import drawn_workload
    >>> table = what_if_policies(drawn_workload(gaps=50), 60.0, ["5m", "advice"], reload_s=4)
    >>> table.index.tolist()
    ['5m', 'advice', 'best single TTL in hindsight']
    >>> bool(table["over_low"]["advice"] < table["over_clairvoyant"]["advice"])
    True
    """
    import pandas as pd

    found = [*replay_policies(workload, t_star_s, names).values()]
    found.append(best_in_hindsight(workload, t_star_s))
    hours = hours_watched(workload)
    rows = {
        one.name: {
            "cost": one.cost,
            "over_clairvoyant": one.over_clairvoyant,
            "over_low": one.interval.low if one.interval.has_ends else math.nan,
            "over_high": one.interval.high if one.interval.has_ends else math.nan,
            "reloads": float(one.reloads),
            "reloads_per_hour": one.reloads / hours if hours else math.nan,
            "waiting_s": math.nan if reload_s is None else one.waiting_s(reload_s),
            "held_h": one.held_s / _HOUR_S,
            "gb_h": math.nan if held_bytes is None else one.held_s / _HOUR_S * held_bytes / _GB,
        }
        for one in found
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("policy")
