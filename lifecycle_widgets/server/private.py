"""The sandbox of this process, which addresses are a sandbox's, and which are nobody else's."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.server.door.address import parse_host

if TYPE_CHECKING:
    from lifecycle_widgets.sandbox import Sandbox

SANDBOX_URL_VARIABLE = "LIFECYCLE_SANDBOX_URL"
"""Where `lifecycle-lab` hands the address of its sandbox to the kernels."""

_sandbox: Sandbox | None = None
_lock = threading.Lock()


def started(progress: Callable[[Any], None] | None) -> Sandbox:
    """Start the one sandbox that serves this process, unless it runs already."""
    from lifecycle_widgets.sandbox import Sandbox

    global _sandbox
    with _lock:
        if _sandbox is None or not _sandbox.is_running:
            _sandbox = Sandbox(progress=progress).start()
        return _sandbox


def urls() -> set[str]:
    """The addresses of the sandboxes that this process knows of."""
    found = _handed()
    if _sandbox is not None and _sandbox.is_running:
        found.add(_sandbox.url)
    return found


def is_handed(url: str) -> bool:
    """Whether `lifecycle-lab` has handed it to this kernel: then all of its kernels share it."""
    return url in _handed()


def is_own(url: str) -> bool:
    """Whether it is the one sandbox that serves this process, and has been handed to nobody."""
    mine = _sandbox is not None and _sandbox.is_running and _sandbox.url == url
    return mine and not is_handed(url)


def _handed() -> set[str]:
    handed = os.environ.get(SANDBOX_URL_VARIABLE)
    return {parse_host(handed)} if handed else set()
