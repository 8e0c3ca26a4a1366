"""Whose a runner is, with real servers, forwarders and users: never another server's numbers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from lifecycle_widgets.monitor import Monitor, Sample
from lifecycle_widgets.monitor.runners.processes import Processes
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.cases.case_tools import wait_until
from tests.grounds.ground_tools import watch_from
from tests.grounds.other_user import as_other_user, other_environment
from tests.grounds.programs import free_port, listens, need, running
from tests.recorded import RecordedServer, ollama, resident

pytestmark = pytest.mark.slow

MODEL, LARGER = "smollm2:135m", "smollm2:135m-f16"
WATCH = [sys.executable, "-m", "tests.grounds.watch"]
Eventually = Callable[..., None]


@contextmanager
def forwarder(folder: Path, url: str, port: int | None = None) -> Iterator[str]:
    """A socat in a process of its own: the URL at which it passes a server on."""
    need("socat")
    port = port or free_port()
    command = ["socat", f"TCP-LISTEN:{port},fork,reuseaddr", f"TCP:{url.rpartition('/')[2]}"]
    with running(command, lambda: listens(port), folder / f"socat-{port}.txt"):
        yield f"http://127.0.0.1:{port}"


def pids(sample: Sample | None) -> list[tuple[int, str | None]]:
    return [(r.pid, r.model) for r in (sample.runners if sample else None) or ()]


def assert_unseen(sample: Sample, *words: str) -> None:
    assert sample.runners is None
    assert sample.unseen
    assert "\n" not in sample.unseen
    for word in words:
        assert word in sample.unseen
    assert sample.error is None
    assert [r.name for r in sample.residents or ()] == [MODEL]
    assert (sample.residents or ())[0].size_bytes  # memory is what Ollama tells


# --- what listens there is no Ollama -------------------------------------------------------------


def test_behind_a_forwarder(server: Server, tmp_path: Path) -> None:
    server.preload(MODEL)
    with forwarder(tmp_path, server.url) as url, Monitor(url) as monitor:
        assert_unseen(monitor.read(), "socat listens on port")
        assert_unseen(monitor.read(), "socat listens on port")
        assert pids(Monitor(server).read())[0][1] == MODEL


def test_behind_a_forwarder_in_the_process_that_started_ollama(server: Server) -> None:
    """Our own process listens, and the runner descends from it, but Ollama stands in between."""
    server.preload(MODEL)
    there = ("127.0.0.1", int(server.url.rpartition(":")[2]))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        while data := source.recv(65536):
            sink.sendall(data)

    def serve() -> None:
        here, _ = listener.accept()
        onward = socket.create_connection(there)
        for pair in ((here, onward), (onward, here)):
            threading.Thread(target=pump, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        sample = Monitor(f"127.0.0.1:{listener.getsockname()[1]}").read()
    assert_unseen(sample, "not Ollama itself")


def test_a_forwarder_takes_the_place_of_an_ollama_and_the_reverse(
    server: Server, tmp_path: Path, eventually: Eventually
) -> None:
    server.preload(MODEL)
    with Sandbox(models=(MODEL,)) as sandbox:
        port = sandbox.port
        monitor = Monitor(sandbox.url).start()
        monitor.server.preload(MODEL)
        eventually(lambda: len(pids(monitor.latest)) == 1, "the sandbox's runner")
    eventually(lambda: (s := monitor.latest) and s.error and s.runners == (), "it is down")
    with forwarder(tmp_path, server.url, port):
        eventually(lambda: (s := monitor.latest) and s.unseen, "the forwarder is seen")
        assert_unseen(monitor.samples[-1], "socat")
    eventually(lambda: (s := monitor.latest) and s.error, "it is down again")
    with Sandbox(models=(MODEL,), port=port) as sandbox:
        eventually(lambda: not monitor.samples[-1].error, "an Ollama is there")
        monitor.server.preload(MODEL)
        eventually(lambda: len(pids(monitor.latest)) == 1, "its runner is seen")
        monitor.stop()
    assert all(s.runners is None or len(s.runners) < 2 for s in monitor.samples)


def test_an_ollama_that_starts_later(eventually: Eventually) -> None:
    port = free_port()
    with Monitor(f"127.0.0.1:{port}") as monitor:
        eventually(lambda: monitor.latest, "a first sample")
        assert monitor.samples[0].runners == ()
        with Sandbox(models=(MODEL,), port=port):
            monitor.server.preload(MODEL)
            eventually(lambda: len(pids(monitor.latest)) == 1, "its runner")
            assert monitor.samples[-1].unseen is None


# --- another user's ------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@contextmanager
def two_with_one_store() -> Iterator[tuple[Sandbox, Sandbox]]:
    """Two Ollamas of this user, whose runners have the same files in their command lines."""
    with Sandbox(models=(MODEL, LARGER)) as one:
        models = str(one.log_path.parent / "models")
        with Sandbox(models=(), runner_env={"OLLAMA_MODELS": models}) as other:
            yield one, other


def test_two_of_another_user_are_told_apart_by_what_is_in_memory(home: Path) -> None:
    with two_with_one_store() as boxes:
        for box, model in zip(boxes, (MODEL, LARGER), strict=True):
            Server(box.url).preload(model)
        command = as_other_user([*WATCH, *(box.url for box in boxes)], home)
        told = watch_from(command, other_environment(home))
        for box, model, seen in zip(boxes, (MODEL, LARGER), told, strict=True):
            assert [(pid, name) for pid, name, _ in seen["runners"]] == pids(
                Monitor(box.url).read()
            )
            assert [name for _, name, _ in seen["runners"]] == [model]
            now = seen["in_force"]
            assert (now["pid"], now["version"]) == (box.pid, Server(box.url).version)
            assert (now["environment"], now["default_keep_alive_s"]) == (None, None)
            assert now["unseen"] == f"What process {box.pid} was started with is not ours to read."


def test_two_of_another_user_with_the_same_in_memory_are_not_guessed_at(home: Path) -> None:
    with two_with_one_store() as boxes:
        for box in boxes:
            Server(box.url).preload(MODEL)
        command = as_other_user([*WATCH, *(box.url for box in boxes)], home)
        for seen in watch_from(command, other_environment(home)):
            assert seen["runners"] is None
            assert "Ollamas of one user run here" in seen["unseen"]
            assert [name for name, _ in seen["residents"]] == [MODEL]


def test_a_forwarder_of_another_user(server: Server, home: Path, tmp_path: Path) -> None:
    """That user has an Ollama, too, with the very model: it is not what listens on that port."""
    server.preload(MODEL)
    with forwarder(tmp_path, server.url) as url:
        command = as_other_user([*WATCH, url], home)
        (seen,) = watch_from(command, other_environment(home))
    assert seen["runners"] is None
    assert "socat" in seen["unseen"]


# --- engines of any kind -------------------------------------------------------------------------


@contextmanager
def process(*arguments: str, program: str = sys.executable) -> Iterator[int]:
    """A process with that command line, which waits; its number."""
    command = [program, "-c", "print(flush=True); input()", *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, executable=sys.executable, **pipes) as started:  # type: ignore[call-overload]
        assert started.stdout is not None
        started.stdout.readline()
        yield started.pid
        started.kill()


def test_a_server_is_known_by_its_runners_whatever_it_is_called() -> None:
    """The server is this process here, and its runners are its children."""
    told = ollama(ps={"models": [resident("a:1b", digest="1"), resident("b:1b", digest="2")]})
    weights = {"a:1b": "1" * 64, "b:1b": "2" * 64}
    told["/api/show"] = lambda request: {
        "modelfile": f"FROM /m/blobs/sha256-{weights[request.json['model']]}"
    }
    with (
        RecordedServer(told) as recorded,
        process("--model", f"/m/blobs/sha256-{'1' * 64}", "--port", "4000") as first,
        process("--mlx-engine", "--model=B:1B", "--port=4001") as second,
        process("--list-devices", "--model", "x"),
    ):
        sample = Monitor(recorded.url).read()
    assert sorted(pids(sample)) == sorted([(first, "a:1b"), (second, "b:1b")])


ENGINE = """#!{python}
import subprocess, sys, http.server, json
body = json.dumps({{"models": [{{"name": "new:1b", "size": 5}}]}}).encode()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(body)
    def do_POST(self):
        self.send_error(404)
    def log_message(self, *_): ...
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
command = [sys.executable, "-c", "input()", "--weights", "new"]
child = subprocess.Popen(command, stdin=subprocess.PIPE)
print(child.pid, flush=True)
server.serve_forever()
"""


def test_an_engine_that_nobody_knows_holds_the_model_that_is_left(tmp_path: Path) -> None:
    program = tmp_path / "ollama-9"
    program.write_text(ENGINE.format(python=sys.executable))
    program.chmod(0o755)
    port, log = free_port(), tmp_path / "log.txt"
    with running([str(program), "serve", str(port)], lambda: listens(port), log):
        monitor = Monitor(f"127.0.0.1:{port}")
        assert pids(monitor.read()) == [(int(log.read_text().split()[0]), "new:1b")]
        assert monitor.samples[-1].unseen is None


FORKING = """#!{python}
import os, sys, time
child = os.fork()
if child == 0:
    os.read(0, 1)
    command = [sys.executable, "-c", "import time; time.sleep(60)", "--model", "/m/a.gguf"]
    os.execv(sys.executable, command)
