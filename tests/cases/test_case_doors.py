"""Keys, certificates, gateways and redirects between us and a server."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from lifecycle_widgets import AgentRun, Server, ServerError, ServerUnreachable, run_agent
from tests.cases.case_tools import (
    OURS,
    assert_readable,
    samples,
    told,
    wait_until,
    without_a_network,
)
from tests.recorded import Answer, Certificate, RecordedServer, certificate, ollama

KEY = "k3y-of-mine"


# --- keys ---------------------------------------------------------------------------------------


def searched(server: Server, *texts: str) -> None:
    """The key is in nothing that can be read."""
    for text in (repr(server), str(server), server.url, *texts):
        assert KEY not in text


def test_a_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 14."""
    with RecordedServer(ollama(), needs={"Authorization": f"Bearer {KEY}"}) as recorded:
        monkeypatch.setenv("OLLAMA_API_KEY", KEY)
        monkeypatch.setenv("OLLAMA_HOST", recorded.url)
        server = Server(recorded.url)
        assert server.answers()
        assert server.models()
        assert server.version == "0.32.15"
        found = Server.own()
        assert found is not None
        assert found.url == server.url
        assert Server.find().url == server.url
        run = run_agent("hi", model="tiny:1b", server=server)
        assert run.answer == "Hello"
        assert all(sample.error is None for sample in samples(server))
        searched(server, repr(run), repr(found))


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": f"Bearer {KEY}"}, {"X-Api-Key": KEY}, {"cf-access-token": KEY}],
    ids=lambda headers: next(iter(headers)),
)
def test_headers_of_any_name(monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]) -> None:
    monkeypatch.delenv("OLLAMA_API_KEY", raising=False)
    with RecordedServer(ollama(), needs=headers) as recorded:
        server = Server(recorded.url, headers=headers)
        assert server.models()
        assert run_agent("hi", model="tiny:1b", server=server).answer == "Hello"
        assert all(sample.error is None for sample in samples(server))
        searched(server)


