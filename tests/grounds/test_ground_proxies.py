"""A real proxy (tinyproxy, SOCKS5) in the environment, a server beyond it, and one on loopback."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle_widgets import Server, ServerUnreachable, run_agent
from tests.cases.case_tools import assert_readable, samples, told
from tests.grounds.ground_tools import SHORT, SMALL, assert_nowhere, assert_works, elsewhere
from tests.grounds.namespaces import Namespace
from tests.grounds.nginx import nginx, to
from tests.grounds.socks5 import Socks5
from tests.grounds.tinyproxy import tinyproxy
from tests.recorded import certificate
from tests.sandbox.sandbox_tools import environment

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
PASSWORD = "pr0xy-w0rd"


@pytest.fixture(scope="module", name="elsewhere")
def another_machine(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Namespace, str]]:
    """A machine of its own, with an Ollama that listens on its address."""
    with elsewhere(tmp_path_factory.mktemp("elsewhere")) as made:
        yield made


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without proxies, to be filled."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


# --- tinyproxy ----------------------------------------------------------------------------------


def test_loopback_asks_no_proxy(
    server: Server, tmp_path: Path, proxies: pytest.MonkeyPatch
) -> None:
    with tinyproxy(tmp_path) as proxy:
        for name in NAMES[:3]:
            proxies.setenv(name, proxy.url)
            proxies.setenv(name.lower(), proxy.url)
        assert_works(server)
        assert_works(Server(server.url.replace("127.0.0.1", "localhost")))
        assert proxy.asked() == 0


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_another_machine_by_a_proxy(
    elsewhere: tuple[Namespace, str], tmp_path: Path, proxies: pytest.MonkeyPatch, variable: str
) -> None:
    with tinyproxy(tmp_path) as proxy:
        proxies.setenv(variable, proxy.url.partition("://")[2] if variable.isupper() else proxy.url)
        there = Server(elsewhere[1])
        if variable == "http_proxy":
            assert_works(there)
        else:
            assert [m.name for m in there.models()] == [SMALL]
        assert proxy.asked() > 0


def test_https_by_a_proxy(
    elsewhere: tuple[Namespace, str], tmp_path: Path, proxies: pytest.MonkeyPatch
) -> None:
    made, url = elsewhere
    ca = certificate(tmp_path, "elsewhere", made.there)
    inner = url.replace(made.there, "127.0.0.1")
    with nginx(tmp_path, to(inner), ca, inside=made) as gateway, tinyproxy(tmp_path) as proxy:
        proxies.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        proxies.setenv("HTTPS_PROXY", proxy.url)
        assert_works(Server(gateway.url, verify=str(ca.path)))
        assert "CONNECT" in proxy.log_path.read_text()
        said = told(Server(gateway.url).models)
        assert "certificate" in said


def test_a_proxy_with_a_password(
    elsewhere: tuple[Namespace, str], tmp_path: Path, proxies: pytest.MonkeyPatch
) -> None:
    with tinyproxy(tmp_path, f"BasicAuth me {PASSWORD}") as proxy:
        host = proxy.url.partition("://")[2]
        proxies.setenv("HTTP_PROXY", f"http://me:{PASSWORD}@{host}")
        there = Server(elsewhere[1])
        assert there.models()
        assert run_agent("hi", model=SMALL, server=there, options=SHORT).answer
        assert_nowhere(PASSWORD, there)
        for wrong in (f"http://me:wr0ng@{host}", f"http://{host}"):
            proxies.setenv("HTTP_PROXY", wrong)
            refused = Server(elsewhere[1])
            for ask in (
                refused.models,
                lambda s=refused: run_agent("hi", model=SMALL, server=s),
            ):
                said = told(ask)
                assert isinstance(said, str)
                assert "407" in said or "HTTP_PROXY" in said
                assert_nowhere("wr0ng", refused, said)


def test_a_proxy_that_refuses_or_is_not_there(
    elsewhere: tuple[Namespace, str], tmp_path: Path, proxies: pytest.MonkeyPatch
) -> None:
    filtered = tmp_path / "filter"
    filtered.write_text("198\\.1[89]\\.\n")
    with tinyproxy(tmp_path, f'Filter "{filtered}"') as proxy:
        proxies.setenv("HTTP_PROXY", proxy.url)
        said = told(Server(elsewhere[1]).models)
        assert isinstance(said, str)
        assert "403" in said
    with pytest.raises(ServerUnreachable, match="HTTP_PROXY") as gone:
        Server(elsewhere[1]).models()
    assert_readable(str(gone.value))
    assert all(s.residents is None and s.error for s in samples(Server(elsewhere[1])))


def test_no_proxy_in_the_forms_people_use(
    elsewhere: tuple[Namespace, str], tmp_path: Path, proxies: pytest.MonkeyPatch
) -> None:
    made, url = elsewhere
    port = url.rpartition(":")[2]
    straight = [
        "*",
        made.there,
        f"{made.there}:{port}",
        "198.18.0.0/15",
        f" 10.0.0.1 , {made.there} ",
        f"10.0.0.1 {made.there}",
        f"localhost,127.0.0.1,::1,,{made.there}",
        f"example.com;{made.there}",
        f"http://{made.there}",
    ]
    around = ["", " ", ",", f"{made.there}0", f"{made.there}:1", "198.51.100.0/24", ".example", "a"]
    with tinyproxy(tmp_path) as proxy:
        proxies.setenv("HTTP_PROXY", proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            proxies.delenv("NO_PROXY", raising=False)
            proxies.delenv("no_proxy", raising=False)
            for value in straight + around:
                proxies.setenv(name, value)
                before = proxy.asked()
                assert Server(url).models()
                assert (proxy.asked() > before) == (value in around), (name, value)


BY_NAME = """
import os, sys, lifecycle_widgets as lw
for value in sys.argv[2:]:
    os.environ["NO_PROXY"] = value
    try: lw.Server(sys.argv[1]).models(); print("straight")
    except lw.ServerUnreachable as fault: print("proxy" if "HTTP_PROXY" in str(fault) else fault)
