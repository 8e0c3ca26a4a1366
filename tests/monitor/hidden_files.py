"""Files of the system that cannot be opened, as in a container or for another user."""

from __future__ import annotations

import os
from typing import Any

import pytest


def hide(monkeypatch: pytest.MonkeyPatch, ending: str, fault: Exception | None = None) -> None:
    """Let files of /proc whose paths end so be hidden, until the patch is undone.

    Parameters
    ----------
    fault:
        What opening one raises; None: that it is not permitted.
    """
    open_file = os.open

    def opened(path: Any, *more: Any, **named: Any) -> int:
        if str(path).startswith("/proc/") and str(path).endswith(ending):
            raise fault or PermissionError(13, "hidden")
        return open_file(path, *more, **named)

    monkeypatch.setattr(os, "open", opened)
