"""replay_policies: what each policy would have cost on a workload, knowing only what had been."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.policies.catalogue import POLICIES
from lifecycle_widgets.advisor.policies.randomised import RATIO, RandomisedSkiRental
from lifecycle_widgets.advisor.replay.bootstrap import ratio_of_totals
from lifecycle_widgets.advisor.replay.kernels.in_force import in_force
from lifecycle_widgets.advisor.workload.groups import LEAST_GROUPS, groups_of
from lifecycle_widgets.advisor.workload.workload import Workload
from lifecycle_widgets.experiments.statistics import Interval

ALL: tuple[str, ...] = tuple(POLICIES)
"""The names of every policy, in the order of a table."""


@dataclass(frozen=True)
class PolicyCost:
    """What a policy comes to on a workload, all its streams together.

    Parameters
    ----------
    name:
        The policy's, as in `POLICIES`.
    cost:
        In reloads: the idle seconds held over T*, and the reloads.
    least:
        What the clairvoyant optimum costs on the same gaps, in reloads.
    held_s:
        For how long the models were idle in memory, in seconds.
    reloads:
        How often somebody waited for a load; of the randomised policy as many as expected.
    gaps:
        How many gaps there were.
    by_group:
        The cost and the least cost of each session or day, in reloads; none: not told apart.
    """

    name: str
    cost: float
    least: float
    held_s: float
    reloads: float
    gaps: int
    by_group: tuple[tuple[float, float], ...] = field(default=(), repr=False)

    @property
    def over_clairvoyant(self) -> float:
        """The cost over the clairvoyant optimum; NaN where that is 0."""
        return self.cost / self.least if self.least else float("nan")

    @property
    def interval(self) -> Interval:
        """`over_clairvoyant` with its interval: by the bootstrap over the streams, which are
        sessions, or, where they are few, over the days or sessions of each (`groups_of`).
        """
        if not self.by_group:
            return Interval(-math.inf, self.over_clairvoyant, math.inf, 0)
        costs, least = zip(*self.by_group, strict=True)
        return ratio_of_totals(costs, least)

    def waiting_s(self, reload_s: float) -> float:
        """How long people waited for reloads in all, if one takes that many seconds."""
        return self.reloads * reload_s


def replay_policies(
    workload: Workload, t_star_s: float, names: Sequence[str] = ALL
) -> dict[str, PolicyCost]:
    """Replay a workload by several policies; each knows only what had happened before.

    A policy that learns from the other streams knows of their gaps those that had ended, by the
    workload's clock, when a gap begins. Gaps that nobody watched cost and teach nothing.

    Parameters
    ----------
    workload:
        The streams; one policy serves each.
    t_star_s:
        T* in seconds.
    names:
        Of `POLICIES`.

    Returns
    -------
    dict
        By name, in that order. The randomised policy is there by its expectation.

    Raises
    ------
    KeyError
        A name that is not in `POLICIES`.

    Examples
    --------
    >>> import numpy as np
    >>> from lifecycle_widgets.advisor.workload.workload import Stream
    >>> stream = Stream("a", np.array([0.0, 60.0]), np.array([5.0, 70.0]), np.array([True]), 2)
    >>> costs = replay_policies(Workload((stream,), "an example"), 110.0, ["0", "break-even"])
    >>> [(name, one.over_clairvoyant) for name, one in costs.items()]
    [('0', 2.0), ('break-even', 1.0)]
    """
    unknown = [name for name in names if name not in POLICIES]
    if unknown:
        raise KeyError(f"There is no policy {unknown[0]!r}; there are {', '.join(POLICIES)}.")
    # a whole number would be another type, and compiled anew
    groups = _groups(workload)
    return {name: _replay(name, workload, float(t_star_s), groups) for name in names}


def _replay(
    name: str, workload: Workload, t_star_s: float, groups: npt.NDArray[np.int64]
) -> PolicyCost:
    if name == RandomisedSkiRental.name:
        gaps = workload.gaps_s / t_star_s
        least = np.minimum(gaps, 1.0)
        reloads = float(np.expm1(least).sum() / (math.e - 1))  # as many as are to be expected
        costs = RATIO * least
        held_s = (float(costs.sum()) - reloads) * t_star_s
    else:
        gaps_s, from_s, until_s = in_force(name, workload.streams, t_star_s)
        least = np.minimum(gaps_s / t_star_s, 1.0)
        reloaded = (gaps_s < from_s) | (gaps_s > until_s)
        reloads = int(np.count_nonzero(reloaded))
        held = np.maximum(np.minimum(gaps_s, until_s) - from_s, 0.0)
        held_s, costs = float(held.sum()), held / t_star_s + reloaded
    by_group = np.column_stack([np.add.reduceat(one, groups) for one in (costs, least)]).tolist()
    return PolicyCost(
        name,
        held_s / t_star_s + reloads,
        float(least.sum()),
        held_s,
        reloads,
        len(least),
        tuple(map(tuple, by_group)),
    )


def _groups(workload: Workload) -> npt.NDArray[np.int64]:
    """Where each group begins among all gaps, one stream's after the other's."""
    sizes = [len(one.gaps_s) for one in workload.streams if len(one.gaps_s)]
    if len(sizes) < LEAST_GROUPS:
        groups = (groups_of(one, workload.origin_s)[0] for one in workload.streams)
        sizes = [len(part) for parts in groups for part in parts]
    return np.cumsum([0, *sizes[:-1]], dtype=np.int64)[: len(sizes)]
