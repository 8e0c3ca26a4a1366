"""Proxies, keys, certificates and gateways between us and a server."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lifecycle_widgets import AgentRun, Sandbox, Server, ServerError, ServerUnreachable, run_agent
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE
from tests.cases.case_tools import OURS, assert_readable, printed, samples, told, wait_until
from tests.recorded import Answer, Certificate, RecordedServer, certificate, ollama
from tests.sandbox.sandbox_tools import environment

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
NO_PROXIES: dict[str, str | None] = dict.fromkeys((*PROXIES, *map(str.lower, PROXIES)))
KEY = "k3y-of-mine"


@pytest.fixture(scope="session")
def localhost(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate of our own for localhost."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without proxies, to be filled."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


# --- proxies ------------------------------------------------------------------------------------

NOBODY = "http://127.0.0.1:9"
SETTINGS = [
    {"HTTP_PROXY": NOBODY, "http_proxy": NOBODY},
    {"http_proxy": NOBODY, "no_proxy": ""},
    {"HTTPS_PROXY": NOBODY, "ALL_PROXY": NOBODY, "NO_PROXY": "example.com"},
    {"ALL_PROXY": "socks5://127.0.0.1:9"},
    {"all_proxy": "socks5h://user:pw@127.0.0.1:9", "NO_PROXY": " "},
    {"ALL_PROXY": "socks4://127.0.0.1:9"},
    {"HTTP_PROXY": "127.0.0.1:9"},
    {"HTTP_PROXY": "proxy"},
    {"HTTP_PROXY": "ftp://127.0.0.1:9"},
    {"HTTP_PROXY": "http://[::1"},
    {"HTTP_PROXY": "http://127.0.0.1:port"},
    {"HTTP_PROXY": NOBODY, "NO_PROXY": "10.0.0.0/8, .corp.example,*.x, host:80 ,[::1],,"},
    {"HTTP_PROXY": NOBODY, "NO_PROXY": "::1/128,[::1]:80,http://a.example,\u00fc"},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_loopback_never_goes_through_a_proxy(
    sandbox: Sandbox, no_proxies: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    """Cases 12 and 13, on a real Ollama: lists, version, and the monitor."""
    for name, value in settings.items():
        no_proxies.setenv(name, value)
    server = Server(sandbox.url)
    assert len(server.models()) == 3
    assert server.version == sandbox.version
    assert server.answers()
    server.client.show("smollm2:135m")
    server.close()


def test_a_run_and_a_monitor_behind_a_proxy(server: Server, no_proxies: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        no_proxies.setenv(name, NOBODY)
    run = run_agent("Hi", model="smollm2:135m", server=server, options={"num_predict": 4})
    assert run.answer
    assert all(sample.error is None for sample in samples(server))


def test_the_sandbox_is_found_behind_a_companys_proxy(sandbox: Sandbox) -> None:
    """As in a kernel that `lifecycle-lab` started."""
    if Server("localhost").answers():
        pytest.skip("an Ollama of this machine's owner runs on localhost:11434")
    code = "import lifecycle_widgets as lw; s = lw.Server.find(); print(s.url, len(s.models()))"
    everywhere = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"), NOBODY)
    handed = {SANDBOX_URL_VARIABLE: sandbox.url, "OLLAMA_HOST": None}
    assert printed(code, **everywhere, **handed, NO_PROXY="", no_proxy="") == f"{sandbox.url} 3"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost"])
def test_every_address_of_loopback(no_proxies: pytest.MonkeyPatch, host: str) -> None:
    no_proxies.setenv("HTTP_PROXY", NOBODY)
    with RecordedServer(ollama(), host="127.0.0.1" if host == "localhost" else host) as recorded:
        assert Server(f"http://{host}:{recorded.port}").models()


@pytest.mark.parametrize("settings", [SETTINGS[i] for i in (3, 5, 8, 10)], ids=str)
def test_a_fresh_process_behind_a_proxy_that_cannot_be_used(settings: dict[str, str]) -> None:
    """`import ollama` reads the variables too, whichever server is asked."""
    code = (
        "import os, lifecycle_widgets as lw\n"
        "s = lw.Server(os.environ['OLLAMA_HOST'])\n"
        "print(len(s.models()), lw.run_agent('hi', model='tiny:1b', server=s).answer,"
        " s.client.list().models[0].model)\n"
    )
    with RecordedServer(ollama()) as recorded:
        said = printed(code, OLLAMA_HOST=recorded.url, **{**NO_PROXIES, **settings})
    assert said == "1 Hello tiny:1b"


def without_a_network(code: str, **changes: str | None) -> str:
    """What Python prints in a network namespace that has loopback only: nothing can go out."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    command = ["unshare", "-n", "--", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]
    command += [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=environment(**changes), capture_output=True, text=True, timeout=60
    )
    if "unshare failed" in done.stderr:
        pytest.skip(f"no network namespace can be made here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("variable", "proxy"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9"),
        ("all_proxy", "socks5h://127.0.0.1:9"),
        ("ALL_PROXY", "socks4://127.0.0.1:9"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
        ("http_proxy", "proxy.of.ours"),
        ("HTTP_PROXY", "ftp://127.0.0.1:9"),
        ("HTTP_PROXY", "http://127.0.0.1:port"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(variable: str, proxy: str) -> None:
    """Case 13: for a server elsewhere, one sentence with the variable's name."""
    code = (
        "import lifecycle_widgets as lw\n"
        "s = lw.Server('http://192.0.2.7:11434')\n"
        "for ask in (s.models, s.residents, lambda: s.version,"
        " lambda: lw.run_agent('hi', model='m', server=s)):\n"
        "    try: ask()\n"
        "    except lw.ServerUnreachable as fault: print(fault)\n"
    )
    lines = without_a_network(code, **{**NO_PROXIES, variable: proxy}).splitlines()
    assert len(lines) == 4
    for line in lines:
        assert_readable(line)
        assert variable.lower() in line.lower()


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


# --- finding ------------------------------------------------------------------------------------


def found_with(host: str, **more: str) -> str:
    """What `Server.find` says and does in a process of its own, with the children it has then."""
    code = (
        "import psutil, warnings, lifecycle_widgets as lw\n"
        "warnings.simplefilter('error')\n"
        "try: print('found', lw.Server.find().url)\n"
        "except (lw.ServerUnreachable, lw.ServerError, ValueError, UserWarning) as f: print(f)\n"
        "print(len(psutil.Process().children(recursive=True)), 'children')\n"
    )
    gone = {SANDBOX_URL_VARIABLE: None, "OLLAMA_API_KEY": None}
    return printed(code, **{**gone, "OLLAMA_HOST": host, **more})


def test_a_server_that_is_slow_is_found_or_named() -> None:
    slow = {path: Answer(body, delay_s=4) for path, body in ollama().items()}
    with RecordedServer(slow) as recorded:
        said = found_with(recorded.url)
    assert said.endswith("\n0 children"), said
    assert recorded.url in said


def test_a_server_that_wants_a_key_is_named() -> None:
    with RecordedServer(ollama(), needs={"Authorization": "Bearer k"}) as recorded:
        said = found_with(recorded.url)
        assert said.endswith("\n0 children"), said
        assert "OLLAMA_API_KEY" in said
        assert found_with(recorded.url, OLLAMA_API_KEY="k").startswith("found")


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/api", "/api/"])
def test_an_address_with_another_apis_path(path: str) -> None:
    with RecordedServer(ollama()) as recorded:
        said = found_with(recorded.url + path)
        assert said.endswith("\n0 children"), said
        assert said.startswith("found") or path.strip("/") in said
        assert recorded.url in said


def test_the_wrong_scheme_is_named(localhost: Certificate) -> None:
    with RecordedServer(ollama(), tls=localhost) as secure, RecordedServer(ollama()) as plain:
        for wrong, right in ((f"http://127.0.0.1:{secure.port}", "https"),
                             (f"https://127.0.0.1:{plain.port}", "http://")):  # fmt: skip
            said = found_with(wrong)
            assert said.endswith("\n0 children"), said
            assert said.startswith("found") or right in said


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_gateway_before_an_ollama_that_is_down_is_named(status: int) -> None:
    page = Answer(PAGE, status, "text/html")
    with RecordedServer(dict.fromkeys(ollama(), page)) as recorded:
        said = found_with(recorded.url)
    assert said.endswith("\n0 children"), said
    assert str(status) in said


def test_an_address_that_is_none_is_one_line() -> None:
    for host in ("http://localhost:port", "[::1", "http://", "localhost:99999"):
        said = found_with(host)
        assert said.endswith("\n0 children"), said
        assert_readable(said.rpartition("\n")[0])
