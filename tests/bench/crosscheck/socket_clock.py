"""The clock of a bare socket: a relay before Ollama, in a process of its own.

    python socket_clock.py PORT    prints the port that it listens on

It hands bytes on and looks at its own clock (monotonic, one for all processes of a machine): when
the last byte of a request had gone out, when the first line with a token came back, and the last.
A line of JSON is printed for each answer of a model. Of HTTP it knows only where a line ends.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

_ASKED = re.compile(rb"^POST /api/(chat|generate) ")
_TEXT = re.compile(rb'"(?:content|response)":"[^"]')
_TOKEN = re.compile(rb'"(?:content|response|thinking)":"[^"]|"tool_calls":\[')


@dataclass
class Exchange:
    """One request and its answer: times on the monotonic clock, None for what never came."""

    came_s: float  # the first byte of the request
    sent_s: float  # its last byte had gone to Ollama
    token_s: float | None = None  # the first line with text, thinking or a tool call
    text_s: float | None = None  # the first line with text of the answer
    ended_s: float | None = None  # the last line


class _Connection:
    """Hands on what comes in each direction, and notes when."""

    def __init__(self, here: socket.socket, there: socket.socket) -> None:
        self._here, self._there = here, there
        self._exchange: Exchange | None = None
        for work in (self._requests, self._answers):
            threading.Thread(target=work, daemon=True).start()

    def _requests(self) -> None:
        for came_s, data in _pieces(self._here):
            if _ASKED.match(data):
                self._exchange = Exchange(came_s, came_s)
            self._there.sendall(data)
            if self._exchange is not None:
                self._exchange.sent_s = time.monotonic()
        _shut(self._there)

    def _answers(self) -> None:
        rest = b""
        for came_s, data in _pieces(self._there):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._see(line, came_s)
            self._here.sendall(data)
        self._tell()  # one that was broken off
        _shut(self._here)

    def _see(self, line: bytes, came_s: float) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        if exchange.token_s is None and _TOKEN.search(line):
            exchange.token_s = came_s
        if exchange.text_s is None and _TEXT.search(line):
            exchange.text_s = came_s
        if b'"done":true' in line:
            exchange.ended_s = came_s
            self._tell()

    def _tell(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            print(json.dumps(asdict(exchange)), flush=True)


def _pieces(source: socket.socket) -> Iterator[tuple[float, bytes]]:
    """What comes, and when, until nothing more does or the other side has gone."""
    try:
        while data := source.recv(65536):
            yield time.monotonic(), data
    except OSError:
        pass


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _serve(listener: socket.socket, port: int) -> None:
    while True:
        here, _ = listener.accept()
        _Connection(here, socket.create_connection(("127.0.0.1", port)))


def _main(port: str) -> None:
    """Hand on until the input ends, which is when whoever started it has gone."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_serve, args=(listener, int(port)), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    _main(*sys.argv[1:])
