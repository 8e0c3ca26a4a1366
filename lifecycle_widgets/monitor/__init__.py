"""Watches the machine, the GPUs, the runners and /api/ps; turns samples into residencies."""

from lifecycle_widgets.monitor.monitor import Monitor, SharedMonitor
from lifecycle_widgets.monitor.sample import Gpu, Runner, Sample
from lifecycle_widgets.monitor.stays import WHYS, Residency, residencies

__all__ = [
    "WHYS",
    "Gpu",
    "Monitor",
    "Residency",
    "Runner",
    "Sample",
    "SharedMonitor",
    "residencies",
]
