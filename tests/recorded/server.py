"""RecordedServer: a small HTTP server on loopback that answers as it was told to."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tests.recorded.tls import Certificate

_POLL_S = 0.05


@dataclass(frozen=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON; an empty object where there is none."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Answer:
    """What the server answers, byte for byte where need be.

    Parameters
    ----------
    body:
        Bytes are sent as they are, anything else as JSON.
    status, kind, headers:
        HTTP's status, the Content-Type, and more header fields.
    delay_s:
        How long nothing is sent.
    lines:
        Sent as chunks, one line each, in place of ``body``, with ``pause_s`` between them.
    cut:
        The connection ends in the middle: of the body, or before the last chunk.
    """

    body: Any = None
    status: int = 200
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    lines: Sequence[str | bytes] = ()
    pause_s: float = 0.01
    cut: bool = False

    @property
    def data(self) -> bytes:
        """The body's bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Route = Any
"""An `Answer`, a value to be sent as JSON, or a function from the `Request` to one of the two."""


class RecordedServer:
    """Answers on a free port of loopback until the end of the `with`.

    Parameters
    ----------
    routes:
        By path. It may be changed while the server runs; a path that is missing is a 404.
    tls:
        With a certificate it speaks https, as ``localhost``.
    needs:
        Header fields without which it answers 401.
    redirect_to:
        Every request is sent on there, with ``redirect_status``.
    ahead_s:
        How far its clock is ahead, as its Date header tells.
    host:
        The address of loopback that it listens on.
    answers_each:
        So many requests of a connection are answered; at one more it is closed without a word.
        That is what happens when a request crosses the closing of a connection on its way.

    Examples
    --------
    >>> with RecordedServer({"/api/version": {"version": "0.32.15"}}) as server:
    ...     Server(server.url).version
    '0.32.15'
    """

    def __init__(
        self,
        routes: Mapping[str, Route] | None = None,
        *,
        tls: Certificate | None = None,
        needs: Mapping[str, str] | None = None,
        redirect_to: str | None = None,
        redirect_status: int = 301,
        ahead_s: float = 0.0,
        host: str = "127.0.0.1",
        answers_each: int | None = None,
    ) -> None:
        self.routes: dict[str, Route] = dict(routes or {})
        self.requests: list[Request] = []
        self.needs, self.ahead_s = dict(needs or {}), ahead_s
        self.answers_each = answers_each
        self.redirect_to, self.redirect_status = redirect_to, redirect_status
        self.ending = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._http = _Listener((host, 0), self)
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.path, tls.key)
            self._http.socket = context.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._http.server_address[1]
        self.url = f"https://localhost:{self.port}" if tls else f"http://{host}:{self.port}"

    def __enter__(self) -> RecordedServer:
        serve = threading.Thread(target=self._http.serve_forever, args=(_POLL_S,), daemon=True)
        serve.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ending.set()
        self._http.shutdown()
        self._http.server_close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def asked(self, path: str) -> list[Request]:
        """The requests for a path, in order."""
        return [request for request in self.requests if request.path == path]

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        with self._lock:
            return len(self._open)

    # --- for the handlers ----------------------------------------------------------------------

    def opened(self, connection: socket.socket) -> None:
        """A client has connected."""
        with self._lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """It has gone."""
        with self._lock:
            self._open.discard(connection)

    def answer(self, request: Request) -> Answer:
        """What is answered to a request."""
        if self.redirect_to is not None:
            where = {"Location": self.redirect_to + request.path}
            return Answer(b"", self.redirect_status, "text/html", where)
        given = {name.lower(): value for name, value in request.headers.items()}
        if any(given.get(name.lower()) != value for name, value in self.needs.items()):
            return Answer({"error": "unauthorized"}, 401)
        route = self.routes.get(request.path, Answer({"error": "not found"}, 404))
        found = route(request) if callable(route) else route
        return found if isinstance(found, Answer) else Answer(found)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], owner: RecordedServer) -> None:
        self.owner = owner
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none of the test's business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Listener
    answered = 0

    def setup(self) -> None:
        super().setup()
        self.server.owner.opened(self.connection)

    def finish(self) -> None:
        self.server.owner.closed(self.connection)
        with suppress(OSError, ValueError):
            super().finish()

    def date_time_string(self, timestamp: float | None = None) -> str:
        now = time.time() if timestamp is None else timestamp
        return formatdate(now + self.server.owner.ahead_s, usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:
        """The log is `RecordedServer.requests`."""

    def _any(self) -> None:
        owner = self.server.owner
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, dict(self.headers), body)
        owner.requests.append(request)
        if self.answered == owner.answers_each:
            self.close_connection = True
            return
        self.answered += 1
        answer = owner.answer(request)
        if answer.delay_s and owner.ending.wait(answer.delay_s):
            self.close_connection = True
            return
        self._send(answer, owner.ending.wait)

    do_GET = do_POST = do_HEAD = do_DELETE = do_PUT = _any

    def _send(self, answer: Answer, wait: Callable[[float], bool]) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.lines:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._send_lines(answer, wait)
        else:
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.data[: len(answer.data) // 2 if answer.cut else None])
        self.wfile.flush()
        self.close_connection = self.close_connection or answer.cut

    def _send_lines(self, answer: Answer, wait: Callable[[float], bool]) -> None:
        for line in answer.lines:
            data = (line.encode() if isinstance(line, str) else line) + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
            wait(answer.pause_s)
        if not answer.cut:
            self.wfile.write(b"0\r\n\r\n")
