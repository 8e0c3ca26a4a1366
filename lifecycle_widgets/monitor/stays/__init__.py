"""Samples into stays: when each model was in memory, and why it left.

`watch` folds the samples into stays, with what was noticed of each; when all that followed is
known, `ending` decides when and why each left, and `room` whether another load can be the reason.
`log` does it sample by sample, so that nothing is folded twice. `uses` is what requests tell of
a stay, `use` and `staying` what that means; `loads` what is on its way.
"""

from lifecycle_widgets.monitor.stays.derive import residencies
from lifecycle_widgets.monitor.stays.events import Event
from lifecycle_widgets.monitor.stays.frame import RESIDENCY_COLUMNS, residency_frame
from lifecycle_widgets.monitor.stays.loads import Loading, loading
from lifecycle_widgets.monitor.stays.residency import Residency
from lifecycle_widgets.monitor.stays.whys import WHYS

__all__ = [
    "RESIDENCY_COLUMNS",
    "WHYS",
    "Event",
    "Loading",
    "Residency",
    "loading",
    "residencies",
    "residency_frame",
]
