"""Whose: whose request has made the deadline that /api/ps tells of a model."""

from __future__ import annotations

from enum import Enum

from lifecycle_widgets.server import Resident, Server

_MOST_TOLERANCE_S = 1.5  # the server's clock is known to a second


class Whose(Enum):
    """Whose request has made a deadline, and how far away it is."""

    LEASE = "ours: the lease"
    OWN = "this process's, with another keep_alive than the lease"
    SOONER = "another client's, and sooner than that of a lease that begins now"
    LATER = "another client's, and later"
    OVERDUE = "over, and the model is there: a request is being answered"
    NOT_TOLD = "it is not told"


def whose(resident: Resident, server: Server, lease_s: float) -> Whose:
    """Whose deadline it is. May ask the server whose weights are whose; raises nothing.

    Parameters
    ----------
    lease_s:
        The keep_alive of a lease, in seconds.
    """
    left_s = resident.expires_in_s()
    if left_s is None:
        return Whose.NOT_TOLD
    tolerance_s = min(_MOST_TOLERANCE_S, lease_s / 3)
    own_s = server.own_deadlines.seconds(resident, server.same_model, tolerance_s)
    if own_s is not None:
        return Whose.LEASE if own_s == lease_s else Whose.OWN
    if left_s > lease_s + tolerance_s:
        return Whose.LATER
    return Whose.OVERDUE if left_s < -tolerance_s else Whose.SOONER
