"""replay_policies: what each policy would have cost on a workload, knowing only what had been."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lifecycle_widgets.advisor.policies.catalogue import POLICIES
from lifecycle_widgets.advisor.policies.randomised import RATIO, RandomisedSkiRental
from lifecycle_widgets.advisor.replay.kernels.in_force import in_force
from lifecycle_widgets.advisor.workload.workload import Workload

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
    """

    name: str
    cost: float
    least: float
    held_s: float
    reloads: float
    gaps: int

    @property
    def over_clairvoyant(self) -> float:
        """The cost over the clairvoyant optimum; NaN where that is 0."""
        return self.cost / self.least if self.least else float("nan")

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
    return {name: _replay(name, workload, float(t_star_s)) for name in names}


def _replay(name: str, workload: Workload, t_star_s: float) -> PolicyCost:
    if name == RandomisedSkiRental.name:
        return _expected(workload, t_star_s)
    gaps_s, from_s, until_s = in_force(name, workload.streams, t_star_s)
    least = float(np.minimum(gaps_s / t_star_s, 1.0).sum())
    reloads = int(np.count_nonzero((gaps_s < from_s) | (gaps_s > until_s)))
    held_s = float(np.maximum(np.minimum(gaps_s, until_s) - from_s, 0.0).sum())
    return PolicyCost(name, held_s / t_star_s + reloads, least, held_s, reloads, len(gaps_s))


def _expected(workload: Workload, t_star_s: float) -> PolicyCost:
    """What the randomised policy comes to in expectation."""
    name = RandomisedSkiRental.name
    gaps = np.concatenate([np.zeros(0), *(one.gaps_s for one in workload.streams)]) / t_star_s
    least = float(np.minimum(gaps, 1.0).sum())
    reloads = float(np.expm1(np.minimum(gaps, 1.0)).sum() / (math.e - 1))
    cost = RATIO * least
    return PolicyCost(name, cost, least, (cost - reloads) * t_star_s, reloads, len(gaps))
