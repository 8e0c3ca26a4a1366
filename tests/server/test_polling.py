"""Server.poll: what is asked twice a second, by a short way, with the door's own words."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_widgets.server import NotTold, Server, ServerError, ServerUnreachable
from lifecycle_widgets.server.door.short_way import _body
from tests.recorded import Answer, RecordedServer, ollama, resident

LISTED = {"models": [resident("tiny:1b")]}


def short(server: RecordedServer) -> int:
    """How many of the questions went by the short way: httpx says who it is."""
    return sum("user-agent" not in {n.lower() for n in r.headers} for r in server.requests)


def test_the_first_goes_through_the_door_and_the_others_by_the_short_way() -> None:
    with RecordedServer({"/api/ps": LISTED}) as recorded:
        poll = Server(recorded.url).poll()
        first, *others = [poll.residents() for _ in range(5)]
        assert [one.name for one in first] == ["tiny:1b"]
        assert all(one is first for one in others[1:]), "the same bytes are not read again"
        assert (len(recorded.requests), short(recorded)) == (5, 4)
        recorded.routes["/api/ps"] = {"models": []}
        assert poll.residents() == ()
        assert recorded.connections == 2
        poll.close()


def test_it_tells_what_the_server_tells(server: Server) -> None:
    poll = server.poll()
    assert poll.residents() == poll.residents() == server.residents() == ()
    server.preload("smollm2:135m", "5m")
    time.sleep(0.1)  # the load's own end sets the deadline once more
    assert poll.residents() == server.residents() != ()
    server.unload("smollm2:135m")
    assert poll.residents() == ()
    poll.close()


def test_headers_the_path_and_the_clock_are_the_doors() -> None:
    needs = {"x-key": "secret"}
    with RecordedServer({"/behind/api/ps": LISTED}, needs=needs, ahead_s=300) as recorded:
        server = Server(f"{recorded.url}/behind", headers=needs)
        poll = server.poll()
        for _ in range(4):
            assert poll.residents()
        assert short(recorded) == 3
        assert server.clock_offset_s == pytest.approx(300, abs=1.5)
        poll.close()


@pytest.mark.parametrize("each", [1, 3])
def test_a_connection_that_was_closed_meanwhile_is_opened_anew(each: int) -> None:
    with RecordedServer({"/api/ps": LISTED}, answers_each=each) as hasty:
        poll = Server(hasty.url).poll()
        assert all(poll.residents() for _ in range(9))
        assert short(hasty) >= 8
        poll.close()


def said(ask: Callable[[], Any]) -> str:
    with pytest.raises((ServerUnreachable, ServerError, NotTold)) as caught:
        ask()
    return str(caught.value)


ODD: dict[str, Any] = {
    "an error": Answer({"error": "out of order"}, 500),
    "no such endpoint": Answer({"error": "not found"}, 404),
    "a key is wanted": Answer({"error": "unauthorized"}, 401),
    "no JSON": Answer(b"<html>sign in</html>", kind="text/html"),
    "no list": {"models": 5},
    "cut": Answer(LISTED, cut=True),
    "slow": Answer(LISTED, delay_s=3.0),
}


@pytest.mark.parametrize("what", ODD)
def test_what_goes_wrong_is_said_as_the_door_says_it(what: str) -> None:
    with RecordedServer({"/api/ps": LISTED}) as recorded:
        server = Server(recorded.url, quick_timeout_s=0.3)
        poll = server.poll()
        assert poll.residents() == poll.residents()
        recorded.routes["/api/ps"] = ODD[what]
        began_s = time.monotonic()
        told = said(poll.residents)
        assert time.monotonic() - began_s < 0.55, "it is not waited for twice"
        assert told == said(server.residents)
        recorded.routes["/api/ps"] = LISTED
        assert poll.residents() == poll.residents() == server.residents()
        poll.close()


def test_a_server_that_has_gone() -> None:
    with RecordedServer({"/api/ps": LISTED}) as recorded:
        server = Server(recorded.url)
        poll = server.poll()
        assert poll.residents() == poll.residents()
    told = said(poll.residents)
    assert told == said(server.residents)
    assert "No Ollama answers" in told
    poll.close()


ZIPPED = Answer(gzip.compress(b'{"models": []}'), headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize("answer", [ZIPPED, Answer({"models": []}, 299)], ids=["zipped", "299"])
def test_what_is_out_of_the_ordinary_is_left_to_the_door(answer: Any) -> None:
    """And for a while all that comes after it."""
    with RecordedServer({"/api/ps": LISTED}) as recorded:
        poll = Server(recorded.url).poll()
        assert poll.residents()
        recorded.routes["/api/ps"] = answer
        for _ in range(4):
            assert poll.residents() == ()
        assert short(recorded) == 1
        poll.close()


def test_an_answer_in_chunks_as_one_of_many_models_is() -> None:
    """Go's server sends what is longer than 2 kB so."""
    lines = json.dumps({"models": [resident(f"tiny:{n}b") for n in range(9)]}, indent=1).split("\n")
    with RecordedServer({"/api/ps": Answer(lines=lines, pause_s=0.0)}) as recorded:
        server = Server(recorded.url)
        poll = server.poll()
        assert [len(poll.residents()) for _ in range(4)] == [9] * 4
        assert short(recorded) == 3
        assert poll.residents() == server.residents()
        recorded.routes["/api/ps"] = Answer(lines=lines, cut=True, pause_s=0.0)
        assert said(poll.residents) == said(server.residents)
        poll.close()


@given(st.binary(max_size=400), st.lists(st.integers(1, 60)), st.integers(0, 40))
def test_chunks_are_put_together_wherever_they_are_cut(
    body: bytes, sizes: list[int], missing: int
) -> None:
    sent, rest = b"", body
    for size in [*sizes, 400]:
        piece, rest = rest[:size], rest[size:]
        if piece:
            sent += b"%X\r\n%s\r\n" % (len(piece), piece)
    sent += b"0\r\n\r\n"
    assert _body(sent, None) == body
    if missing:
        assert _body(sent[:-missing], None) is None


@pytest.mark.parametrize("odd", [b"\r\n", b"-5\r\nabc", b"5;name=x\r\nabcde\r\n", b"zz\r\n"])
def test_what_is_no_chunk_is_out_of_the_ordinary(odd: bytes) -> None:
    with pytest.raises(ValueError, match="no chunk"):
        _body(odd, None)


def test_a_redirect_is_followed_by_the_door() -> None:
    with RecordedServer(ollama()) as there, RecordedServer(redirect_to=there.url) as here:
        poll = Server(here.url).poll()
        assert len({poll.residents() for _ in range(4)}) == 1
        assert short(here) <= 1
        poll.close()


def test_behind_a_proxy_or_tls_there_is_no_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    with RecordedServer({"http://ollama.example/api/ps": LISTED}) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        poll = Server("http://ollama.example:80").poll()
        for _ in range(3):
            assert poll.residents()
        assert short(proxy) == 0
        poll.close()
