"""A forwarder in a process of its own: what a tunnel, or a container's published port, looks like.

python forwarder.py HOST:PORT [LISTEN_HOST]    prints the port that it listens on
"""

from __future__ import annotations

import socket
import sys
import threading


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Hand on what comes, until there is no more."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(listener: socket.socket, host: str, port: int) -> None:
    """Connect each who comes to the address."""
    while True:
        here, _ = listener.accept()
        try:
            there = socket.create_connection((host, port), 5)
        except OSError:
            here.close()
            continue
        there.settimeout(None)
        for pair in ((here, there), (there, here)):
            threading.Thread(target=pump, args=pair, daemon=True).start()


def main(address: str, listen_host: str = "127.0.0.1") -> None:
    """Forward until the input ends, which is when whoever started it has gone."""
    host, _, port = address.rpartition(":")
    listener = socket.create_server((listen_host, 0))
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=serve, args=(listener, host, int(port)), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
