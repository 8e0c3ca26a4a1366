"""Samples into stays: when each model was in memory, and why it left.

`watch` folds the samples into stays, with what was noticed of each; when all that followed is
known, `ending` decides when and why each left, and `room` whether another load can be the reason.
Nothing is stored between two calls.
"""

from lifecycle_widgets.monitor.stays.derive import residencies
from lifecycle_widgets.monitor.stays.events import Event
from lifecycle_widgets.monitor.stays.residency import Residency
from lifecycle_widgets.monitor.stays.whys import WHYS

__all__ = ["WHYS", "Event", "Residency", "residencies"]