print(child, flush=True)
time.sleep(60)
"""


def test_a_runner_that_is_seen_between_fork_and_exec_is_no_second_server(tmp_path: Path) -> None:
    """Until then it has the command line of the Ollama that starts it."""
    program = tmp_path / "ollama-9"
    program.write_text(FORKING.format(python=sys.executable))
    program.chmod(0o755)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([str(program), "serve"], **pipes) as server:  # type: ignore[call-overload]
        child = int(server.stdout.readline())
        try:
            processes = Processes()
            processes.scan()
            assert server.pid in processes.servers
            assert child not in processes.servers
            server.stdin.write(b"x")
            server.stdin.flush()
            wait_until(lambda: "--model" in psutil.Process(child).cmdline(), "it is a runner")
            processes.scan()
            assert [one.pid for one in processes.runners_of(server.pid)] == [child]
        finally:
            os.kill(child, signal.SIGKILL)
            server.kill()


def test_a_server_that_is_its_own_runner(tmp_path: Path) -> None:
    """As llama.cpp's server is."""
    port = free_port()
    script = f"import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port})"
    command = f'exec -a llama-server {sys.executable} -c "{script}" -m /m/a.gguf --port {port}'
    with running(["bash", "-c", command], lambda: listens(port), tmp_path / "log.txt") as started:
        sample = Monitor(f"127.0.0.1:{port}").read()
        assert pids(sample) == [(started.pid, None)]
        assert (sample.residents, sample.error) == (None, None)
        assert sample.not_told
    assert os.getpid() != started.pid
