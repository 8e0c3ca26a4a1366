"""What else is read of this machine: page cache, swap, disk reads, and what processes wait for."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from lifecycle_widgets.container_memory import LimitedGroup
from lifecycle_widgets.monitor.system.kept_file import KeptFile
from lifecycle_widgets.monitor.system.sources import Sources

_LEAST_S = 0.2  # what follows faster repeats the rate before
_WAITED_US = re.compile(rb"some .*total=(\d+)")  # "some": at least one process waited


class Rate:
    """How much something that is added up grows per second, from reading to reading.

    Examples
    --------
    >>> rate = Rate()
    >>> rate.of(1000, 0.0), rate.of(3000, 0.5), rate.of(None, 1.0), rate.of(5000, 1.5)
    (None, 4000.0, None, None)
    """

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._rate: float | None = None

    def of(self, total: float | None, now_s: float) -> float | None:
        """The rate since the reading before; None at the first, and after one that was not told."""
        before, self._last = self._last, None if total is None else (now_s, total)
        if total is None or before is None:
            self._rate = None
        elif now_s - before[0] < _LEAST_S:
            self._last = before
        else:  # a counter that goes back was set to 0
            self._rate = max(0.0, total - before[1]) / (now_s - before[0])
        return self._rate


@dataclass(frozen=True)
class Swap:
    """Bytes of swap space, and what is read back from it; None: not told."""

    used_bytes: int | None = None
    total_bytes: int | None = None
    in_bytes_per_s: float | None = None


@dataclass(frozen=True)
class Pressure:
    """The share of the time in which some process waited, 0 to 1; None: not told."""

    cpu: float | None = None
    memory: float | None = None
    io: float | None = None


class MachineProbe:
    """Reads each of them; a rate is since the reading before.

    Parameters
    ----------
    sources:
        Where the machine's figures come from.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._swapped_in, self._disk_read = Rate(), Rate()
        self._waits = Waits(None)

    def swap(self) -> Swap:
        """Swap space. Raises what the system does where memory cannot be read."""
        memory = self._sources.memory()
        rate = self._swapped_in.of(memory.swapped_in_bytes, time.monotonic())
        return Swap(memory.swap_used_bytes, memory.swap_total_bytes, rate)

    def disk_read_bytes_per_s(self) -> float | None:
        """What all disks read."""
        disks = self._sources.disks()
        return self._disk_read.of(None if disks is None else disks.read, time.monotonic())

    def pressure(self, group: LimitedGroup | None) -> Pressure:
        """What processes wait for.

        Parameters
        ----------
        group:
            The control group whose processes are meant; None: all of this machine.
        """
        if group != self._waits.group:
            self._waits = Waits(group)
        return self._waits.read()


class Waits:
    """Linux's pressure stall information, of the machine or of a group of version 2.

    The kernel's averages are of ten seconds and more; its totals are exact.
    """

    def __init__(self, group: LimitedGroup | None) -> None:
        self.group = group
        places = _places(group)
        self._files = {name: KeptFile(path) for name, path in places.items()}
        self._rates = {name: Rate() for name in places}

    def read(self) -> Pressure:
        """The shares since the last call. Raises nothing."""
        return Pressure(**{name: self._share(name) for name in self._files})

    def _share(self, name: str) -> float | None:
        try:
            found = _WAITED_US.match(self._files[name].read())
        except OSError:  # the kernel is too old, or was told not to keep it
            found = None
        waited_s = None if found is None else int(found[1]) / 1e6
        share = self._rates[name].of(waited_s, time.monotonic())
        return None if share is None else min(1.0, share)


def _places(group: LimitedGroup | None) -> dict[str, Path]:
    """The files of each kind; none where nobody keeps them."""
    kinds = ("cpu", "memory", "io")
    if not psutil.LINUX:
        return {}
    if group is None:
        return {kind: Path("/proc/pressure", kind) for kind in kinds}
    # a group of version 1 has none, and the machine's would be of others as well
    return {kind: group.folder / f"{kind}.pressure" for kind in kinds if group.is_v2}
