"""Watches the machine, the GPUs, the runners and /api/ps; turns samples into residencies."""

from lifecycle_widgets.monitor.monitor import Monitor, SharedMonitor
from lifecycle_widgets.monitor.residency import residencies
from lifecycle_widgets.monitor.sample import Gpu, Residency, Runner, Sample

__all__ = ["Gpu", "Monitor", "Residency", "Runner", "Sample", "SharedMonitor", "residencies"]
