"""Finding starts no sandbox beside an Ollama that is there: it says what to change."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import psutil
import pytest

from lifecycle_widgets import Server, ServerError, ServerUnreachable
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE
from tests.cases.case_tools import assert_readable
from tests.recorded import Answer, Certificate, RecordedServer, ollama

PAGE = b"<html>" + b"<p>gateway time-out</p>" * 150 + b"</html>"
Find = Callable[[str], str]


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Find:
    """What `Server.find` says with an OLLAMA_HOST: ``found URL``, or its sentence."""
    for name in (SANDBOX_URL_VARIABLE, "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    def said(host: str) -> str:
        monkeypatch.setenv("OLLAMA_HOST", host)
        before = psutil.Process().children()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)
                line = f"found {Server.find().url}"
        except (ServerUnreachable, ServerError, ValueError, UserWarning) as fault:
            line = str(fault)
            assert_readable(line)
        assert psutil.Process().children() == before, "a sandbox was started"
        return line

    return said


def test_a_server_that_is_slow_is_found_or_named(find: Find) -> None:
    slow = {path: Answer(body, delay_s=4) for path, body in ollama().items()}
    with RecordedServer(slow) as recorded:
        assert recorded.url in find(recorded.url)


def test_a_server_that_wants_a_key_is_named(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    with RecordedServer(ollama(), needs={"Authorization": "Bearer k"}) as recorded:
        assert "OLLAMA_API_KEY" in find(recorded.url)
        monkeypatch.setenv("OLLAMA_API_KEY", "k")
        assert find(recorded.url) == f"found {recorded.url}"


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/api", "/api/", "/ollama", "/api/tags"])
def test_an_address_with_another_path(find: Find, path: str) -> None:
    with RecordedServer(ollama()) as recorded:
        said = find(recorded.url + path)
        assert said.startswith("found") or path.strip("/") in said
        assert recorded.url in said


def test_the_wrong_scheme_is_named(find: Find, localhost: Certificate) -> None:
    with RecordedServer(ollama(), tls=localhost) as secure, RecordedServer(ollama()) as plain:
        assert "https" in find(f"http://127.0.0.1:{secure.port}")
        assert plain.url in find(f"https://127.0.0.1:{plain.port}")


def test_the_wrong_port_is_named(find: Find) -> None:
    """An address without its port, where something else answers, or nobody."""
    with RecordedServer({"/": Answer(b"<html>hello</html>", kind="text/html")}) as other:
        assert find(other.url).startswith("OLLAMA_HOST is")


@pytest.mark.parametrize("status", [403, 500, 502, 503, 504])
def test_a_gateway_before_an_ollama_that_is_down_is_named(find: Find, status: int) -> None:
    page = Answer(PAGE, status, "text/html")
    with RecordedServer(dict.fromkeys(ollama(), page)) as recorded:
        assert str(status) in find(recorded.url)


@pytest.mark.parametrize(
    "host", ["http://localhost:port", "[::1", "localhost:99999", "ftp://localhost", "a b"]
)
def test_an_address_that_is_none_is_one_line(find: Find, host: str) -> None:
    assert "OLLAMA_HOST" in find(host)


def test_a_key_is_not_sent_to_an_address_that_nobody_has_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An address with https is tried without, to be told; that would show the key to everybody."""
    with RecordedServer(ollama()) as recorded:
        monkeypatch.setenv("OLLAMA_API_KEY", "a-secret-key")
        monkeypatch.setenv("OLLAMA_HOST", recorded.url.replace("http://", "https://"))
        with pytest.raises(ServerUnreachable, match="one does at"):
            Server.own()
        assert recorded.asked("/api/version")
        assert not any("a-secret-key" in str(request.headers) for request in recorded.requests)
