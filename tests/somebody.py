"""Somebody else: an Ollama that is not ours, and requests that no `Server` of ours sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from lifecycle_widgets.sandbox import Sandbox


@contextmanager
def somebodys(**settings: Any) -> Iterator[Sandbox]:
    """A real Ollama; by its address alone it is somebody's."""
    with Sandbox(**settings) as started:
        yield started


def preloads(url: str, model: str, keep_alive: str | float | None = None) -> None:
    """They load it, or set its deadline anew; ours knows nothing of it."""
    body = {"model": model, "stream": False}
    sent = {} if keep_alive is None else {"keep_alive": keep_alive}
    httpx.post(f"{url}/api/generate", json=body | sent, timeout=60).raise_for_status()
