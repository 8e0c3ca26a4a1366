"""A small SOCKS5 server (RFC 1928: CONNECT, with or without a password) that notes who is asked."""

from __future__ import annotations

import socket
import struct
import threading
from types import TracebackType

from tests.grounds.forwarder import pump


class Socks5:
    """Listens on loopback until the end of the `with`.

    Parameters
    ----------
    password:
        ``(user, password)`` that it wants.
    """

    def __init__(self, password: tuple[str, str] | None = None) -> None:
        self.asked: list[tuple[str, int]] = []
        self._password = password
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Socks5:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(client,), daemon=True).start()

    def _handle(self, client: socket.socket) -> None:
        try:
            if not self._greeted(client):
                client.close()
                return
            host, port = self._wanted(client)
            self.asked.append((host, port))
            there = socket.create_connection((host, port), 5)
        except OSError:
            client.close()
            return
        there.settimeout(None)
        client.sendall(b"\5\0\0\1" + b"\0" * 6)
        for pair in ((client, there), (there, client)):
            threading.Thread(target=pump, args=pair, daemon=True).start()

    def _greeted(self, client: socket.socket) -> bool:
        _, count = _read(client, 2)
        offered = _read(client, count)
        wanted = 2 if self._password else 0
        if wanted not in offered:
            client.sendall(b"\5\xff")
            return False
        client.sendall(bytes([5, wanted]))
        if self._password is None:
            return True
        _read(client, 1)
        given = tuple(_read(client, _read(client, 1)[0]).decode() for _ in range(2))
        good = given == self._password
        client.sendall(b"\1\0" if good else b"\1\1")
        return good

    @staticmethod
    def _wanted(client: socket.socket) -> tuple[str, int]:
        kind = _read(client, 4)[3]
        if kind == 3:
            host = _read(client, _read(client, 1)[0]).decode()
        else:
            family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, _read(client, size))
        return host, struct.unpack("!H", _read(client, 2))[0]


def _read(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        if not more:
            raise OSError("the client has gone")
        data += more
    return data
