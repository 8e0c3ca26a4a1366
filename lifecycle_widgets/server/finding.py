"""Finding a person's own Ollama; one that is there, and does not answer well, is told about."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from lifecycle_widgets.server.door.address import DEFAULT_PORT, parse_host
from lifecycle_widgets.server.door.door import Door
from lifecycle_widgets.server.errors import (
    AccessDenied,
    NotTold,
    ServerError,
    ServerUnreachable,
)

INSTEAD = " To use the private sandbox all the same: Server.sandbox()."
"""What such a message ends with, where there can be a sandbox."""

_QUICK_S = 1.0


class Answering(Protocol):
    """What is looked at of a `Server` to find out whether an Ollama is there."""

    url: str
    door: Door

    @property
    def version(self) -> str:
        """What it answers; raises where it does not."""

    def with_timeout(self, seconds: float, /) -> Answering:
        """The same, with less patience."""


S = TypeVar("S", bound=Answering)


def own(make: Callable[..., S]) -> S | None:
    """The person's own Ollama (OLLAMA_HOST, else localhost:11434); None if there is none.

    Parameters
    ----------
    make:
        Makes a `Server` of an address.

    Raises
    ------
    ServerUnreachable, ServerError
        For one that is there, but hangs, wants a key, or has another address: a sandbox beside it
        is not what its owner wants.
    ValueError
        For an OLLAMA_HOST that cannot be read.
    """
    named = os.environ.get("OLLAMA_HOST", "").strip().strip("\"'")
    if named:
        try:
            server = make(named)
        except ValueError as fault:
            raise ValueError(f"OLLAMA_HOST cannot be used. {fault}") from None
        if _is_here(server, make, says=f"OLLAMA_HOST is {server.url}. "):
            return server
        warnings.warn(
            f"OLLAMA_HOST is {server.url}, but no Ollama answers there; looking elsewhere.",
            stacklevel=4,
        )
    server = make(f"localhost:{DEFAULT_PORT}")
    return server if _is_here(server, make) else None


def _is_here(server: Answering, make: Callable[..., Answering], says: str = "") -> bool:
    """True when it answers; False when nobody is there. Raises when there is something to mend."""
    try:
        _ = server.version
        return True
    except (ServerUnreachable, ServerError) as fault:
        told = fault
    other = (
        next((url for url in _others(server.url) if _answers(make, url)), None) if says else None
    )
    if other is not None:
        raise ServerUnreachable(
            f"{says}No Ollama answers there, but one does at {other}: set OLLAMA_HOST to that.",
            is_there=True,
        ) from told
    if isinstance(told, ServerUnreachable) and told.is_there:
        raise ServerUnreachable(f"{says}{told}{_instead()}", is_there=True) from told
    if isinstance(told, AccessDenied) or (
        isinstance(told, ServerError) and not isinstance(told, NotTold)
    ):
        raise type(told)(f"{says}{told}{_instead()}", told.status) from told
    return False


def _instead() -> str:
    from lifecycle_widgets.sandbox import why_not

    return "" if why_not() else INSTEAD


def _others(url: str) -> Iterator[str]:
    """The same address as it may have been meant: without a path, the usual port, the scheme."""
    parts = urlsplit(url)
    other = "http" if parts.scheme == "https" else "https"
    seen = {url}
    for scheme in (parts.scheme, other):
        for netloc in (parts.netloc, f"{parts.netloc.rpartition(':')[0]}:{DEFAULT_PORT}"):
            if parse_host(f"{scheme}://{netloc}") not in seen:
                seen.add(parse_host(f"{scheme}://{netloc}"))
                yield parse_host(f"{scheme}://{netloc}")


def _answers(make: Callable[..., Answering], url: str) -> bool:
    """Whether an Ollama is at that address (one that wants a key counts).

    Nobody has named this address, and it may be without encryption: it is not given the key.
    """
    server = make(url, headers={"Authorization": ""}).with_timeout(_QUICK_S)
    try:
        return bool(server.version)
    except AccessDenied:
        return True
    except (ServerUnreachable, ServerError):
        return False
    finally:
        server.door.close()
