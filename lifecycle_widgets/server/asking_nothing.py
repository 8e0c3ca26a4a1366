"""Requests that ask a model nothing: what they do is to its time in memory only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from lifecycle_widgets.keep_alive import KeepAlive

Kind = Literal["chat", "embed", "generate"]
"""The endpoint that a request is for."""

# none of these reaches the runner: GenerateHandler, ChatHandler and EmbedHandler answer as soon as
# it is scheduled (server/routes.go; the same in 0.5.7 and in 0.34.0)
_BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "generate": ("/api/generate", {}),
    "chat": ("/api/chat", {"messages": []}),
    "embed": ("/api/embed", {"input": ""}),
}


def asking_nothing(
    model: str, keep_alive: KeepAlive, kind: Kind, options: Mapping[str, Any] | None
) -> tuple[str, dict[str, Any]]:
    """The path and the body of such a request; see `Server.touch`.

    Examples
    --------
    >>> asking_nothing("llama3.2", KeepAlive("20s"), "chat", {"num_ctx": 8192})[1]["keep_alive"]
    20
    >>> asking_nothing("nomic-embed-text", KeepAlive(0), "embed", None)[0]
    '/api/generate'
    """
    # /api/embed knows no unloading: it would load the model first. /api/generate unloads any model
    path, more = _BODIES["generate" if keep_alive.is_zero else kind]
    body = {"model": model, "stream": False, **more}
    if (seconds := keep_alive.to_json()) is not None:
        body["keep_alive"] = seconds
    if options and not keep_alive.is_zero:
        body["options"] = dict(options)
    return path, body
