"""Small files of the system, read once in a while."""

from __future__ import annotations

import os
from pathlib import Path


def text_of(path: str | os.PathLike[str]) -> str:
    """What is in a file; empty where it is not there, or not ours to read.

    Examples
    --------
    >>> text_of("/no/such/file")
    ''
    """
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
