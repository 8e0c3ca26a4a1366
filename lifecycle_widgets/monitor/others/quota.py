"""The limit of CPU that this process is in: a container's, or a service's, of Linux.

Inside a container the machine's CPU times are all that `psutil` is shown. Where the container may
have two of 64 cores, a neighbour in it that takes one of them takes half of what there is, and
hardly anything of the machine. Sources: Linux, Documentation/scheduler/sched-bwc,
admin-guide/cgroup-v1/cpuacct, and cgroup-v2.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lifecycle_widgets.container_memory import own_groups


@dataclass(frozen=True)
class Quota:
    """A limit that is in force: how many cores (1.5, say), and where its use is told."""

    cores: float
    folder: Path
    is_v1: bool

    def used_s(self) -> float | None:
        """Seconds of CPU that all in it have taken so far; None when it is not told (any more)."""
        with contextlib.suppress(OSError, ValueError):
            if self.is_v1:
                return int((self.folder / "cpuacct.usage").read_text()) / 1e9
            told = (line.split() for line in (self.folder / "cpu.stat").read_text().splitlines())
            return int(dict(told)["usage_usec"]) / 1e6
        return None


def own_quota() -> Quota | None:
    """The tightest limit of CPU that this process is in; None where there is none.

    Examples
    --------
    >>> quota = own_quota()
    >>> quota is None or quota.cores > 0
    True
    """
    return min(_quotas(), key=lambda quota: quota.cores, default=None)


def _quotas() -> Iterator[Quota]:
    for folder, used in zip(own_groups("cpu"), own_groups("cpuacct"), strict=False):
        with contextlib.suppress(OSError, ValueError):  # no such file: no limit
            quota, period = (
                int((folder / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period")
            )
            if quota > 0:
                yield Quota(quota / period, used, is_v1=True)
    for folder in own_groups(""):
        with contextlib.suppress(OSError, ValueError):  # no such file, or "max": no limit
            quota, period = map(int, (folder / "cpu.max").read_text().split())
            yield Quota(quota / period, folder, is_v1=False)
