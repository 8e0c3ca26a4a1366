"""Holds the models of a run between its requests: a lease, which ends by itself."""

from lifecycle_widgets.agent.hold.held import is_shorter
from lifecycle_widgets.agent.hold.hold import LEASE_S, Hold

__all__ = ["LEASE_S", "Hold", "is_shorter"]
