"""Unloading a model, and waiting until it is gone; or why it is still there."""

from __future__ import annotations

import time
from collections import deque
from typing import Protocol

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server.errors import NotTold, ServerError, UnknownModel
from lifecycle_widgets.server.names import full_name, same_name
from lifecycle_widgets.server.values import Resident

_EACH_S = 0.05
_AT_ONCE = KeepAlive(0)


class Unloading(Protocol):
    """What is asked of a `Server` to unload a model."""

    unloads: deque[tuple[str, float]]

    @property
    def quick_timeout_s(self) -> float:
        """How long to wait for what is answered from memory, in seconds."""

    def touch(self, model: str, keep_alive: KeepAlive, /, *, timeout_s: float) -> object:
        """Set its deadline anew."""

    def resident(self, model: str, /) -> Resident | None:
        """Its entry in memory; raises NotTold."""


def unload(server: Unloading, model: str, timeout_s: float) -> None:
    """See `Server.unload`."""
    held, noted_s = _held(server, model), time.monotonic()
    events = [(full_name(n), noted_s) for n in {model, held.name if held else model}]
    server.unloads.extend(events)
    try:
        server.touch(model, _AT_ONCE, timeout_s=server.quick_timeout_s)
    except UnknownModel:
        for event in events:
            server.unloads.remove(event)
        if held is None:
            raise
        raise _deleted(model, held) from None
    deadline = time.monotonic() + timeout_s
    while (held := _held(server, model)) is not None:
        if time.monotonic() > deadline:
            raise TimeoutError(_still_there(model, held, timeout_s))
        time.sleep(_EACH_S)


def _held(server: Unloading, model: str) -> Resident | None:
    """Its entry in memory; None also where the server does not tell."""
    try:
        return server.resident(model)
    except NotTold:
        return None


def _deleted(model: str, held: Resident) -> ServerError:
    until = "Ollama ends"
    if held.expires_at is not None and not held.is_forever:
        until = f"{held.expires_at.astimezone():%H:%M:%S}"
    return ServerError(
        f"{model} was deleted while it was in memory, and Ollama unloads only models that are "
        f"installed. It stays until {until}; to be rid of it sooner, install it again and unload "
        "it, or start Ollama anew."
    )


def _still_there(model: str, held: Resident, timeout_s: float) -> str:
    """Both causes, how to tell them apart, and the cure for each."""
    alias = "" if same_name(model, held.name) else f" (as {held.name})"
    return (
        f"{model}{alias} is still in memory after {timeout_s:g} s: it is answering a request, or "
        "Ollama is stuck. Look at its runner (CPU or GPU in the chart): if it is busy, the model "
        "leaves when the request has ended; stop that to be rid of it sooner. If it is idle "
        "('Stopping...' in `ollama ps`), only starting Ollama anew frees the memory."
    )
