"""Many kernels on this machine: memory, time to first token, and lessons that end well.

    python -m tests.bench class
    python -m tests.bench.classroom 3 5        (other numbers of kernels)

Each kernel asks the model three times, all at the same moment: once with a private Ollama each, as
students of a class have it, and once with one server for all. Then so many run lesson 0 on one
server, started two seconds apart. It takes at most about eight minutes, and stops growing where
less than 3 GB of memory are free; what was not done is said.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from lifecycle_widgets.cli import put_notebooks
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE
from tests.bench.classroom.family import Family
from tests.bench.classroom.lessons import EXECUTE

KERNELS = (3, 10, 30)
LESSONS = (3, 10)
LIMIT_S = 480.0
LEAST_FREE_BYTES = 3e9
LESSON = "00_start_here.ipynb"
_READY = """
import json, lifecycle_widgets as lw
server = lw.Server.find()
server.url
lw.run_agent
"""
_ASK = """
runs = [lw.run_agent("Tell me about lighthouses.", model="smollm2:135m", keep_alive="5m",
                     server=server, options={"num_predict": 30}) for _ in range(3)]
print(json.dumps([run.timings.ttft_s for run in runs]))
"""


def bench_class(
    kernels: Sequence[int] = KERNELS, lessons: Sequence[int] = LESSONS, limit_s: float = LIMIT_S
) -> None:
    """All of it, within about so many seconds."""
    until_s = time.monotonic() + limit_s
    free = psutil.virtual_memory().available / 1e9
    print(f"{os.cpu_count()} cores, {free:.1f} GB free; each asks three times, 30 tokens each")
    print("kernels  server        memory GB  first TTFT s (worst)  next TTFT s (worst)  failed")
    for number in kernels:
        for private in (True, False):
            _one_load(number, private, until_s)
    print("lesson 0 beside each other on one server, started 2 s apart")
    for number in lessons:
        _one_lesson(number, until_s)


# --- kernels that ask ----------------------------------------------------------------------------


def _one_load(number: int, private: bool, until_s: float) -> None:
    kind = "private each" if private else "one for all"
    with ExitStack() as stack:
        alone_bytes = Family(os.getpid()).look()
        env = _env(stack, private)
        began = list(_kernels(stack, number, env, until_s))
        clients = [client for _, client in began]
        if len(began) < number:
            print(f"{number:7}  {kind:12}  only {len(began)} were begun: time or memory is up")
        if not began:
            return
        _all(clients, _READY, until_s)
        answers = _all(clients, _ASK, until_s)
        memory = (Family(os.getpid()).look() - alone_bytes) / 1e9
    ttft = [json.loads(answer) for answer in answers if answer.startswith("[")]
    if not ttft:
        print(f"{len(began):7}  {kind:12}  {memory:9.1f}  none has answered in time")
        return
    first, later = [one[0] for one in ttft], [value for one in ttft for value in one[1:]]
    print(
        f"{len(began):7}  {kind:12}  {memory:9.1f}  {_middle(first):>20}  {_middle(later):>19}  "
        f"{len(began) - len(ttft):6}",
        flush=True,
    )


def _middle(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({max(values):.2f})"


def _env(stack: ExitStack, private: bool) -> dict[str, str]:
    hidden = ("OLLAMA_HOST", SANDBOX_URL_VARIABLE)
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    if private:
        return env
    url = stack.enter_context(Sandbox()).url
    return env | {"OLLAMA_HOST": url, SANDBOX_URL_VARIABLE: url}


def _kernels(
    stack: ExitStack, number: int, env: dict[str, str], until_s: float
) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    for _ in range(number):
        if time.monotonic() > until_s or _free_bytes() < LEAST_FREE_BYTES:
            return
        yield stack.enter_context(_kernel(env))


@contextmanager
def _kernel(env: dict[str, str]) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=env, stderr=subprocess.DEVNULL)
    client = manager.blocking_client()
    client.start_channels()
    try:
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _all(clients: Sequence[BlockingKernelClient], code: str, until_s: float) -> list[str]:
    """Run it in all of them at once; what each has printed, or what went wrong."""
    said = ["" for _ in clients]

    def one(place: int) -> None:
        said[place] = _run(clients[place], code, until_s)

    return _together([lambda place=place: one(place) for place in range(len(clients))], said)


def _together(calls: Sequence[Callable[[], None]], said: list[str]) -> list[str]:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def _run(client: BlockingKernelClient, code: str, until_s: float) -> str:
    printed: list[str] = []

    def heard(message: dict[str, dict[str, str]]) -> None:
        if "text" in message["content"]:
            printed.append(message["content"]["text"])

    left_s = max(1.0, until_s - time.monotonic())
    try:
        reply = client.execute_interactive(code, timeout=left_s, output_hook=heard)
    except TimeoutError:
        return "not done in time"
    content = reply["content"]
    return "".join(printed) if content["status"] == "ok" else str(content.get("evalue"))


def _free_bytes() -> int:
    return int(psutil.virtual_memory().available)


# --- a lesson beside each other ------------------------------------------------------------------


def _one_lesson(number: int, until_s: float) -> None:
    with ExitStack() as stack:
        env = _env(stack, private=False)
        began_s = time.monotonic()
        running: list[subprocess.Popen[str]] = []
        for _ in range(number):
            if time.monotonic() > until_s or _free_bytes() < LEAST_FREE_BYTES:
                break
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            running.append(_begun(folder, env))
            stack.callback(_end, running[-1])
            time.sleep(2)
        ended = [_ended(process, until_s) for process in running]
    well = ended.count("")
    took_s = time.monotonic() - began_s
    print(f"{number:7}  begun {len(running)}, ended well {well}, after {took_s:.0f} s", flush=True)
    for said in ended:
        if said:
            print(f"         {said[-300:]}", flush=True)


def _begun(folder: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    with open(os.devnull, "w") as nowhere:
        before, sys.stdout = sys.stdout, nowhere
        try:
            put_notebooks(folder)
        finally:
            sys.stdout = before
    return subprocess.Popen(
        [sys.executable, "-c", EXECUTE, str(folder / LESSON)],
        cwd=folder,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ended(process: subprocess.Popen[str], until_s: float) -> str:
    """Empty when it has ended well, else what it said."""
    try:
        _, said = process.communicate(timeout=max(1.0, until_s - time.monotonic()))
    except subprocess.TimeoutExpired:
        _end(process)
        return "not done in time"
    return "" if process.returncode == 0 else said.strip().splitlines()[-1]


def _end(process: subprocess.Popen[str]) -> None:
    """With its kernel, however far it is."""
    if process.poll() is None:
        for one in (*psutil.Process(process.pid).children(recursive=True), process):
            with suppress(psutil.Error, OSError):
                one.kill()
        process.communicate()
