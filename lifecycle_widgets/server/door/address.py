"""What an address means: its URL, the user and password in it, whether it is this machine."""

from __future__ import annotations

import base64
import ipaddress
import re
import socket
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urlsplit

DEFAULT_PORT = 11434
_PORTS = {"http": 80, "https": 443}
_RESOLVES_WITHIN_S = 1.0
_ESCAPE = "write special letters of the user and password as %XX (%2F for a slash)"


@dataclass(frozen=True)
class Address:
    """An address in two parts: the URL, which may be shown, and what must not be."""

    url: str
    authorization: str | None = field(default=None, repr=False)  #: the header's value
    password: str = field(default="", repr=False)


def parse_address(host: str) -> Address:
    """Read an OLLAMA_HOST in any form that ollama-python takes; a user and password may be in it.

    Raises
    ------
    ValueError
        For a port that is no port, another scheme, or an address that cannot be read. A password
        is not repeated.

    Examples
    --------
    >>> parse_address("https://me:secret@example.com/ollama/").url
    'https://example.com:443/ollama'
    """
    text = host.strip().strip("\"'").strip()
    scheme, separator, rest = text.partition("://")
    if not separator or not rest:
        scheme, rest, default_port = "http", text, DEFAULT_PORT
    else:
        scheme = scheme.lower()
        default_port = _PORTS.get(scheme, DEFAULT_PORT)
    shown = f"{scheme}://{_without_user(rest)}" if separator else _without_user(rest)
    if separator and scheme not in _PORTS:
        raise ValueError(
            f"The Ollama address {shown!r} cannot be read: {scheme}:// is not http:// or https://."
        )
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        name, port = parts.hostname or "127.0.0.1", parts.port or default_port
    except ValueError as fault:
        why = _ESCAPE if "@" in text else str(fault)
        raise ValueError(f"The Ollama address {shown!r} cannot be read: {why}.") from None
    if re.search(r"[\s<>\"{}|\\^`]", name):
        raise ValueError(f"The Ollama address {shown!r} cannot be read: {name!r} is no host name.")
    if ":" in name:
        name = f"[{name}]"
    path = parts.path.strip("/")
    url = f"{scheme}://{name}:{port}" + (f"/{path}" if path else "")
    return Address(url, _basic(parts), unquote(parts.password or ""))


def parse_host(host: str) -> str:
    """The URL for an OLLAMA_HOST in any form that ollama-python takes.

    Raises
    ------
    ValueError
        For a port that is no port, or an address that cannot be read.

    Examples
    --------
    >>> parse_host(":56789"), parse_host("https://example.com"), parse_host("[::1]")
    ('http://127.0.0.1:56789', 'https://example.com:443', 'http://[::1]:11434')
    """
    return parse_address(host).url


def _without_user(rest: str) -> str:
    """For showing: nothing up to the last @, wherever a person forgot to escape a letter."""
    return rest.rpartition("@")[2]


def _basic(parts: SplitResult) -> str | None:
    if parts.username is None and parts.password is None:
        return None
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
    return "Basic " + base64.b64encode(pair).decode()


# --- this machine -------------------------------------------------------------------------------


def is_loopback(name: str) -> bool:
    """Whether a host name or address never leaves this machine.

    Examples
    --------
    >>> [is_loopback(n) for n in ("localhost", "127.9.9.9", "::1", "0.0.0.0", "example.com")]
    [True, True, True, True, False]
    """
    bare = name.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    address = _ip(bare)
    return address is not None and (address.is_loopback or address.is_unspecified)


def is_this_machine(name: str) -> bool:
    """Whether a host name or address is this machine's: loopback, its own name, its addresses.

    A name that is neither is looked up, for a second at most, and once.
    """
    bare = name.strip("[]").rstrip(".").lower()
    if is_loopback(bare):
        return True
    if _ip(bare) is not None:
        return bare in _own_addresses()
    own = socket.gethostname().lower()
    if bare in (own, own.partition(".")[0], f"{own.partition('.')[0]}.local"):
        return True
    found = _resolved(bare)
    return bool(found) and all(is_loopback(a) or a in _own_addresses() for a in found)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _own_addresses() -> set[str]:
    import psutil

    try:
        cards = psutil.net_if_addrs().values()
    except OSError:
        return set()
    return {entry.address.partition("%")[0].lower() for card in cards for entry in card}


@lru_cache(maxsize=64)
def _resolved(name: str) -> frozenset[str]:
    """The addresses of a name; empty when it is not known within a second."""
    found: set[str] = set()

    def look() -> None:
        try:
            found.update(str(entry[4][0]) for entry in socket.getaddrinfo(name, None))
        except (OSError, UnicodeError):
            pass

    thread = threading.Thread(target=look, name="lifecycle-resolve", daemon=True)
    thread.start()
    thread.join(_RESOLVES_WITHIN_S)
    return frozenset(found)
