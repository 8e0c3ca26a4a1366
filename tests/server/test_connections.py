"""Connections that are kept open, and what becomes of a question when one has been closed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from lifecycle_widgets.server import Server, ServerUnreachable
from tests.recorded import RecordedServer

NOTHING = {"models": []}


@pytest.mark.parametrize("each", [1, 3])
def test_a_connection_that_was_closed_meanwhile_is_opened_anew(each: int) -> None:
    routes = {"/api/ps": NOTHING, "/api/generate": {"done": True}}
    with RecordedServer(routes, answers_each=each) as hasty:
        server = Server(hasty.url)
        for _ in range(9):
            assert server.residents() == ()
        new_connections = 9 // each - 1
        assert len(hasty.asked("/api/ps")) == 9 + new_connections, "each is asked once more"
        server.preload("tiny:1b", "5m")  # asked again, a load is the same load
        assert len(hasty.asked("/api/generate")) == 2
        server.close()


def test_when_two_are_kept_both_may_have_been_closed() -> None:
    with RecordedServer({"/api/ps": NOTHING}, answers_each=2) as hasty:
        server = Server(hasty.url)
        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(lambda _: server.residents(), range(6))) == [()] * 6
        for _ in range(6):
            assert server.residents() == ()
        server.close()


def test_a_new_connection_that_is_closed_is_a_server_that_does_not_answer() -> None:
    with RecordedServer(answers_each=0) as hasty:
        with pytest.raises(ServerUnreachable):
            Server(hasty.url).residents()
        assert len(hasty.requests) == 1, "it was not asked twice"


def test_what_may_not_be_repeated_is_sent_once() -> None:
    with RecordedServer({"/api/chat": NOTHING}, answers_each=1) as hasty:
        with Server(hasty.url).door.http_client(timeout_s=5.0) as client:
            assert client.post("/api/chat", json={"prompt": "hi"}).status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                client.post("/api/chat", json={"prompt": "hi"})
        assert len(hasty.requests) == 2


def test_one_that_is_closed_just_then_is_a_server_that_was_not_asked() -> None:
    server = Server("http://127.0.0.1:9")
    client = server.door.http  # as a thread has it that is about to ask
    client.close()  # another ends what both belong to
    with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:9 was not asked: it was closed"):
        server.version  # noqa: B018
    server.close()