"""


def test_no_proxy_by_names(elsewhere: tuple[Namespace, str], tmp_path: Path) -> None:
    """A name of the server that only this process knows; the proxy is not there."""
    made, url = elsewhere
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{made.there} ollama.corp.example\n")
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    script = f'mount --bind {hosts} /etc/hosts; exec "$@"'
    named = url.replace(made.there, "Ollama.corp.example")
    wanted = {
        "corp.example": "straight",
        ".corp.example": "straight",
        "*.corp.example": "straight",
        "OLLAMA.CORP.EXAMPLE": "straight",
        f"ollama.corp.example:{url.rpartition(':')[2]}": "straight",
        "orp.example": "proxy",
        "ollama.corp.example:1": "proxy",
        "other.example,10.0.0.0/8": "proxy",
    }
    command = ["unshare", "-m", "--", "sh", "-c", script, "sh", sys.executable, "-c", BY_NAME]
    done = subprocess.run(
        [*command, named, *wanted],
        env=environment(
            HTTP_PROXY="http://127.0.0.1:9", http_proxy=None, ALL_PROXY=None, all_proxy=None,
            NO_PROXY=None, no_proxy=None,
        ),
        capture_output=True,
        text=True,
        timeout=60,
    )  # fmt: skip
    if "unshare failed" in done.stderr:
        pytest.skip(f"no mount namespace can be made here: {done.stderr.strip()}")
    assert done.stdout.split() == list(wanted.values()), done.stdout + done.stderr


# --- SOCKS --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy(
    elsewhere: tuple[Namespace, str],
    server: Server,
    proxies: pytest.MonkeyPatch,
    scheme: str,
) -> None:
    """Loopback goes straight; another machine by it, or one sentence that says what is missing."""
    with Socks5() as socks:
        proxies.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{socks.port}")
        assert server.models()
        assert samples(server)[-1].residents is not None
        assert socks.asked == []
        found = told(Server(elsewhere[1]).models)
        if isinstance(found, str):
            assert "ALL_PROXY" in found
            assert "socksio" in found
        else:
            assert [m.name for m in found] == [SMALL]
            assert {host for host, _ in socks.asked} == {elsewhere[0].there}


def test_a_socks_proxy_with_a_password(
    elsewhere: tuple[Namespace, str], proxies: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("socksio", reason="socksio, which httpx needs for SOCKS, is not installed")
    with Socks5(("me", PASSWORD)) as socks:
        proxies.setenv("all_proxy", f"socks5://me:{PASSWORD}@127.0.0.1:{socks.port}")
        there = Server(elsewhere[1])
        assert run_agent("hi", model=SMALL, server=there, options=SHORT).answer
        assert_nowhere(PASSWORD, there)
        proxies.setenv("all_proxy", f"socks5://me:wr0ng@127.0.0.1:{socks.port}")
        said = told(Server(elsewhere[1]).models)
        assert isinstance(said, str)
        assert "all_proxy" in said.lower()
        assert_nowhere("wr0ng", there, said)
