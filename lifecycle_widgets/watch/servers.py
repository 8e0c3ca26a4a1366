"""Which servers are watched, and what each is called."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lifecycle_widgets.server import Server

USUAL = "localhost"
_NAMED = re.compile(r"([\w.-]+)=(.+)")


@dataclass(frozen=True)
class Watched:
    """A server that is watched.

    Parameters
    ----------
    name:
        What it is called in all that is told of it.
    server:
        The server.
    address:
        As it was written: a user and password may be in it, so it is not shown.
    """

    name: str
    server: Server
    address: str = field(repr=False)


def watched(words: Sequence[str]) -> tuple[Watched, ...]:
    """The servers that a command line names, as ``ADDRESS`` or ``NAME=ADDRESS``.

    Without one it is the person's own: OLLAMA_HOST, else localhost. Nobody is asked: a server that
    is away now is watched until it is there.

    Raises
    ------
    ValueError
        For an address that cannot be read, two servers of one name, or one that is named twice.

    Examples
    --------
    >>> [(one.name, one.server.url) for one in watched(["home=localhost", "192.0.2.1:8080"])]
    [('home', 'http://localhost:11434'), ('192.0.2.1:8080', 'http://192.0.2.1:8080')]
    """
    found = tuple(map(_watched, words or [_own_address()]))
    names: dict[str, Watched] = {}
    places: dict[str, Watched] = {}
    for one in found:
        if (other := places.setdefault(_place(one.server.url), one)) is not one:
            raise ValueError(f"{one.server.url} is named twice ({other.name} and {one.name}).")
        if names.setdefault(one.name, one) is not one:
            raise ValueError(f"Two servers are called {one.name!r}; give each a name of its own.")
    return found


def _own_address() -> str:
    return os.environ.get("OLLAMA_HOST", "").strip().strip("\"'") or USUAL


def _watched(word: str) -> Watched:
    named = _NAMED.fullmatch(word)
    name, address = named.groups() if named else ("", word)
    server = Server(address)
    return Watched(name or server.url.partition("://")[2], server, address)


def _place(url: str) -> str:
    """The same for one server that is written in two ways."""
    return re.sub(r"(?<=//)localhost(?=:)", "127.0.0.1", url.lower())
