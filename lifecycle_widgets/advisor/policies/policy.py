"""Policy: what every rule for a keep_alive has in common, and what a gap costs."""

from __future__ import annotations

from typing import Protocol


class Policy(Protocol):
    """A rule that gives the next keep_alive from the gaps that have ended.

    One of it serves one stream at one T*.
    """

    name: str
    """As in tables and in JSON: "break-even", "slack bank"."""
    guarantee: str
    """What it never does worse than, in words; "none" where nothing is promised."""
    source: str
    """Who described it, where."""

    def next_ttl_s(self) -> float:
        """For how long to keep the model in the gap that begins now; inf: until it ends."""
        ...

    def learn(self, gap_s: float) -> None:
        """A gap has ended, that was so long."""
        ...


def gap_cost(gap_s: float, ttl_s: float, t_star_s: float) -> float:
    """What a gap costs, in reloads: the idle seconds held over T*, and 1 where it was too long.

    Examples
    --------
    >>> [gap_cost(60, ttl_s, 30) for ttl_s in (float("inf"), 0, 30)]
    [2.0, 1.0, 2.0]
    """
    return min(gap_s, ttl_s) / t_star_s + (gap_s > ttl_s)


def least_cost(gap_s: float, t_star_s: float) -> float:
    """What the gap costs whoever knows how long it will be: the clairvoyant optimum, in reloads."""
    return min(gap_s / t_star_s, 1.0)
