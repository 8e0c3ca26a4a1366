"""Clients' requests that a server of this machine has taken, and not answered a byte of yet.

Linux tells of each connection when its last byte came, and when the last one went (sock_diag(7),
``struct tcp_info`` of linux/tcp.h): whoever asked, nothing of what was asked. A connection that
rests between two requests has last sent; one that waits for its answer has last received.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import psutil

_NETLINK, _SOCK_DIAG, _BY_FAMILY, _DUMP = 16, 4, 20, 0x301  # AF_NETLINK exists on Linux alone
_ERROR, _DONE = 2, 3
_ESTABLISHED = 1 << 1
_INFO = 2  # INET_DIAG_INFO
_HEAD, _MESSAGE = 16, 72  # of nlmsghdr and inet_diag_msg, in bytes
_LAST_SENT, _LAST_RECEIVED, _BYTES = 44, 52, 120  # in struct tcp_info
_WAIT_S = 2.0


@dataclass(frozen=True)
class Unanswered:
    """A request that has not been answered yet.

    ``age_s``: since its last byte came, in seconds. ``pid`` and ``program``: whose it is; None and
    empty where that is not ours to see.
    """

    age_s: float
    pid: int | None = None
    program: str = ""


class _Connection(NamedTuple):
    port: int  # of the server's end
    peer: int  # of the client's
    sent_ms: int  # since the last byte went
    received_ms: int
    answered_bytes: int
    received_bytes: int


def unanswered(port: int) -> tuple[Unanswered, ...] | None:
    """The requests that wait at a port of this machine; None where that cannot be seen.

    Parameters
    ----------
    port:
        The server's.

    Examples
    --------
    >>> unanswered(1) in ((), None)  # nobody listens there
    True
    """
    try:
        found = [one for one in _connections() if one.port == port and _waits(one)]
    except (AttributeError, OSError, struct.error):  # no Linux, or one that does not tell
        return None
    owners = _owners({one.peer for one in found}) if found else {}
    return tuple(
        Unanswered(one.received_ms / 1000, *owners.get(one.peer, (None, ""))) for one in found
    )


def _waits(one: _Connection) -> bool:
    if not one.received_bytes:  # nothing has been asked
        return False
    is_first = one.answered_bytes <= 1  # the handshake may count as one
    return one.received_ms < one.sent_ms or (is_first and one.received_ms == one.sent_ms)


def _owners(ports: set[int]) -> dict[int, tuple[int | None, str]]:
    """Whose the clients' ends are, by their ports."""
    owners: dict[int, tuple[int | None, str]] = {}
    try:
        for end in psutil.net_connections(kind="tcp"):
            if end.laddr and end.laddr.port in ports and end.pid is not None:
                owners[end.laddr.port] = (end.pid, psutil.Process(end.pid).name())
    except (psutil.Error, OSError):
        pass
    return owners


def _connections() -> Iterator[_Connection]:
    """Every established TCP connection of this machine, from its own point of view."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as asked:
            asked.settimeout(_WAIT_S)
            wanted = struct.pack("=BBBBI48x", family, socket.IPPROTO_TCP, 1 << (_INFO - 1), 0,
                                 _ESTABLISHED)  # fmt: skip
            asked.send(struct.pack("=IHHII", _HEAD + len(wanted), _BY_FAMILY, _DUMP, 1, 0) + wanted)
            yield from _read(asked)


def _read(asked: socket.socket) -> Iterator[_Connection]:
    while True:
        data = asked.recv(1 << 18)
        while len(data) >= _HEAD:
            length, kind = struct.unpack_from("=IH", data)
            if kind in (_DONE, _ERROR) or length < _HEAD:
                return
            found = _connection(data[_HEAD:length])
            if found is not None:
                yield found
            data = data[(length + 3) & ~3 :]


def _connection(message: bytes) -> _Connection | None:
    port, peer = struct.unpack_from("!HH", message, 4)
    rest = message[_MESSAGE:]
    while len(rest) >= 4:
        length, kind = struct.unpack_from("=HH", rest)
        if length < 4:
            return None
        info = rest[4:length]
        if kind == _INFO and len(info) >= _BYTES + 16:
            [sent_ms] = struct.unpack_from("=I", info, _LAST_SENT)
            [received_ms] = struct.unpack_from("=I", info, _LAST_RECEIVED)
            bytes_ = struct.unpack_from("=QQ", info, _BYTES)
            return _Connection(port, peer, sent_ms, received_ms, *bytes_)
        rest = rest[(length + 3) & ~3 :]
    return None
