"""Server on a real Ollama: addresses, finding, models, residents, preload and unload."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ollama._client import _parse_host as ollama_parse_host

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server, ServerUnreachable, UnknownModel, full_name, parse_host
from tests.cases.case_tools import wait_until

MODEL = "smollm2:135m"
STORY = "Write a long story about a lighthouse."


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- addresses ----------------------------------------------------------------------------------

HOSTS = st.builds(
    lambda scheme, name, port, path: scheme + name + port + path,
    st.sampled_from(["", "http://", "https://"]),
    st.sampled_from(["", "localhost", "1.2.3.4", "example.com", "[::1]", "[0001:2::1]", "0.0.0.0"]),
    st.sampled_from(["", ":1", ":56789", ":80"]),
    st.sampled_from(["", "/", "/path", "/a/b/"]),
).filter(lambda host: not host.endswith("://"))  # a scheme and nothing else is read as a name


@given(HOSTS)
def test_addresses_are_read_as_ollama_python_reads_them(host: str) -> None:
    assert parse_host(host) == ollama_parse_host(host)


@pytest.mark.parametrize("host", ["localhost:port", "localhost:99999", "[::1"])
def test_an_address_that_cannot_be_read(host: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        Server(host)


def test_full_name() -> None:
    assert full_name("a") == "a:latest"
    assert full_name("me/a:b") == "me/a:b"
    assert full_name("host:5000/me/a") == "host:5000/me/a:latest"


# --- finding ------------------------------------------------------------------------------------


def test_find_takes_ollama_host_first(sandbox: Sandbox) -> None:
    server = Server.find()
    assert server.url == sandbox.url
    assert server.is_sandbox
    assert server.is_local
    assert server.version == sandbox.version


def test_an_ollama_host_where_nothing_answers_is_told(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{free_port()}")
    with pytest.warns(UserWarning, match="no Ollama answers there"):
        found = Server.own() or Server.sandbox()
    assert found.answers()


def test_a_kernel_without_a_server_starts_one_of_its_own(sandbox: Sandbox) -> None:
    """In a process of its own: nothing handed, nothing on localhost."""
    if Server("localhost").answers():
        pytest.skip("an Ollama of this machine's owner runs on localhost:11434")
    environment = {
        k: v for k, v in os.environ.items() if "OLLAMA" not in k and "LIFECYCLE_S" not in k
    }
    code = (
        "import lifecycle_widgets as lw; s = lw.Server.find(); again = lw.Server.find()\n"
        "print(s.url, s.is_sandbox, again.url == s.url, len(s.models()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    url, *rest = done.stdout.split()
    assert rest == ["True", "True", "3"], done.stderr
    assert url != sandbox.url
    assert not Server(url).answers(), "the sandbox outlived its process"


def test_unreachable_says_what_to_do() -> None:
    server = Server(f"127.0.0.1:{free_port()}")
    assert not server.answers()
    assert not server.is_sandbox
    for ask in (
        server.models,
        server.residents,
        lambda: server.version,
        lambda: list(server.pull("m")),
    ):
        with pytest.raises(ServerUnreachable, match=r"No Ollama answers at .*ollama serve"):
            ask()


def test_what_is_not_ollama_is_unreachable() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        def answer() -> None:
            connection, _ = other.accept()
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        assert not Server(f"127.0.0.1:{other.getsockname()[1]}").answers()


# --- models -------------------------------------------------------------------------------------


def test_models(server: Server) -> None:
    models = {m.name: m for m in server.models()}
    assert set(models) == {"smollm2:135m", "smollm2:135m-f16", "smollm2:135m-f32"}
    assert models["smollm2:135m"].quantization == "Q8_0"
    assert 140e6 < models["smollm2:135m"].size_bytes < 150e6
    assert models["smollm2:135m-f16"].quantization == "F16"
    assert models["smollm2:135m-f32"].quantization == "F32"
    assert server.require("smollm2:135m") == models["smollm2:135m"]
    digest = server.weights_digest(MODEL)
    assert digest is not None
    assert len(digest) == 64


def test_an_unknown_model_names_the_nearest(server: Server) -> None:
    for ask in (server.require, server.preload, server.unload, server.weights_digest):
        with pytest.raises(
            UnknownModel, match=r"smolm:135m.*Did you mean.*smollm2:135m"
        ) as unknown:
            ask("smolm:135m")
        assert unknown.value.nearest[0] == "smollm2:135m"


# --- residents ----------------------------------------------------------------------------------


def test_preload_and_unload(server: Server) -> None:
    began_s = time.monotonic()
    assert server.residents() == ()
    server.preload(MODEL, keep_alive="10m")
    resident = server.resident(MODEL)
    assert resident is not None
    assert 590 < resident.expires_in_s() <= 600
    assert not resident.is_forever
    assert resident.size_bytes > 140e6
    assert resident.context_length == 4096
    server.preload(MODEL)  # sends no keep_alive: the value in force stays
    kept = server.resident(MODEL)
    assert kept is not None
    assert 590 < kept.expires_in_s() <= 600
    server.preload(MODEL, KeepAlive("forever"))
    # Ollama sets the deadline of who is in memory already a moment after its answer
    wait_until(lambda: (held := server.resident(MODEL)) and held.is_forever, "forever", 5)
    server.unload(MODEL)
    assert server.resident(MODEL) is None
    server.unload(MODEL)  # harmless
    assert [name for name, at_s in server.unloads if at_s > began_s] == [MODEL, MODEL]


def test_preload_with_zero_is_refused(server: Server) -> None:
    with pytest.raises(ValueError, match="call unload"):
        server.preload(MODEL, 0)


def test_unloading_a_busy_model_times_out_with_the_reason(server: Server) -> None:
    stream = server.client.generate(
        model=MODEL, prompt=STORY, options={"num_predict": 400, "temperature": 0}, stream=True
    )
    next(stream)
    with pytest.raises(TimeoutError, match="answering a request"):
        server.unload(MODEL, timeout_s=0.2)
    stream.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 10
    while server.resident(MODEL) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_expiry_can_be_asked_for_another_moment(server: Server) -> None:
    server.preload(MODEL, "1m")
    resident = server.resident(MODEL)
    assert resident is not None
    later = resident.expires_at + timedelta(seconds=5)
    assert resident.expires_in_s(later) == -5
