"""What was asked for, as a run shows it, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Think
from lifecycle_widgets.server import Server


@dataclass(frozen=True)
class Asked:
    """What was asked for, as the run shows it."""

    model: str
    keep_alive: KeepAlive
    prompt: str
    server: Server
    options: Mapping[str, Any]
    think: Think = None
    history: tuple[tuple[str, str], ...] = ()
    structure: str = "Agent"
