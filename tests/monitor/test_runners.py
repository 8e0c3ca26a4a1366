"""Which processes are the runners of a server: its own, and nobody else's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest

from lifecycle_widgets.monitor.runners import ModelNames, RunnerWatch, weights_of
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server

MODEL = "smollm2:135m"
BLOB = "/models/blobs/sha256-" + "ab" * 32


@pytest.mark.parametrize(
    "arguments",
    [
        ["/usr/lib/ollama/llama-server", "--model", BLOB, "--port", "4000", "--no-webui"],
        ["/usr/bin/ollama", "runner", "--ollama-engine", "--model", BLOB, "--port", "4000"],
        ["python", "runner.py", "llama-server", "--port", "4000", "--model", BLOB],
        ["ollama.exe", "runner", "--model", BLOB.replace("/", "\\"), "--port", "4000"],
    ],
)
def test_a_runner_is_known_by_its_command_line(arguments: list[str]) -> None:
    assert weights_of(arguments) == "ab" * 32


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["ollama", "serve"],
        ["llama-server", "--port", "4000"],
        ["llama-server", "--port", "4000", "--model", "/home/me/mine.gguf"],
        ["less", BLOB],
        ["llama-server", "--port", "4000", "--model"],
    ],
)
def test_other_command_lines_are_no_runners(arguments: list[str]) -> None:
    assert weights_of(arguments) is None


@pytest.mark.slow
def test_the_runners_of_this_server_only(sandbox: Sandbox, server: Server) -> None:
    pretender = [sys.executable, "-c", "input()", "--model", BLOB, "--port", "4000"]
    with (
        Sandbox(models=(MODEL,)) as elsewhere,
        subprocess.Popen(pretender, stdin=subprocess.PIPE) as other,
    ):
        server.preload(MODEL)
        Server(elsewhere.url).preload(MODEL)
        ours, theirs = RunnerWatch(sandbox.port).scan(), RunnerWatch(elsewhere.port).scan()
        other.kill()
    assert len(ours) == len(theirs) == 1
    assert ours[0].pid != theirs[0].pid
    assert ours[0].digest == theirs[0].digest == server.weights_digest(MODEL)
    assert psutil.Process(ours[0].pid).ppid() == sandbox.pid


@pytest.mark.slow
def test_a_runner_is_found_followed_named_and_forgotten(
    sandbox: Sandbox, server: Server, eventually: Callable[..., None]
) -> None:
    watch, names = RunnerWatch(sandbox.port), ModelNames(server)
    assert watch.scan() == ()
    server.preload(MODEL)
    found = watch.scan()
    assert [runner.model for runner in names.named(found, None)] == [None]
    (runner,) = names.named(found, server.residents())
    assert runner.model == MODEL
    assert runner.rss_bytes > 145e6  # its weights are 145 MB
    assert names.named(found, None) == (runner,)  # also when the server does not answer
    psutil.Process(runner.pid).kill()
    eventually(lambda: watch.scan() == (), "the killed runner is forgotten")
