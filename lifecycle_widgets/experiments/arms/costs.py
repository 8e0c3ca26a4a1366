"""What the arms of one model cost at a price of memory, and which are the cheapest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lifecycle_widgets.experiments.break_even import checked_price
from lifecycle_widgets.experiments.statistics import quantiles

_EDGE_S = 0.5  # the monitor looks as often: a load or a leaving is known to so much


def arm_costs(
    waiting_s: NDArray[Any], table: pd.DataFrame, price_s_per_gb_min: float
) -> pd.DataFrame:
    """See `InARowResult.costs`, which this is.

    Parameters
    ----------
    waiting_s:
        One row per arm: `ArmsResult.waiting_draws`.
    table:
        The arms: ``loads``, ``gb_s``, ``peak_gb``.
    price_s_per_gb_min:
        One GB in memory for one minute, in seconds of waiting.
    """
    per_gb_s = checked_price(price_s_per_gb_min) / 60
    memory_s = per_gb_s * table["gb_s"].to_numpy()
    edge_s = per_gb_s * _EDGE_S * (table["peak_gb"] * table["loads"]).to_numpy()
    cost_s = waiting_s + memory_s[:, None]
    best = int(np.argmin(cost_s[:, 0]))
    low_s, high_s = quantiles(cost_s)
    # the same redrawn medians on both sides, as in `ArmsResult.extra_waiting_s`
    dearer_s = quantiles(cost_s - cost_s[best])[0] - edge_s - edge_s[best]
    is_best = dearer_s <= 0
    is_best[best] = True
    return pd.DataFrame(
        {
            "waiting_s": waiting_s[:, 0],
            "memory_s": memory_s,
            "cost_s": cost_s[:, 0],
            "low_s": low_s - edge_s,
            "high_s": high_s + edge_s,
            "is_best": is_best,
        },
        index=table.index,
    )
