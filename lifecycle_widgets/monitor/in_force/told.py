"""What is told of how a server was started, and asking a program of this machine for it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Told:
    """What a server was started with, as far as its process, its unit or its container tells.

    ``environment`` is what matters of it, secrets masked, and ``source`` where it was read; None
    where nothing tells it. ``missing`` is a sentence on what could not be read of it, and
    ``started_at`` when a container was started.
    """

    environment: Mapping[str, str] | None = field(default=None, hash=False)
    source: str | None = None
    started_at: datetime | None = None
    missing: str | None = None


def answer_of(*command: str) -> str | None:
    """What a program writes; None where it is not there, fails, or does not end in time."""
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.decode(errors="replace")
