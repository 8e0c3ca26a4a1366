"""What /api/show tells of each model: asked once, known everywhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from lifecycle_widgets.server.answers import Shown, shown
from lifecycle_widgets.server.errors import ServerError
from lifecycle_widgets.server.names import full_name

_AGAIN_S = 30.0  # what was not told, or cannot be tied to a digest, is asked again not sooner

Key = tuple[str, str]


class ModelBook:
    """Keeps what is told of a model by its name and digest: another digest is another model.

    Parameters
    ----------
    ask:
        Asks /api/show about a name, and raises as `Server` does.
    """

    def __init__(self, ask: Callable[[str], Any]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._told: dict[Key, tuple[Shown, float]] = {}

    def known(self, model: str, digest: str = "") -> Shown | None:
        """What is told already; None when it has not been asked, or too long ago."""
        with self._lock:
            entry = self._told.get(_key(model, digest))
        if entry is None or entry[1] < time.monotonic():
            return None
        return entry[0]

    def shown(self, model: str, digest: str = "") -> Shown:
        """What is told; asks where it is not known. Raises UnknownModel, ServerUnreachable."""
        found = self.known(model, digest)
        if found is not None:
            return found
        until_s = float("inf") if digest else time.monotonic() + _AGAIN_S
        try:
            found = shown(self._ask(model))
        except ServerError:  # it does not tell, now at least
            found, until_s = Shown(), time.monotonic() + _AGAIN_S
        with self._lock:
            self._told[_key(model, digest)] = (found, until_s)
        return found


def _key(model: str, digest: str) -> Key:
    return full_name(model).lower(), digest
