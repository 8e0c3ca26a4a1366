"""Proxies in the environment: loopback never goes through one; what is wrong with one is named."""

from __future__ import annotations

import pytest

from lifecycle_widgets import Sandbox, Server, run_agent
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE
from tests.cases.case_tools import assert_readable, printed, samples, without_a_network
from tests.recorded import RecordedServer, ollama

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
NO_PROXIES: dict[str, str | None] = dict.fromkeys((*PROXIES, *map(str.lower, PROXIES)))


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without proxies, to be filled."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


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


@pytest.mark.parametrize("settings", [SETTINGS[3], SETTINGS[10]], ids=str)
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


UNUSABLE = [
    ("ALL_PROXY", "socks5://127.0.0.1:9"),
    ("all_proxy", "socks5h://127.0.0.1:9"),
    ("ALL_PROXY", "socks4://127.0.0.1:9"),
    ("HTTP_PROXY", "http://127.0.0.1:9"),
    ("http_proxy", "proxy.of.ours"),
    ("HTTP_PROXY", "ftp://127.0.0.1:9"),
    ("HTTP_PROXY", "http://127.0.0.1:port"),
    ("HTTP_PROXY", "http://user:s3cret@127.0.0.1:port"),
    ("HTTP_PROXY", "http://["),
]


def test_a_proxy_that_cannot_be_used_is_named() -> None:
    """Case 13: for a server elsewhere, one sentence with the variable's name."""
    code = f"""
import os, lifecycle_widgets as lw
for variable, proxy in {UNUSABLE!r}:
    os.environ[variable] = proxy
    s = lw.Server("http://192.0.2.7:11434")
    run = lambda: lw.run_agent("hi", model="m", server=s)
    for ask in (s.models, s.residents, lambda: s.version, run):
        try: ask()
        except lw.ServerUnreachable as fault: print(fault)
    del os.environ[variable]
"""
    lines = without_a_network(code, **NO_PROXIES).splitlines()
    assert len(lines) == 4 * len(UNUSABLE)
    for number, line in enumerate(lines):
        assert_readable(line)
        assert UNUSABLE[number // 4][0].lower() in line.lower()
        assert "s3cret" not in line
