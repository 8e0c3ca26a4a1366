"""Connections that are kept open, and what becomes of a question when one has been closed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from lifecycle_widgets.server import Server, ServerUnreachable

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"


class Hasty:
    """A gateway that answers so many requests of each connection, and closes it when one more has
    come: what happens when the closing and the request cross on their way."""

    def __init__(self, answers: int) -> None:
        self.answers, self.connections, self.requests = answers, 0, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            for number in range(self.answers + 1):
                length = 0
                while (line := lines.readline()) not in (b"\r\n", b""):
                    name, _, value = line.decode("latin-1").partition(":")
                    length = int(value) if name.lower() == "content-length" else length
                if not line:
                    return
                lines.read(length)
                self.requests += 1
                if number < self.answers:
                    connection.sendall(ANSWER + b'{"models": []}')

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def hasty(request: pytest.FixtureRequest) -> Iterator[Hasty]:
    gateway = Hasty(request.param)
    yield gateway
    gateway.close()


@pytest.mark.parametrize("hasty", [1, 3], indirect=True)
def test_a_connection_that_was_closed_meanwhile_is_opened_anew(hasty: Hasty) -> None:
    server = Server(hasty.url)
    for _ in range(9):
        assert server.residents() == ()
    assert hasty.connections == 9 // hasty.answers
    server.preload("tiny:1b", "5m")  # asked again, a load is the same load
    server.close()


@pytest.mark.parametrize("hasty", [2], indirect=True)
def test_when_two_are_kept_both_may_have_been_closed(hasty: Hasty) -> None:
    server = Server(hasty.url)
    at_once = [threading.Thread(target=server.residents) for _ in range(6)]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    for _ in range(6):
        assert server.residents() == ()
    server.close()


@pytest.mark.parametrize("hasty", [0], indirect=True)
def test_a_new_connection_that_is_closed_is_a_server_that_does_not_answer(hasty: Hasty) -> None:
    with pytest.raises(ServerUnreachable):
        Server(hasty.url).residents()
    assert hasty.requests == 1, "it was not asked twice"


@pytest.mark.parametrize("hasty", [1], indirect=True)
def test_what_may_not_be_repeated_is_sent_once(hasty: Hasty) -> None:
    with Server(hasty.url).door.http_client(timeout_s=5.0) as client:
        assert client.post("/api/chat", json={"prompt": "hi"}).status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/api/chat", json={"prompt": "hi"})
    assert hasty.requests == 2
