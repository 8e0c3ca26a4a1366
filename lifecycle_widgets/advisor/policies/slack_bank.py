"""SlackBank: a learner that may do as it likes while it can afford it, else T*."""

from __future__ import annotations

from typing import Protocol

from lifecycle_widgets.advisor.policies.learners.leader import smeared_leader
from lifecycle_widgets.advisor.policies.policy import gap_cost, least_cost

K_RELOADS = 3.0
"""What the bank starts with, in reloads: what an adversary can gain beyond twice the optimum."""


class Learner(Protocol):
    """What the bank needs of whoever is inside."""

    def next_ttl_s(self) -> float:
        """The TTL of a gap that began now, in seconds; asking changes nothing."""
        ...

    def began(self) -> None:
        """A gap begins now."""
        ...

    def learn(self, gap_s: float) -> None:
        """A gap has ended, that was so long."""
        ...


class SlackBank:
    """The learner's TTL while the bank can pay for the worst it may come to, else T*.

    Once a gap has ended, the optimum of the past is known exactly, and so is the slack
    S = 2 x optimum + K - cost. In one gap S falls by at most |T/T* - 1|, whatever the gap: so a TTL
    is affordable while that is at most S, T* always is, and S never falls below 0. This holds for
    any learner and against any adversary.

    Parameters
    ----------
    t_star_s:
        T* in seconds.
    learner:
        Whoever gives TTLs; None: the smeared leader.
    name:
        As in the table.
    k_reloads:
        What the bank starts with.

    Examples
    --------
    >>> bank = SlackBank(30.0)
    >>> bank.next_ttl_s(), bank.slack
    (30.0, 3.0)
    >>> for _ in range(9):
    ...     bank.learn(3600.0)
    >>> bank.next_ttl_s(), round(bank.slack, 1)
    (0.0, 10.7)
    """

    guarantee = f"at most twice the clairvoyant optimum and {K_RELOADS:g} reloads, always"
    source = "the proof in its docstring; after Purohit, Svitkina, Kumar, NeurIPS 2018"

    def __init__(
        self,
        t_star_s: float,
        learner: Learner | None = None,
        *,
        name: str = "slack bank",
        k_reloads: float = K_RELOADS,
    ) -> None:
        self.name = name
        self.t_star_s = t_star_s
        self.slack = k_reloads
        self._learner = smeared_leader(t_star_s) if learner is None else learner
        self._in_force_s: float | None = None  # of the gap that goes on

    def learned_ttl_s(self) -> float:
        """What the learner would do, affordable or not, in seconds."""
        return self._learner.next_ttl_s()

    def is_affordable(self, ttl_s: float) -> bool:
        """Whether the bank can pay for the worst that a gap may come to with that TTL."""
        return abs(ttl_s / self.t_star_s - 1) <= self.slack

    def would_give_s(self) -> float:
        """The TTL of a gap that began now, in seconds; asking changes nothing."""
        learned_s = self.learned_ttl_s()
        return learned_s if self.is_affordable(learned_s) else self.t_star_s

    def next_ttl_s(self) -> float:
        self._in_force_s = self.would_give_s()
        self._learner.began()
        return self._in_force_s

    def learn(self, gap_s: float, ttl_s: float | None = None) -> None:
        """A gap has ended, that was so long.

        `ttl_s` is what was in force, where it was not what `next_ttl_s` gave last.
        """
        if ttl_s is None:
            ttl_s = self.would_give_s() if self._in_force_s is None else self._in_force_s
        least = least_cost(gap_s, self.t_star_s)
        self.slack += 2 * least - gap_cost(gap_s, ttl_s, self.t_star_s)
        self.teach(gap_s)

    def teach(self, gap_s: float) -> None:
        """A gap from before the bank began: something to learn from, and not its to pay for."""
        self._in_force_s = None
        self._learner.learn(gap_s)
