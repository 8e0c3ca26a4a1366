"""The machine: processes that cannot be seen, cards that misbehave, systems without POSIX."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from lifecycle_widgets import InARow, Server
from tests.cases.case_tools import assert_readable, printed, samples, watched
from tests.recorded import RecordedServer, ollama
from tests.sandbox.sandbox_tools import environment

SMALL = "smollm2:135m"
FORWARDER = """
import socket, sys, threading
def pump(a, b):
    try:
        while data := a.recv(65536): b.sendall(data)
    except OSError: pass
    for end in (a, b):
        try: end.shutdown(socket.SHUT_RDWR)
        except OSError: pass
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def serve():
    while True:
        a = listener.accept()[0]
        b = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        for pair in ((a, b), (b, a)): threading.Thread(target=pump, args=pair, daemon=True).start()
threading.Thread(target=serve, daemon=True).start()
sys.stdin.read()  # until the test has gone
"""


@contextmanager
def forwarded(port: int) -> Iterator[str]:
    """Another address for what listens on a port, in a process of its own: a tunnel."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [sys.executable, "-c", FORWARDER, str(port)]
    with subprocess.Popen(command, env=environment(), text=True, **pipes) as process:  # type: ignore[call-overload]
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"


# --- a tunnel -----------------------------------------------------------------------------------


def test_behind_a_tunnel_memory_is_what_ollama_tells(server: Server) -> None:
    """Case 17, on a real Ollama."""
    server.preload(SMALL, "5m")
    with forwarded(int(server.url.rpartition(":")[2])) as url, watched(url) as monitor:
        last = monitor.samples[-1]
        assert last.residents
        assert last.residents[0].size_bytes is not None
        if last.runners is None:
            assert last.unseen
            assert_readable(last.unseen)
        else:  # found by what it holds: then it is that runner and no other
            assert [runner.model for runner in last.runners] == [SMALL]


@pytest.mark.slow
def test_behind_a_tunnel_an_experiment_knows_what_was_held(server: Server) -> None:
    with forwarded(int(server.url.rpartition(":")[2])) as url:
        experiment = InARow(SMALL, keep_alives=(0, "5m"), gaps_s=(1,), server=Server(url))
        result = experiment.run(may_unload=True)
    assert result.held_bytes > 5e7
    assert "never stayed" not in str(result.frame) + repr(result)


# --- graphics cards -----------------------------------------------------------------------------


def broken(fault: BaseException) -> Callable[..., Any]:
    """A call of NVML that fails."""

    def call(*_: Any) -> Any:
        raise fault

    return call


NO_TEXT = UnicodeDecodeError("utf-8", b"\xf8", 0, 1, "invalid start byte")
GOOD_CALLS: dict[str, Callable[..., Any]] = {
    "nvmlInit": lambda: None,
    "nvmlShutdown": lambda: None,
    "nvmlDeviceGetCount": lambda: 2,
    "nvmlDeviceGetHandleByIndex": lambda index: index,
    "nvmlDeviceGetName": lambda handle: f"Card {handle}",
    "nvmlDeviceGetUtilizationRates": lambda handle: SimpleNamespace(gpu=42, memory=7),
    "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(used=3, total=8, free=5),
}


def one_is_lost(index: int) -> int:
    """The second of two cards has fallen off the bus."""
    if index == 1:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
    return index


FAULTS: list[tuple[str, Any, int]] = [
    ("nvmlDeviceGetName", broken(NO_TEXT), 2),
    ("nvmlDeviceGetName", broken(pynvml.NVMLError(pynvml.NVML_ERROR_UNKNOWN)), 2),
    ("nvmlDeviceGetName", lambda _: b"\xf8\xff", 2),
    ("nvmlDeviceGetName", lambda _: None, 2),
    ("nvmlDeviceGetHandleByIndex", one_is_lost, 1),
    ("nvmlDeviceGetCount", broken(pynvml.NVMLError(pynvml.NVML_ERROR_UNKNOWN)), 0),
    ("nvmlDeviceGetCount", broken(OSError("the driver")), 0),
    ("nvmlDeviceGetCount", lambda: 0, 0),
    ("nvmlInit", broken(OSError("libnvidia-ml.so.1: invalid ELF header")), 0),
    ("nvmlDeviceGetUtilizationRates", broken(ValueError("odd")), 2),
    ("nvmlDeviceGetUtilizationRates", lambda _: SimpleNamespace(), 2),
    ("nvmlDeviceGetUtilizationRates", lambda _: SimpleNamespace(gpu=None, memory=None), 2),
    ("nvmlDeviceGetMemoryInfo", broken(RuntimeError("odd")), 2),
    ("nvmlDeviceGetMemoryInfo", lambda _: SimpleNamespace(used=0, total=0, free=0), 2),
    ("nvmlDeviceGetMemoryInfo", lambda _: SimpleNamespace(used="3", total=None), 2),
]


@pytest.mark.parametrize(("call", "answer", "cards"), FAULTS)
def test_a_card_that_misbehaves_costs_no_sample(
    monkeypatch: pytest.MonkeyPatch, call: str, answer: Any, cards: int
) -> None:
    """Case 18: each probe fails alone."""
    for name, function in (GOOD_CALLS | {call: answer}).items():
        monkeypatch.setattr(pynvml, name, function)
    with RecordedServer(ollama()) as recorded:
        last = samples(Server(recorded.url))[-1]
    assert last.residents
    assert last.ram_used_bytes
    assert len(last.gpus) == cards
    for gpu in last.gpus:
        assert isinstance(gpu.name, str)


# --- other systems ------------------------------------------------------------------------------

NO_POSIX = """
import os, sys
GONE = ("fcntl", "grp", "pwd", "termios", "pty", "tty")  # psutil of Linux needs resource
class NotHere:
    def find_spec(self, name, path=None, target=None):
        if name in GONE: raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, NotHere())
for name in GONE: sys.modules.pop(name, None)
"""


def test_without_posix_what_failed_can_be_imported() -> None:
    """Case 19, as far as imports go: tests/platform has the whole of it."""
    code = NO_POSIX + (
        "import lifecycle_widgets as lw, lifecycle_widgets.cli\n"
        "print(lw.InTurn.__name__, lw.InARow.__name__, lw.Downstream.__name__)\n"
    )
    assert printed(code) == "InTurn InARow Downstream"
