"""How long all cores together were busy, since the machine's start."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

import psutil

from lifecycle_widgets.monitor.system.kept_file import KeptFile


class Cores(NamedTuple):
    """Seconds that all cores together were busy, and in all; waiting for a disk is not busy."""

    busy_s: float
    total_s: float


def linux_cores() -> Callable[[], Cores]:
    """A reader of /proc/stat."""
    file, ticks = KeptFile("/proc/stat"), os.sysconf("SC_CLK_TCK")

    def read() -> Cores:
        # user nice system idle iowait irq softirq steal; then guests, which are in user and nice
        told = [int(field) / ticks for field in file.read().split(b"\n", 1)[0].split()[1:9]]
        total_s = sum(told)
        return Cores(total_s - told[3] - sum(told[4:5]), total_s)

    return read


def other_cores() -> Cores:
    """As psutil tells it."""
    times = psutil.cpu_times()
    total_s = float(sum(times))
    # virtual machines are counted twice: in guest, and in user or nice
    total_s -= getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return Cores(total_s - times.idle - getattr(times, "iowait", 0.0), total_s)