def test_user_and_password_in_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_API_KEY", raising=False)
    with RecordedServer(
        ollama(), needs={"Authorization": "Basic dTprM3ktb2YtbWluZQ=="}
    ) as recorded:
        server = Server(f"http://u:{KEY}@127.0.0.1:{recorded.port}")
        assert server.models()
        assert server.url == recorded.url
        assert run_agent("hi", model="tiny:1b", server=server).answer == "Hello"
        searched(server)


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_one_line_without_the_key(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    monkeypatch.delenv("OLLAMA_API_KEY", raising=False)
    caplog.set_level(logging.DEBUG)
    routes = dict.fromkeys(ollama(), Answer({"error": f"no: {KEY}"}, status))
    with RecordedServer(routes) as recorded:
        for server in (
            Server(recorded.url, headers={"Authorization": f"Bearer {KEY}"}),
            Server(f"http://u:{KEY}@127.0.0.1:{recorded.port}"),
        ):
            for ask in (
                server.models,
                server.residents,
                lambda s=server: run_agent("hi", model="tiny:1b", server=s),
            ):
                said = told(ask)
                assert isinstance(said, str)
                assert "key" in said.lower() or "password" in said.lower()
                searched(server, said)
    assert KEY not in caplog.text


@pytest.mark.parametrize("key", [f"{KEY}\r\nX: y", f"\u043a{KEY}", f"{KEY}\x7f\u20ac"])
def test_a_key_that_no_header_can_hold(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """Read from a file with more in it, or with letters of another alphabet."""
    monkeypatch.setenv("OLLAMA_API_KEY", key)
    with RecordedServer(ollama()) as recorded:
        server = Server(recorded.url)
        for ask in (server.models, lambda: run_agent("hi", model="tiny:1b", server=server)):
            said = told(ask)
            assert isinstance(said, str)
            assert "OLLAMA_API_KEY" in said
            searched(server, said)


def test_a_key_from_a_file_with_a_line_break_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", f" {KEY}\n")
    with RecordedServer(ollama(), needs={"Authorization": f"Bearer {KEY}"}) as recorded:
        assert Server(recorded.url).models()


# --- https --------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["verify", "SSL_CERT_FILE"])
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_stop_while_a_cold_model_loads(
    localhost: Certificate, monkeypatch: pytest.MonkeyPatch, tls: bool, way: str
) -> None:
    """Case 15: within a second, over https too."""
    slow = ollama(chat=Answer({}, delay_s=12))
    if way == "SSL_CERT_FILE":
        monkeypatch.setenv("SSL_CERT_FILE", str(localhost.path))
    with RecordedServer(slow, tls=localhost if tls else None) as recorded:
        server = Server(recorded.url, verify=str(localhost.path) if way == "verify" else True)
        run = AgentRun("hi", model="tiny:1b", server=server).start()
        wait_until(lambda: recorded.asked("/api/chat"), "the request has come")
        began_s = time.monotonic()
        run.stop()
        assert run.wait(10).stopped
        assert time.monotonic() - began_s < 1.0


def test_an_unknown_certificate_is_one_sentence(
    localhost: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    with RecordedServer(ollama(), tls=localhost) as recorded:
        server = Server(recorded.url)
        for ask in (server.models, lambda: run_agent("hi", model="tiny:1b", server=server)):
            with pytest.raises(ServerUnreachable, match="certificate") as refused:
                ask()
            assert_readable(str(refused.value))
            assert "verify" in str(refused.value)
        assert Server(recorded.url, verify=False).models()
        assert Server(recorded.url, verify=str(localhost.path)).models()


def test_a_certificate_of_another_name(tmp_path: Path) -> None:
    other = certificate(tmp_path, "other")
    with RecordedServer(ollama(), tls=other) as recorded:
        said = told(Server(recorded.url, verify=str(other.path)).models)
        assert "certificate" in str(said)
        assert "localhost" in str(said)


def test_http_to_a_port_of_https_and_the_other_way_round(localhost: Certificate) -> None:
    with RecordedServer(ollama(), tls=localhost) as secure, RecordedServer(ollama()) as plain:
        for wrong in (f"http://127.0.0.1:{secure.port}", f"https://127.0.0.1:{plain.port}"):
            with pytest.raises((ServerUnreachable, ServerError)) as refused:
                Server(wrong, verify=False).models()
            assert_readable(str(refused.value))


@pytest.mark.parametrize("file", ["missing.pem", "empty.pem", "key"])
def test_a_file_that_is_no_certificate(localhost: Certificate, tmp_path: Path, file: str) -> None:
    (tmp_path / "empty.pem").write_text("")
    path = localhost.key if file == "key" else tmp_path / file
    with RecordedServer(ollama(), tls=localhost) as recorded:
        with pytest.raises((*OURS, ValueError)) as wrong:
            Server(recorded.url, verify=str(path)).models()
        assert_readable(str(wrong.value).replace(str(path), path.name))


# --- gateways -----------------------------------------------------------------------------------

PAGE = b"<html>" + b"<p>gateway time-out</p>" * 150 + b"</html>"


@pytest.mark.parametrize("status", [404, 408, 413, 429, 500, 502, 503, 504, 520])
def test_a_gateways_page_is_one_line(status: int) -> None:
    """Case 16."""
    page = Answer(PAGE, status, "text/html")
    with RecordedServer(dict.fromkeys(ollama(), page)) as recorded:
        server = Server(recorded.url)
        for ask in (
            server.models,
            server.residents,
            lambda: run_agent("hi", model="tiny:1b", server=server),
            lambda: server.unload("tiny:1b", timeout_s=0.2),
        ):
            said = told(ask)
            assert isinstance(said, str)
            assert str(status) in said or (status == 404 and ask == server.residents)
            assert len(said) < 300


def test_a_504_while_a_model_loads_says_whose_patience_ended() -> None:
    routes = ollama(chat=Answer(PAGE, 504, "text/html"))
    with RecordedServer(routes) as recorded, pytest.raises(OURS) as gone:
        run_agent("hi", model="tiny:1b", server=Server(recorded.url))
    said = str(gone.value)
    assert "504" in said
    assert "load" in said, "a limit shorter than a cold load"


def test_an_error_with_a_key_in_it_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that echoes what it was sent."""
    monkeypatch.setenv("OLLAMA_API_KEY", KEY)
    routes = ollama(tags=lambda request: Answer({"error": str(dict(request.headers))}, 400))
    with RecordedServer(routes) as recorded, pytest.raises(OURS) as echoed:
        Server(recorded.url).models()
    assert KEY not in str(echoed.value)


# --- redirects ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_keeps_the_method(status: int) -> None:
    with (
        RecordedServer(ollama()) as recorded,
        RecordedServer(redirect_to=recorded.url, redirect_status=status) as before,
    ):
        server = Server(before.url)
        assert server.models()
        run = told(lambda: run_agent("hi", model="tiny:1b", server=server))
        assert isinstance(run, str) or run.answer == "Hello"
        assert {request.method for request in recorded.asked("/api/chat")} <= {"POST"}


def test_a_redirect_to_another_machine_is_not_followed() -> None:
    """Neither a prompt nor a key goes where nobody has said that it may."""
    code = (
        "import lifecycle_widgets as lw\n"
        "from tests.recorded import RecordedServer\n"
        "with RecordedServer(redirect_to='http://192.0.2.7:1') as before:\n"
        "    try: lw.Server(before.url).models()\n"
        "    except lw.ServerError as fault: print(fault)\n"
    )
    said = without_a_network(code, OLLAMA_API_KEY=KEY)
    assert_readable(said)
    assert "http://192.0.2.7:1" in said
    assert KEY not in said


def test_a_redirect_to_itself_ends() -> None:
    with RecordedServer() as recorded:
        recorded.redirect_to = recorded.url
        assert isinstance(told(Server(recorded.url).models), str)
