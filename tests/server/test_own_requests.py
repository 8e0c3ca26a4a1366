"""OwnRequests: what this process asks of the models, by whatever way; and what came to nothing."""

from __future__ import annotations

import itertools
import threading
import time

import httpx
import ollama
import pytest

from lifecycle_widgets.agent.requests.client import MeteredClient
from lifecycle_widgets.server import OwnRequest, Server, ServerUnreachable, UnknownModel

MODEL = "smollm2:135m"
ASK = [{"role": "user", "content": "Write a long story about a lighthouse."}]


@pytest.fixture
def since(server: Server) -> int:
    """The number of the last request so far."""
    return max((one.number for one in server.own_requests.all()), default=0)


def new(server: Server, since: int) -> list[OwnRequest]:
    return [one for one in server.own_requests.all() if one.number > since]


def test_by_whatever_server_it_is_sent(server: Server) -> None:
    assert Server(server.url).own_requests is server.own_requests
    assert Server("192.0.2.9").own_requests is not server.own_requests


def test_loads_touches_and_unloads(server: Server, since: int) -> None:
    server.preload(MODEL, "10m")
    server.touch(MODEL, 30)
    server.unload(MODEL)
    found = new(server, since)
    assert [(one.kind, one.keep_alive_s) for one in found] == [
        ("load", 600.0),
        ("touch", 30.0),
        ("unload", 0.0),
    ]
    for one, after in itertools.pairwise(found):
        assert one.ended_s is not None
        assert one.began_s < one.ended_s <= after.began_s
        assert one.is_broken_off is False


def test_a_chat_while_it_goes_on_and_when_it_has_ended(server: Server, since: int) -> None:
    stream = MeteredClient(server).chat(
        MODEL, ASK, stream=True, options={"num_predict": 10}, keep_alive=-1
    )
    next(stream)
    [one] = new(server, since)
    assert (one.kind, one.ended_s, one.keep_alive_s) == ("chat", None, float("inf"))
    assert len(list(stream)) >= 9
    assert one.ended_s is not None
    assert one.is_broken_off is False
    assert (one.output_tokens, one.load_s is not None, one.ttft_s is not None) == (10, True, True)
    assert one.ended_s <= time.monotonic()


def test_one_that_is_stopped(server: Server, since: int) -> None:
    client = MeteredClient(server)
    for number, _ in enumerate(client.chat(MODEL, ASK, stream=True)):
        if number == 3:
            client.stop()
    [one] = new(server, since)
    assert one.is_broken_off is True
    assert one.ended_s is not None


def test_an_answer_in_one_piece_and_an_embedding(server: Server, since: int) -> None:
    client = MeteredClient(server)
    client.chat(MODEL, ASK, options={"num_predict": 2})
    with pytest.raises(ollama.ResponseError):  # this model makes none
        client.embed(MODEL, "a word")
    found = new(server, since)
    assert [(one.kind, one.is_broken_off) for one in found] == [("chat", False), ("embed", True)]
    assert found[0].output_tokens == 2


def test_what_comes_to_nothing_is_forgotten(server: Server, since: int) -> None:
    client = MeteredClient(server)
    for ask in (client.embed, client.embeddings):
        with pytest.raises(ollama.ResponseError):
            ask("nobody:latest", "a word")
    with pytest.raises(ollama.ResponseError):
        client.chat("nobody:latest", ASK)
    with pytest.raises(ValueError, match="Did you mean '5m'"):
        list(client.chat(MODEL, ASK, stream=True, keep_alive="5 m"))
    with pytest.raises(UnknownModel):
        server.preload("nobody:latest")
    assert new(server, since) == []
    nowhere = Server("127.0.0.1:1")
    with pytest.raises(ServerUnreachable):
        nowhere.touch(MODEL)
    with pytest.raises(httpx.ConnectError):
        list(MeteredClient(nowhere).chat(MODEL, ASK, stream=True))
    with pytest.raises(ConnectionError):
        MeteredClient(nowhere).chat(MODEL, ASK)
    assert nowhere.own_requests.all() == ()


def test_many_threads_and_a_limit() -> None:
    own = Server("192.0.2.10").own_requests

    def ask() -> None:
        for _ in range(600):
            with own.noted("a", "chat"):
                pass

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = own.all()
    assert len(kept) == 2000
    assert len({one.number for one in kept}) == 2000
    assert kept[-1].number == 2400
