"""Requests to a real Ollama that nobody waits for, and what its log says about loads."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


class LiveRequest:
    """A request on a connection of its own, read when there is something to read."""

    def __init__(self, port: int, body: dict[str, Any], path: str = "/api/generate") -> None:
        data = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(head.encode() + data)
        self._socket.setblocking(False)
        self._head = b""
        self._tail = b""
        self.is_over = False
        self.looked_s = time.time()
        """When it was last seen to be going on."""

    def look(self) -> None:
        """Read what has arrived."""
        looked_s = time.time()
        try:
            while data := self._socket.recv(1 << 16):
                self._head = (self._head + data)[:1000] if len(self._head) < 1000 else self._head
                self._tail = (self._tail + data)[-1000:]
        except BlockingIOError:
            self.looked_s = looked_s
            return
        except ConnectionError:
            pass
        self.is_over = True

    @property
    def has_begun(self) -> bool:
        """True when the server has begun to answer."""
        return bool(self._head)

    @property
    def has_failed(self) -> bool:
        """True when it is over with an error."""
        good = self._head.startswith(b"HTTP/1.1 200") and b'"done":true' in self._tail
        return self.is_over and not good

    @property
    def told(self) -> dict[str, Any]:
        """What the last line of a complete answer says."""
        line = next((x for x in self._tail.splitlines()[::-1] if b'"done":true' in x), b"{}")
        told: dict[str, Any] = json.loads(line[line.index(b"{") :])
        return told

    def hang_up(self) -> None:
        """Go away, whether it is over or not."""
        self._socket.close()

    def __str__(self) -> str:
        return (self._head[:15] + b" ... " + self._tail[-150:]).decode(errors="replace")


@dataclass(frozen=True)
class LoadLine:
    """What the log says of a load: it "began", "ended" or "failed"; with the weights' digest."""

    at_s: float
    what: str
    weights: str


_WHAT = {b"loading": "began", b"loaded": "ended", b"Load": "failed"}


class LoadLog:
    """The loads of a server, read from its log as they come."""

    _SAYS = re.compile(
        rb'^time=(\S+) .*msg="(loading model via llama-server|loaded runners|Load failed)"'
        rb"(?:.*sha256-([0-9a-f]{64}))?",
        re.MULTILINE,
    )

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._file.seek(0, 2)
        self._rest = b""
        self.loading: str | None = None
        """The weights that are being loaded now."""

    def new(self) -> Iterator[LoadLine]:
        """What has been written since."""
        text, line_end, self._rest = (self._rest + self._file.read()).rpartition(b"\n")
        for at, message, weights in self._SAYS.findall(text + line_end):
            what = _WHAT[message.split()[0]]
            at_s = datetime.fromisoformat(at.decode().replace("Z", "+00:00")).timestamp()
            named = weights.decode() or self.loading or ""
            self.loading = named if what == "began" else None
            yield LoadLine(at_s, what, named)

    def close(self) -> None:
        self._file.close()
