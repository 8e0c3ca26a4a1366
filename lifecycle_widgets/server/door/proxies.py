"""Which proxy the environment wants for an address; loopback never goes through one."""

from __future__ import annotations

import ipaddress
import os
import re
import urllib.request
from urllib.parse import urlsplit

from lifecycle_widgets.server.door.address import is_loopback, is_this_machine

_SCHEMES = ("http", "https", "socks5", "socks5h")


class BadProxy(ValueError):
    """A proxy variable that cannot be used; the message names it."""


def proxy_for(url: str) -> tuple[str, str] | None:
    """The proxy for a URL, and the variable that names it; None: straight there.

    Reads HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY in upper or lower case, and where none is
    set, the settings of macOS or Windows. NO_PROXY may have names, ``.domain``, ``*.domain``,
    addresses, networks (``10.0.0.0/8``), any of them with a port, and ``*``.

    Raises
    ------
    BadProxy
        For a proxy of a kind that there is not, or an address that cannot be read.
    """
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port
    if is_loopback(host):
        return None
    found = urllib.request.getproxies()
    kind = next((k for k in (parts.scheme, "all") if found.get(k)), None)
    if kind is None or is_this_machine(host) or _is_excepted(host, port, found.get("no", "")):
        return None
    variable = _variable(kind)
    if variable is None and urllib.request.proxy_bypass(host):  # the system's own exceptions
        return None
    return _checked(found[kind], variable or "the system's proxy setting"), variable or ""


def _variable(kind: str) -> str | None:
    name = f"{kind}_proxy"
    return next((n for n in (name, name.upper()) if os.environ.get(n)), None)


def _checked(proxy: str, variable: str) -> str:
    """The proxy's URL with a scheme. What is wrong is told without a password in it."""
    text = proxy.strip().strip("\"'")
    url = text if "://" in text else f"http://{text}"
    scheme, _, rest = url.partition("://")
    scheme = {"socks": "socks5"}.get(scheme.lower(), scheme.lower())
    shown = f"{scheme}://{rest.rpartition('@')[2]}"
    if scheme not in _SCHEMES:
        raise BadProxy(
            f"{variable} names a proxy of the kind {scheme}:// ({shown}), which is not to be had "
            f"here: {', '.join(_SCHEMES)}. Change it, or except the server by NO_PROXY."
        )
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        good = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise BadProxy(
            f"{variable} is {shown!r}, which is no address of a proxy. Write it as "
            "http://host:port, or except the server by NO_PROXY."
        )
    return f"{scheme}://{rest}"


def _is_excepted(host: str, port: int | None, no_proxy: str) -> bool:
    entries = [e.strip("\"'").lower() for e in re.split(r"[,;\s]+", no_proxy.strip()) if e]
    return any(_excepts(entry, host.lower(), port) for entry in entries)


def _excepts(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    entry = entry.partition("://")[2] or entry
    network = _network(entry)
    if network is not None:
        return _is_in(host, network)
    name, wanted_port = _split_port(entry)
    if wanted_port is not None and wanted_port != port:
        return False
    network = _network(name)
    if network is not None:
        return _is_in(host, network)
    domain = name.removeprefix("*").lstrip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d+)", entry)
    return (match.group(1), int(match.group(2))) if match else (entry, None)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def _is_in(host: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]) in network
    except ValueError:
        return False
