"""Watches the machine, the GPUs, the runners and /api/ps; turns samples into residencies."""

from lifecycle_widgets.monitor.in_force import InForce, RunnerSettings
from lifecycle_widgets.monitor.monitor import Monitor, SharedMonitor
from lifecycle_widgets.monitor.sample import Gpu, Machine, Runner, Sample
from lifecycle_widgets.monitor.stays import (
    WHYS,
    Loading,
    Residency,
    loading,
    residencies,
    residency_frame,
)
from lifecycle_widgets.monitor.traffic import OTHERS, OURS, WITNESSES, Gap, Request

__all__ = [
    "OTHERS",
    "OURS",
    "WHYS",
    "WITNESSES",
    "Gap",
    "Gpu",
    "InForce",
    "Loading",
    "Machine",
    "Monitor",
    "Request",
    "Residency",
    "Runner",
    "RunnerSettings",
    "Sample",
    "SharedMonitor",
    "loading",
    "residencies",
    "residency_frame",
]
