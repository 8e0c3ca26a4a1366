"""What a server is called in a history: one name for one server, whichever process saw it."""

from __future__ import annotations

import re
import socket

from lifecycle_widgets.server import Server
from lifecycle_widgets.server.door.address import is_loopback

SANDBOX = "sandbox"
_URL = re.compile(r"(?P<scheme>https?)://(?P<host>\[[^]]*\]|[^/:]+):(?P<rest>\d+.*)")
_SAME = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0", "[::]")


def name_of(server: Server) -> str:
    """Its address; of an address that never leaves this machine, with the machine's name.

    So the Ollama of a container and that of its host are two, though both are at localhost:11434.
    A private sandbox is "sandbox", whatever its port.

    Examples
    --------
    >>> name_of(Server("https://ollama.example.com"))
    'https://ollama.example.com:443'
    """
    return SANDBOX if server.is_sandbox else _named(server.url, socket.gethostname())


def name_for(server: Server | str) -> str:
    """What a person means: a Server, its address, or its name in the history.

    Raises
    ------
    ValueError
        For an address that cannot be read.
    TypeError
        For anything else.
    """
    if isinstance(server, Server):
        return name_of(server)
    if not isinstance(server, str):
        raise TypeError(
            f"server is a {type(server).__name__}. Give a Server, an address, or its name in the "
            "history."
        )
    if server == SANDBOX or " on " in server:
        return server
    return name_of(Server(server))


def _named(url: str, machine: str) -> str:
    """
    >>> _named("http://127.0.0.1:11434", "box"), _named("http://[::1]:11434", "box")
    ('http://localhost:11434 on box', 'http://localhost:11434 on box')
    """
    match = _URL.fullmatch(url)
    if match is None or not is_loopback(match["host"]):
        return url
    host = "localhost" if match["host"] in _SAME else match["host"]
    return f"{match['scheme']}://{host}:{match['rest']} on {machine}"
