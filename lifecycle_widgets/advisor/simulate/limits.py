"""How many models a server should keep in memory at most: each limit, replayed and priced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_widgets.advisor.simulate.asked import Asked
from lifecycle_widgets.advisor.simulate.replay import KeepAlives, replay_server
from lifecycle_widgets.advisor.simulate.simulated import Simulated
from lifecycle_widgets.keep_alive import KeepAlive

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class AtLimit:
    """What one limit comes to.

    Parameters
    ----------
    limit:
        ``OLLAMA_MAX_LOADED_MODELS``.
    cost_s:
        What requests waited for a model to be in memory, and what the idle hours of models in
        memory were worth at the price, together in seconds of waiting.
    simulated:
        What the server would have done.
    """

    limit: int
    cost_s: float
    simulated: Simulated

    @property
    def waiting_s(self) -> float:
        """For how long requests waited for a model to be in memory."""
        return self.simulated.waiting_s

    @property
    def held_gb_s(self) -> float | None:
        """The memory given to models, in GB x seconds; None: not told."""
        return self.simulated.held_gb_s

    @property
    def evictions(self) -> int:
        """How often a model left for another."""
        return self.simulated.evictions


@dataclass(frozen=True)
class Limits:
    """Each limit from 1 to the number of models, in order."""

    rows: tuple[AtLimit, ...]

    @property
    def best(self) -> AtLimit:
        """The cheapest; of those that cost the same the smallest, which needs the least memory."""
        return min(self.rows, key=lambda row: (row.simulated.unanswered, row.cost_s, row.limit))

    def at(self, limit: int) -> AtLimit:
        """What a limit comes to; above the number of models the last."""
        return self.rows[min(limit, len(self.rows)) - 1]

    @property
    def frame(self) -> pd.DataFrame:
        """The table: a row for each limit."""
        import pandas as pd

        return pd.DataFrame(
            {
                "limit": row.limit,
                "cost_s": row.cost_s,
                "waiting_s": row.waiting_s,
                "held_gb_s": row.held_gb_s,
                "loads": len(row.simulated.loads),
                "evictions": row.evictions,
                "unanswered": row.simulated.unanswered,
            }
            for row in self.rows
        ).set_index("limit")


def best_limit(
    asked: Sequence[Asked],
    *,
    t_star_s: Mapping[str, float] | float,
    load_s: Mapping[str, float] | float,
    keep_alive: KeepAlives = None,
    default_keep_alive: KeepAlive | str | float = "5m",
    held_bytes: Mapping[str, float] | None = None,
    most_bytes: float | None = None,
    parallel: int = 1,
    weights: Mapping[str, str] | None = None,
    most: int | None = None,
) -> Limits:
    """What each ``OLLAMA_MAX_LOADED_MODELS`` would have cost, and which the least.

    Parameters
    ----------
    asked:
        The requests, in any order. See `asked_of` for those of a workload.
    t_star_s:
        The price: how many seconds of each model (or of all) idle in memory are worth a reload.
    most:
        The largest limit to look at: what memory there is may not be enough for all models. None:
        as many as there are models.
    load_s, keep_alive, default_keep_alive, held_bytes, most_bytes, parallel, weights:
        As in `replay_server`.

    Raises
    ------
    ValueError
        Where nothing was asked, for a T* of 0 or below, and what `replay_server` refuses.

    Examples
    --------
    Two models in turn, with a second in memory that is cheap, and one that is dear:

    >>> asked = [Asked("ab"[n % 2], 60.0 * n, 5.0) for n in range(6)]
    >>> cheap, dear = (best_limit(asked, t_star_s=t, load_s=2.0) for t in (600.0, 10.0))
    >>> cheap.best.limit, dear.best.limit
    (2, 1)
    """
    if not asked:
        raise ValueError("Nothing was asked, so no limit can be advised.")
    there_are = len({(weights or {}).get(one.model, one.model) for one in asked})
    rows = []
    for limit in range(1, 1 + min(there_are, there_are if most is None else max(1, most))):
        done = replay_server(
            asked,
            keep_alive=keep_alive,
            load_s=load_s,
            limit=limit,
            default_keep_alive=default_keep_alive,
            held_bytes=held_bytes,
            most_bytes=most_bytes,
            parallel=parallel,
            weights=weights,
        )
        rows.append(AtLimit(limit, _cost_s(done, t_star_s, load_s), done))
    return Limits(tuple(rows))


def _cost_s(
    done: Simulated, t_star_s: Mapping[str, float] | float, load_s: Mapping[str, float] | float
) -> float:
    """Waiting, and idle seconds at L / T* each."""
    cost_s = done.waiting_s
    for name, model in done.models.items():
        t_star = t_star_s[name] if isinstance(t_star_s, Mapping) else t_star_s
        if not t_star > 0:
            raise ValueError(f"T* of {name} is {t_star:g} s: it must be above 0.")
        reload_s = load_s[name] if isinstance(load_s, Mapping) else load_s
        cost_s += model.idle_s * reload_s / t_star
    return cost_s
