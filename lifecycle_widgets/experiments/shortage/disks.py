"""Which disk holds a folder, as the control groups want it named."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Disk:
    """A whole disk: its device numbers (``"254:0"``) and its name (``"vda"``)."""

    numbers: str
    name: str


def disk_of(folder: str | Path) -> Disk | None:
    """The disk below a folder's filesystem; None when there is none that could be slowed down.

    Filesystems in memory, on the network, overlays and btrfs have no device of their own. A
    partition's disk is its parent: speed is limited for whole disks only (Linux, Documentation/
    admin-guide/cgroup-v2, "IO Interface Files").

    Examples
    --------
    >>> disk_of("/proc") is None
    True
    """
    try:
        device = os.stat(folder).st_dev
        place = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve(strict=True)
        if (place / "partition").exists():
            place = place.parent
        return Disk((place / "dev").read_text().strip(), place.name)
    except (OSError, AttributeError):
        return None
