"""Which processes are the runners of a server: its own, and nobody else's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest

from lifecycle_widgets.monitor.in_force import InForce
from lifecycle_widgets.monitor.runners import ModelNames, RunnerWatch
from lifecycle_widgets.monitor.runners.command_lines import (
    digest_in,
    is_helper,
    is_server,
    listens_on,
    model_of,
)
from lifecycle_widgets.monitor.runners.limit import most_models
from lifecycle_widgets.monitor.runners.watch import Found
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.recorded import RecordedServer, ollama
from tests.recorded.shapes import SHOW

MODEL = "smollm2:135m"
BLOB = "/models/blobs/sha256-" + "ab" * 32
FOLDER = "/models/manifests/registry.ollama.ai/library/llama3.2/1b"


@pytest.mark.parametrize(
    ("arguments", "model"),
    [
        (["/usr/lib/ollama/llama-server", "--model", BLOB, "--port", "4000", "--no-webui"], BLOB),
        (["/usr/bin/ollama", "runner", "--ollama-engine", "--model", BLOB, "--port", "4000"], BLOB),
        (["/usr/bin/ollama", "runner", "--model", BLOB, "--ctx-size", "8192"], BLOB),
        (["ollama", "runner", "--mlx-engine", "--model", "a:1b", "--port", "4000"], "a:1b"),
        (["ollama", "runner", "--imagegen-engine", f"--model={FOLDER}", "--port=4000"], FOLDER),
        (["/tmp/ollama1/runners/cpu/ollama_llama_server", "--model", BLOB, "--port", "40"], BLOB),
        (["python", "runner.py", "llama-server", "--port", "4000", "--model", BLOB], BLOB),
        (["llama-server", "-m", "/home/me/mine.gguf", "--port", "4000"], "/home/me/mine.gguf"),
        (["ollama.exe", "runner", "--model", BLOB.replace("/", "\\"), "--port", "4000"],
         BLOB.replace("/", "\\")),
    ],
)  # fmt: skip
def test_a_runner_is_known_by_its_command_line(arguments: list[str], model: str) -> None:
    assert model_of(arguments) == model
    assert not is_server(arguments)
    assert digest_in(model) == ("ab" * 32 if "sha256" in model else None)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["ollama", "serve"],
        ["ollama", "run", "llama3.2"],
        ["ollama", "run", "llama3.2", "--model", "x"],
        ["ollama", "runner", "--ollama-engine", "--port", "4000"],  # looks for GPUs
        ["llama-server", "--list-devices"],
        ["llama-server", "--model", BLOB, "--version"],
        ["llama-quantize", "--model", BLOB, "out", "Q8_0"],
        ["python", "runner.py", "llama-quantize", "in", "out", "COPY"],
        ["python", "-m", "http.server", "--port", "4000"],
        ["less", BLOB],
        ["llama-server", "--port", "4000", "--model"],
        ["llama-server", "--port", "4000", "--model="],
    ],
)
def test_other_command_lines_are_no_runners(arguments: list[str]) -> None:
    assert model_of(arguments) is None


def test_what_is_a_server_and_what_a_helper() -> None:
    servers = [
        ["/usr/bin/ollama", "serve"],
        ["/opt/ollama-0.5.7", "start"],
        [r"C:\Programs\Ollama\ollama.exe", "serve"],
        ["/lib64/ld-linux-x86-64.so.2", "/opt/ollama", "serve"],
    ]
    assert all(map(is_server, servers))
    others = [
        ["ollama", "run", "serve"],
        ["mkdocs", "serve"],
        ["ollama"],
        ["sh", "-c", "ollama serve"],
    ]
    assert not any(map(is_server, others))
    assert not is_helper(["/usr/lib/ollama/some-new-engine", "--weights", BLOB])


@pytest.mark.parametrize(
    ("arguments", "passes_on"),
    [
        (["/usr/bin/docker-proxy", "-proto", "tcp", "-host-port", "11434"], True),
        (["ssh", "-NL", "11434:localhost:11434", "gpu"], True),
        (["socat", "TCP-LISTEN:11434,fork", "TCP:gpu:80"], True),
        (["kubectl", "port-forward", "svc/ollama", "11434"], True),
        (["ssh", "-NL", "111434:localhost:114340", "gpu"], False),
        (["curl", "http://localhost:11434"], False),
        ([], False),
    ],
)
def test_what_passes_a_port_on(arguments: list[str], passes_on: bool) -> None:
    assert listens_on(arguments, 11434) is passes_on


@pytest.mark.parametrize(
    ("setting", "gpus", "most"),
    [("2", 1, 2), (' "5" ', 0, 5), ("0", 2, 6), ("many", 0, 3), ("-1", 1, 3), (None, 0, 3)],
)
def test_how_many_models_there_may_be_is_in_the_environment(
    setting: str | None, gpus: int, most: int
) -> None:
    """As Ollama reads it; what is none of its numbers is its own limit, which goes by the GPUs."""
    told = {} if setting is None else {"OLLAMA_MAX_LOADED_MODELS": setting}
    assert most_models(InForce(environment=told), gpus) == most
    not_all_read = most_models(InForce(environment=told, unseen="A file cannot be read."), gpus)
    assert not_all_read == (None if setting is None else most)
    assert most_models(InForce(unseen="It is elsewhere."), gpus) is None
    assert most_models(None, gpus) is None


def test_a_runner_that_is_not_listed_has_an_installed_models_name() -> None:
    routes = ollama(ps={"models": []}, show=SHOW | {"modelfile": f"FROM {BLOB}"})
    loading, foreign = Found(7, 1, "ab" * 32), Found(8, 1, "cd" * 32)
    with RecordedServer(routes) as recorded:
        names = ModelNames(Server(recorded.url))
        for _ in range(3):
            runners = names.named([loading, foreign], ())
            assert [one.model for one in runners] == ["tiny:1b", None]
        assert len(recorded.asked("/api/show")) == 1
        assert len(recorded.asked("/api/tags")) == 1  # the foreign one is asked about later
    assert runners[0].weights == "ab" * 32


@pytest.mark.slow
def test_the_runners_of_this_server_only(sandbox: Sandbox, server: Server) -> None:
    pretender = [sys.executable, "-c", "input()", "--model", BLOB, "--port", "4000"]
    with (
        Sandbox(models=(MODEL,)) as elsewhere,
        subprocess.Popen(pretender, stdin=subprocess.PIPE) as other,
    ):
        server.preload(MODEL)
        Server(elsewhere.url).preload(MODEL)
        ours, theirs = (RunnerWatch(s).scan() for s in (server, Server(elsewhere.url)))
        other.kill()
    assert ours is not None
    assert theirs is not None
    assert len(ours) == len(theirs) == 1
    assert ours[0].pid != theirs[0].pid
    assert ours[0].digest == theirs[0].digest == server.weights_digest(MODEL)
    assert psutil.Process(ours[0].pid).ppid() == sandbox.pid


@pytest.mark.slow
def test_a_runner_is_found_followed_named_and_forgotten(
    server: Server, eventually: Callable[..., None]
) -> None:
    watch, names = RunnerWatch(server), ModelNames(server)
    assert watch.scan() == ()
    server.preload(MODEL)
    found = watch.scan()
    assert found is not None
    assert [runner.model for runner in names.named(found, None)] == [None]
    residents = server.residents()
    assert names.weights(residents) == [str(server.weights_path(MODEL))]
    (runner,) = names.named(found, residents)
    assert runner.model == MODEL
    assert runner.rss_bytes > 145e6  # its weights are 145 MB
    assert names.named(found, None) == (runner,)  # also when the server does not answer
    psutil.Process(runner.pid).kill()
    eventually(lambda: watch.scan() == (), "the killed runner is forgotten")
