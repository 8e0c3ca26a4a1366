"""The GPUs of this machine, of every maker: what each of them tells."""

from __future__ import annotations

from pathlib import Path

import psutil

from lifecycle_widgets.monitor.gpus.apple import AppleGpus
from lifecycle_widgets.monitor.gpus.nvidia import NvidiaGpus
from lifecycle_widgets.monitor.gpus.sysfs import DRM, SysfsGpus
from lifecycle_widgets.monitor.sample import Gpu

__all__ = ["Gpus"]


class Gpus:
    """Reads NVIDIA's by NVML, AMD's and Intel's by Linux's sysfs, Apple's by ``ioreg``.

    Each card has a number of its own: NVIDIA's have NVML's, which its list of processes has too,
    and the others follow. Where there are none, that costs nothing.

    Parameters
    ----------
    drm:
        Where Linux lists graphics cards.

    Examples
    --------
    >>> gpus = Gpus()
    >>> all(gpu.utilization is None or 0 <= gpu.utilization <= 1 for gpu in gpus.read())
    True
    >>> gpus.close()
    """

    def __init__(self, drm: Path = DRM) -> None:
        self._nvidia = NvidiaGpus()
        self._others: tuple[SysfsGpus | AppleGpus, ...] = ()
        if psutil.LINUX:
            self._others = (SysfsGpus(drm, self._nvidia.count),)
        elif psutil.MACOS:
            self._others = (AppleGpus(),)

    @property
    def faults(self) -> tuple[str, ...]:
        """What a driver failed to tell, in sentences; what a card never tells is none."""
        return self._nvidia.faults

    def read(self) -> tuple[Gpu, ...]:
        """One reading of each GPU; one that has been lost is left out. Raises nothing."""
        return sum((kind.read() for kind in self._others), self._nvidia.read())

    def close(self) -> None:
        """Let go of all of them; nothing is read any more."""
        self._nvidia.close()
        self._others = ()
