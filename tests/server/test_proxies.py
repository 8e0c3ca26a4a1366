"""Proxies as people set them: which address goes through one, and which never does."""

from __future__ import annotations

import os
import socket

import pytest

from lifecycle_widgets.server import Server, ServerUnreachable
from lifecycle_widgets.server.door.proxies import BadProxy, proxy_for

REMOTE = "http://gpu.corp.example:11434"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def named(url: str) -> str | None:
    found = proxy_for(url)
    return found[0] if found else None


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"]
)  # fmt: skip
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_loopback_never_goes_through_one(
    monkeypatch: pytest.MonkeyPatch, host: str, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://proxy.example:3128")
    assert named(f"http://{host}:11434") is None


def test_nor_does_this_machine_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert named(f"http://{socket.gethostname()}:11434") is None


@pytest.mark.parametrize(
    ("setting", "used"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("  'http://proxy.example:3128' ", "http://proxy.example:3128"),
        ("http://me:secret@proxy.example:3128", "http://me:secret@proxy.example:3128"),
        ("HTTPS://proxy.example", "https://proxy.example"),
        ("socks5://proxy.example:1080", "socks5://proxy.example:1080"),
        ("socks5h://proxy.example:1080", "socks5h://proxy.example:1080"),
        ("socks://proxy.example:1080", "socks5://proxy.example:1080"),
    ],
)
def test_forms_of_a_proxy(monkeypatch: pytest.MonkeyPatch, setting: str, used: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", setting)
    assert proxy_for(REMOTE) == (used, "HTTP_PROXY")
    assert proxy_for("https://gpu.corp.example") is None


def test_the_scheme_s_own_is_before_the_one_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://all.example:1")
    assert named("https://gpu.corp.example") == "http://all.example:1"
    monkeypatch.setenv("HTTPS_PROXY", "http://tls.example:2")
    assert named("https://gpu.corp.example") == "http://tls.example:2"
    assert named(REMOTE) == "http://all.example:1"


@pytest.mark.parametrize(
    ("exceptions", "excepted"),
    [
        ("gpu.corp.example", True),
        ("GPU.Corp.Example", True),
        ("corp.example", True),
        (".corp.example", True),
        ("*.corp.example", True),
        ("localhost, .corp.example", True),
        ("localhost .corp.example", True),
        ("*", True),
        ("gpu.corp.example:11434", True),
        ("gpu.corp.example:80", False),
        ("pu.corp.example", False),
        ("other.example", False),
        ("", False),
        (", ,", False),
    ],
)
def test_no_proxy_by_name(monkeypatch: pytest.MonkeyPatch, exceptions: str, excepted: bool) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert (named(REMOTE) is None) is excepted


@pytest.mark.parametrize(
    ("exceptions", "host", "excepted"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:11434", "10.1.2.3", True),
        ("10.1.2.3:80", "10.1.2.3", False),
        ("fd00::/8", "[fd00::5]", True),
        ("[fd00::5]", "[fd00::5]", True),
        ("[fd00::5]:11434", "[fd00::5]", True),
        ("10.0.0.0/8", "gpu.corp.example", False),
    ],
)
def test_no_proxy_by_address(
    monkeypatch: pytest.MonkeyPatch, exceptions: str, host: str, excepted: bool
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", exceptions)
    assert (named(f"http://{host}:11434") is None) is excepted


@pytest.mark.parametrize(
    "setting", ["socks4://me:secret@p.example:1", "ftp://p", "http://", "http://p:x"]
)
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", setting)
    with pytest.raises(BadProxy, match="ALL_PROXY"):
        proxy_for(REMOTE)
    server = Server(REMOTE)
    for ask in (server.models, server.residents, lambda: server.version):
        with pytest.raises(ServerUnreachable, match="ALL_PROXY") as told:
            ask()
        assert "secret" not in str(told.value)
    assert not server.answers()


def test_a_proxy_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    monkeypatch.setenv("HTTP_PROXY", f"http://me:secret@127.0.0.1:{port}")
    with pytest.raises(ServerUnreachable, match="by the proxy that HTTP_PROXY names") as told:
        Server("203.0.113.7").models()
    assert "secret" not in str(told.value)
