"""Who listens on a port of this machine, as far as that can be seen.

On Linux everybody may read which user has a listening socket (/proc/net/tcp), but only that user
and root see which process it is. Elsewhere psutil tells it, for one's own processes at least.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psutil

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTEN = "0A"
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_LOOPBACK: dict[int, _Address] = {
    4: ipaddress.ip_address("127.0.0.1"),
    6: ipaddress.ip_address("::1"),
}


@dataclass(frozen=True)
class Listening:
    """A listening socket: its process and its user; None for what cannot be seen."""

    address: str
    pid: int | None
    uid: int | None


def who_listens(host: str, port: int) -> Listening | None:
    """The socket that a connection to ``host`` and ``port`` reaches; None when there is none here.

    Raises
    ------
    PermissionError
        Where this system does not tell who listens.
    """
    sockets = list(_linux(port) if sys.platform == "linux" else _elsewhere(port))
    for wanted in _addresses(host, port):
        for answers in (_same, _any_of_family, _any):
            for one in sockets:
                if answers(_plain(one.address), wanted):
                    return one if one.pid is not None else _with_process(one)
    return None


def _addresses(host: str, port: int) -> list[_Address]:
    """The addresses of a host's name, in the order in which they are tried."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    plain = dict.fromkeys(_plain(str(entry[4][0])) for entry in found)
    # what is for listening on all addresses is reached on loopback
    return [_LOOPBACK[a.version] if a.is_unspecified else a for a in plain]


def _plain(text: str) -> _Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _same(listening: _Address, wanted: _Address) -> bool:
    return listening == wanted


def _any_of_family(listening: _Address, wanted: _Address) -> bool:
    return listening.is_unspecified and listening.version == wanted.version


def _any(listening: _Address, wanted: _Address) -> bool:
    return listening.is_unspecified and listening.version == 6  # most take both kinds


# --- Linux ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Socket(Listening):
    inode: str = ""


def _linux(port: int) -> Iterator[Listening]:
    read = False
    for table in _TABLES:
        with contextlib.suppress(FileNotFoundError), open(table) as lines:
            read = True
            next(lines, None)  # the headings
            for line in lines:
                _, local, _, state, _, _, _, uid, _, inode, *_ = line.split()
                address, _, number = local.partition(":")
                if state == _LISTEN and int(number, 16) == port:
                    yield _Socket(_decoded(address), None, int(uid), inode)
    if not read:
        raise PermissionError("/proc/net/tcp is not there")


def _decoded(text: str) -> str:
    """An address as /proc/net/tcp writes it: words of four bytes in this machine's byte order."""
    raw = bytes.fromhex(text)
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return str(ipaddress.ip_address(raw))


def _with_process(one: Listening) -> Listening:
    """The same with its process, where we may look at that process's open files."""
    if not isinstance(one, _Socket):
        return one
    wanted = f"socket:[{one.inode}]"
    for pid in psutil.pids():
        folder = f"/proc/{pid}/fd"
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if any(_link(f"{folder}/{number}") == wanted for number in os.listdir(folder)):
                return Listening(one.address, pid, one.uid)
    return one


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:  # closed meanwhile
        return ""


# --- elsewhere ------------------------------------------------------------------------------------


def _elsewhere(port: int) -> Iterator[Listening]:
    """Windows tells everybody; macOS tells root, and of one's own processes each alone."""
    try:
        found: Sequence[tuple[object, int | None]] = [
            (c, c.pid) for c in psutil.net_connections(kind="tcp")
        ]
    except psutil.AccessDenied:
        found = list(_of_own_processes())
    seen = False
    for connection, pid in found:
        status, place = getattr(connection, "status", ""), getattr(connection, "laddr", ())
        if status == psutil.CONN_LISTEN and place and place[1] == port:
            seen = True
            yield Listening(place[0], pid, None)
    if not seen and sys.platform == "darwin" and os.geteuid() != 0:
        raise PermissionError("another user's processes do not tell their ports")


def _of_own_processes() -> Iterator[tuple[object, int]]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            for connection in process.net_connections(kind="tcp"):
                yield connection, process.pid
