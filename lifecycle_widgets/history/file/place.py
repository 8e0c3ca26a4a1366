"""Where the history lies: one file, which the person can find."""

from __future__ import annotations

import os
from pathlib import Path

from lifecycle_widgets.history.file.faults import VARIABLE, HistoryError

NAME = "history.sqlite"
_BESIDE = ("", "-wal", "-shm")  # what SQLite keeps beside a file that is in use


def is_off() -> bool:
    """Whether the person wants no history: the environment variable says "off"."""
    return os.environ.get(VARIABLE, "").strip().lower() == "off"


def history_path(path: str | os.PathLike[str] | None = None) -> Path:
    """The file: the one that is given, else that of the environment, else the person's own.

    Raises
    ------
    HistoryError
        Where none is given, and the person wants none.

    Examples
    --------
    >>> history_path("a/history.sqlite").is_absolute()
    True
    """
    if path is not None:
        return Path(path).expanduser().absolute()
    if is_off():
        raise HistoryError(f"No history is kept: {VARIABLE} is off.")
    if chosen := os.environ.get(VARIABLE, "").strip():
        return Path(chosen).expanduser().absolute()
    import platformdirs  # the sandbox's program is built before it is installed

    return Path(platformdirs.user_data_dir("lifecycle_widgets", appauthor=False)) / NAME


def size_bytes(path: Path) -> int:
    """How much it takes on the disk, with what SQLite keeps beside it; 0 where there is none."""
    return sum(_size(path.with_name(path.name + end)) for end in _BESIDE)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
