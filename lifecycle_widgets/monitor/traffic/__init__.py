"""Everyone's traffic, without a proxy: what three witnesses say of each model's busy times."""

from lifecycle_widgets.monitor.traffic.gaps import Gap, gaps
from lifecycle_widgets.monitor.traffic.request import OTHERS, OURS, WITNESSES, Request

__all__ = ["OTHERS", "OURS", "WITNESSES", "Gap", "Request", "gaps"]
