"""What the sandbox needs of the operating system; where that is not to be had, a sentence."""

from __future__ import annotations

import os
from typing import Any

from lifecycle_widgets.sandbox.errors import NotHere

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_NEEDED = ("fork", "killpg", "setsid", "getuid", "pread", "set_blocking")


def why_not() -> str | None:
    """Why no sandbox can be started here, with what to do instead; None where one can.

    Example:
        >>> why_not() is None or "ollama.com" in why_not()
        True
    """
    if fcntl is not None and all(hasattr(os, name) for name in _NEEDED):
        return None
    return (
        "The private Ollama (the sandbox) cannot run on this system; it needs Linux or macOS. "
        "Install Ollama from https://ollama.com/download and start it: then everything else works."
    )


def require() -> None:
    """Raise `NotHere` where no sandbox can be started."""
    if (reason := why_not()) is not None:
        raise NotHere(reason)
