"""Behind nginx: an own CA, a key, a password, a path, redirects, and Ollama down or slow."""

from __future__ import annotations

import json
import logging
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle_widgets import AgentRun, InARow, Sandbox, Server, TuningLab, run_agent
from tests.cases.case_tools import OURS, assert_readable, told, wait_until, watched
from tests.grounds.ground_tools import SHORT, SMALL, assert_nowhere, assert_works
from tests.grounds.nginx import nginx, to
from tests.grounds.programs import free_port
from tests.recorded import Certificate, certificate
from tests.widgets.widget_parts import shown

KEY = "k3y-of-mine"


@pytest.fixture(scope="module")
def localhost(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate of our own for localhost."""
    return certificate(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def other_ca(tmp_path: Path) -> Certificate:
    """Another authority's."""
    (tmp_path / "other").mkdir()
    return certificate(tmp_path / "other", "other")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key and no certificates in the environment."""
    for name in ("OLLAMA_API_KEY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def assert_refused(server: Server, secret: str = KEY) -> None:
    """Each question is refused in one line, which holds no secret, and so do widgets."""
    for ask in (
        server.models,
        server.residents,
        lambda: server.version,
        lambda: server.capabilities(SMALL),
        lambda: run_agent("hi", model=SMALL, server=server),
        lambda: server.preload(SMALL),
        lambda: server.unload(SMALL, timeout_s=0.5),
    ):
        said = told(ask)
        if isinstance(said, str):
            assert_readable(said)
            assert_nowhere(secret, server, said)
    with watched(server) as monitor:
        assert all(sample.residents is None for sample in monitor.samples)
        assert_readable(monitor.samples[-1].error or "")
        assert_nowhere(secret, server, monitor, *monitor.samples)
    lab = TuningLab(server)
    try:
        assert_nowhere(secret, server, lab, lab.error, shown(lab))
    finally:
        lab.close()


# --- https --------------------------------------------------------------------------------------


def test_https_with_an_own_authority(
    server: Server, localhost: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nginx(tmp_path, to(server.url), localhost) as gateway:
        assert_works(Server(gateway.url, verify=str(localhost.path)))
        with pytest.raises(OURS, match="certificate") as refused:
            Server(gateway.url).models()
        assert_readable(str(refused.value))
        monkeypatch.setenv("SSL_CERT_FILE", str(localhost.path))
        assert_works(Server(gateway.url))


def test_https_of_another_authority_is_one_sentence(
    server: Server, localhost: Certificate, other_ca: Certificate, tmp_path: Path
) -> None:
    with nginx(tmp_path, to(server.url), localhost) as gateway:
        assert_refused(Server(gateway.url, verify=str(other_ca.path)))


def test_https_stop_ends_the_load_within_a_second(
    localhost: Certificate, tmp_path: Path, slow: Sandbox
) -> None:
    with nginx(tmp_path, to(slow.url), localhost) as gateway:
        server = Server(gateway.url, verify=str(localhost.path))
        run = AgentRun("hi", model=SMALL, server=server).start()
        wait_until(lambda: "a slow load on purpose" in slow.log_tail(50), "it loads")
        began_s = time.monotonic()
        run.stop()
        assert run.wait(10).stopped
        assert time.monotonic() - began_s < 1.0


def test_https_that_wants_a_certificate_of_the_client(
    server: Server, localhost: Certificate, tmp_path: Path
) -> None:
    """An SSLContext of one's own carries it."""
    wanted = f"ssl_client_certificate {localhost.path}; ssl_verify_client on; "
    with nginx(tmp_path, wanted + to(server.url), localhost) as gateway:
        context = ssl.create_default_context(cafile=str(localhost.path))
        context.load_cert_chain(localhost.path, localhost.key)
        assert_works(Server(gateway.url, verify=context))
        said = told(Server(gateway.url, verify=str(localhost.path)).models)
        assert isinstance(said, str)
        assert "certificate" in said.lower()


# --- keys, passwords, paths ---------------------------------------------------------------------


def test_a_key_that_nginx_checks(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    wanted = f'if ($http_authorization != "Bearer {KEY}") {{ return 401; }}'
    with nginx(tmp_path, to(server.url, wanted)) as gateway:
        assert Server(gateway.url, headers={"Authorization": f"Bearer {KEY}"}).models()
        monkeypatch.setenv("OLLAMA_API_KEY", KEY)
        keyed = Server(gateway.url)
        assert_works(keyed)
        experiment = InARow(SMALL, keep_alives=(0,), gaps_s=(0.1,), server=keyed)
        result = experiment.run(may_unload=True)
        saved = Path(result.save(tmp_path / "results"))
        files = [saved] if saved.is_file() else [p for p in saved.rglob("*") if p.is_file()]
        written = "".join(file.read_text() for file in files)
        assert gateway.url in written
        assert KEY not in written
        assert_nowhere(KEY, keyed, experiment, result, result.facts)
        monkeypatch.setenv("OLLAMA_API_KEY", "an0ther-key")
        assert_refused(Server(gateway.url), "an0ther-key")
        given = Server(gateway.url, headers={"Authorization": "Bearer wr0ng"})
        assert_nowhere("wr0ng", given, told(given.models))
        monkeypatch.delenv("OLLAMA_API_KEY")
        assert "401" in str(told(Server(gateway.url).models))
    assert KEY not in caplog.text


def test_a_user_and_a_password(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "users").write_text("me:{PLAIN}p@ss/w0rd\n")
    wanted = f'auth_basic "Ollama"; auth_basic_user_file {tmp_path}/users;'
    with nginx(tmp_path, to(server.url, wanted)) as gateway:
        host = gateway.url.partition("://")[2]
        good = Server(f"http://me:p%40ss%2Fw0rd@{host}")
        assert good.url == gateway.url
        assert_works(good)
        assert_nowhere("w0rd", good)
        assert_nowhere("cEBzcy93MHJk", good)
        assert_refused(Server(f"http://me:wr0ng@{host}"), "wr0ng")
        assert_refused(Server(gateway.url))
    assert "w0rd" not in caplog.text
    assert "wr0ng" not in caplog.text


def test_a_host_that_ollama_does_not_know(server: Server, tmp_path: Path) -> None:
    """Ollama on loopback answers 403, without a word, to names that are not its own."""
    location = f"location / {{ proxy_pass {server.url}; proxy_set_header Host ai.example; }}"
    with nginx(tmp_path, location) as gateway:
        said = told(Server(gateway.url).models)
        assert isinstance(said, str)
        assert "403" in said
        assert "Host" in said


def test_answers_that_nginx_compresses_or_holds_back(server: Server, tmp_path: Path) -> None:
    settings = "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; proxy_buffering on;"
    with nginx(tmp_path, to(server.url, settings)) as gateway:
        run = run_agent("hi", model=SMALL, server=Server(gateway.url), options=SHORT)
        assert run.answer
        assert len(Server(gateway.url).models()) == 3


def test_below_a_path(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, to(server.url, path="/ollama/")) as gateway:
        for end in ("/ollama", "/ollama/"):
            below = Server(gateway.url + end)
            assert below.url == gateway.url + "/ollama"
            assert len(below.models()) == 3
        assert_works(Server(gateway.url + "/ollama"))
        for wrong in ("", "/ollama/v1", "/ollama/api", "/other"):
            said = told(Server(gateway.url + wrong).models)
            assert isinstance(said, str)
            assert "404" in said


# --- redirects ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 308])
def test_http_that_redirects_to_https(
    server: Server,
    localhost: Certificate,
    tmp_path: Path,
    status: int,
) -> None:
    (tmp_path / "plain").mkdir()
    with nginx(tmp_path, to(server.url), localhost) as secure:
        settings = f"return {status} {secure.url}$request_uri;"
        with nginx(tmp_path / "plain", settings) as plain:
            by_name = plain.url.replace("127.0.0.1", "localhost")
            assert_works(Server(by_name, verify=str(localhost.path)))
            log = secure.log
            assert '"POST /api/chat' in log
            assert '"GET /api/chat' not in log


# --- Ollama down, or slow -----------------------------------------------------------------------


def test_ollama_down_behind_nginx(tmp_path: Path) -> None:
    with nginx(tmp_path, to(f"http://127.0.0.1:{free_port()}")) as gateway:
        server = Server(gateway.url)
        with pytest.raises(OURS) as down:
            server.models()
        assert "502" in str(down.value)
        assert "<" not in str(down.value)
        assert_refused(server)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Sandbox]:
    """An Ollama that takes four seconds more to load a model."""
    trouble = tmp_path / "trouble.json"
    trouble.write_text(json.dumps({"load_delay_s": 4.0}))
    env = {"LIFECYCLE_SANDBOX_TROUBLE": str(trouble)}
    with Sandbox(models=[SMALL], runner_env=env) as sandbox:
        yield sandbox


def test_a_gateway_with_less_patience_than_a_load_takes(slow: Sandbox, tmp_path: Path) -> None:
    """nginx answers 504, Ollama drops the load: it never loads, and that is said."""
    with nginx(tmp_path, to(slow.url, "proxy_read_timeout 1s;")) as gateway:
        server = Server(gateway.url)
        for ask in (
            lambda: run_agent("hi", model=SMALL, server=server, options=SHORT),
            lambda: server.preload(SMALL),
        ):
            with pytest.raises(OURS) as gone:
                ask()
            said = str(gone.value)
            assert_readable(said)
            assert "504" in said
            assert "load" in said
        assert server.residents() == ()


def test_an_answer_that_is_cut_off_keeps_what_has_arrived(server: Server, tmp_path: Path) -> None:
    """A gateway that closes long answers."""
    with nginx(tmp_path, to(server.url, "proxy_read_timeout 60s;")) as gateway:
        through = Server(gateway.url)
        run = AgentRun(
            "Write a long story about a lighthouse.", model=SMALL, server=through,
            options={"num_predict": 2000},
        ).start()  # fmt: skip
        wait_until(lambda: len(run.answer) > 20, "it answers")
        run.stop()
        stopped = run.wait(10)
        assert stopped.stopped
        assert stopped.answer


def test_a_body_too_large_for_nginx_is_one_line(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, to(server.url, "client_max_body_size 1k;")) as gateway:
        said = told(lambda: run_agent("x" * 5000, model=SMALL, server=Server(gateway.url)))
        assert isinstance(said, str)
        assert "413" in said
