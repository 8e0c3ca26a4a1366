"""advice: the policy that the advisor recommends by."""

from __future__ import annotations

from lifecycle_widgets.advisor.policies.learners.host import Host
from lifecycle_widgets.advisor.policies.learners.mixture import Mixture
from lifecycle_widgets.advisor.policies.slack_bank import SlackBank


def advice(t_star_s: float, host: Host | None = None) -> SlackBank:
    """The best online rule that there is here, inside a slack bank.

    Parameters
    ----------
    t_star_s:
        T* in seconds.
    host:
        What the streams of the host have shown until now; None: there are no others.

    Examples
    --------
    >>> advice(30.0).next_ttl_s()
    30.0
    """
    return SlackBank(t_star_s, Mixture(t_star_s, host), name="advice")
