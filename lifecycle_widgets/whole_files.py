"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def write_whole(place: Path, files: Mapping[str, str]) -> None:
    """Write all of these files into a folder or none: a full disk must not cost older ones.

    Parameters
    ----------
    place:
        The folder; it is made if need be.
    files:
        Their texts by their names.

    Raises
    ------
    OSError
        When they cannot be written; those of the same names are as they were.
    """
    place.mkdir(parents=True, exist_ok=True)
    beside = {name: place / f".{name}.part" for name in files}
    try:
        for name, text in files.items():
            with beside[name].open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())  # some disks say only now that they are full
        for name in files:
            beside[name].replace(place / name)
    except BaseException:
        for part in beside.values():
            part.unlink(missing_ok=True)
        raise
