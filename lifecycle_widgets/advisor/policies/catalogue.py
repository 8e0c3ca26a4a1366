"""POLICIES: every rule of the table, by its name."""

from __future__ import annotations

from typing import Protocol

from lifecycle_widgets.advisor.policies.advice import advice
from lifecycle_widgets.advisor.policies.break_even import BreakEven
from lifecycle_widgets.advisor.policies.fixed import FIXED_S, Fixed
from lifecycle_widgets.advisor.policies.histogram import HybridHistogram
from lifecycle_widgets.advisor.policies.learners.host import Host
from lifecycle_widgets.advisor.policies.learners.leader import FollowTheLeader
from lifecycle_widgets.advisor.policies.learners.prior import LeaderWithPrior
from lifecycle_widgets.advisor.policies.policy import Policy
from lifecycle_widgets.advisor.policies.randomised import RandomisedSkiRental
from lifecycle_widgets.advisor.policies.slack_bank import SlackBank


class Maker(Protocol):
    """Makes a policy for one stream at a T* in seconds."""

    def __call__(self, t_star_s: float, host: Host | None = None) -> Policy: ...


def _fixed(name: str) -> Maker:
    return lambda t_star_s, host=None: Fixed(FIXED_S[name], name)


def _with_prior(t_star_s: float, host: Host | None = None) -> SlackBank:
    learner = LeaderWithPrior(t_star_s, host)
    return SlackBank(t_star_s, learner, name="slack bank with prior")


POLICIES: dict[str, Maker] = {
    **{name: _fixed(name) for name in FIXED_S},
    "break-even": lambda t_star_s, host=None: BreakEven(t_star_s),
    "randomised ski rental": lambda t_star_s, host=None: RandomisedSkiRental(t_star_s),
    "hybrid histogram": lambda t_star_s, host=None: HybridHistogram(t_star_s),
    "follow the leader": lambda t_star_s, host=None: FollowTheLeader(t_star_s),
    "slack bank": lambda t_star_s, host=None: SlackBank(t_star_s),
    "slack bank with prior": _with_prior,
    "advice": advice,
}
"""Each makes a policy for one stream: `POLICIES[name](t_star_s, host)`.

The order is that of a table. `host` is what the streams of one host share, the same `Host` for all
of them, or None; those that learn from nobody else pass it by.

Examples
--------
>>> POLICIES["break-even"](120.0, None).next_ttl_s()
120.0
"""
