"""What it costs to watch a server twice a second: ours, and the others of its kind, turn by turn.

    python -m tests.bench.monitor.cost [seconds] [a virtual environment with the peers]

Each runs as a process of its own on one sandbox with a model in memory, and its CPU is read from
outside: its user and kernel time with that of the children it has waited for, all threads. Starting
is left out. Without a virtual environment the peers are installed into a temporary one.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

import psutil

from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server

ROOT = Path(__file__).parents[3]
MODEL = "smollm2:135m"
PEERS = ("nvitop==1.7.2", "ollama-mtop==0.16.2", "glances==4.5.8")
ROUNDS, SECONDS, WARM_UP_S = 3, 20.0, 6.0

OURS = """
import sys, time
from lifecycle_widgets.monitor import Monitor
with Monitor(sys.argv[1]):
    time.sleep(3600)
"""
OURS_KEPT = """
import sys, time
from lifecycle_widgets.history import History
with History().keep(sys.argv[1]):
    time.sleep(3600)
"""
NVITOP = """
import time
from nvitop import ResourceMetricCollector
ResourceMetricCollector(interval=0.5).daemonize(lambda metrics: True)
time.sleep(3600)
"""
GLANCES = """
import time
from glances.api import GlancesAPI
glances = GlancesAPI()
plugins = [glances.cpu, glances.mem, glances.memswap, glances.diskio, glances.processcount]
while True:
    time.sleep(0.5)
    for plugin in plugins:
        plugin.update()
"""


@dataclass
class Watcher:
    """Something that watches, how it is started, and what it took: shares of a core."""

    name: str
    command: Sequence[str]
    shares: list[float] = field(default_factory=list)


def bench_cost(
    row: Callable[[str, str], None],
    seconds: float = SECONDS,
    peers: Path | None = None,
    rounds: int = ROUNDS,
) -> None:
    """Print a table of the shares of a core."""
    with TemporaryDirectory() as folder, Sandbox(models=[MODEL]) as sandbox:
        python = _python(peers or _installed(Path(folder) / "peers"))
        Server(sandbox.url).preload(MODEL, -1)
        watchers = list(_watchers(sandbox.url, python))
        environment = os.environ | {"LIFECYCLE_WIDGETS_HISTORY": str(Path(folder) / "kept.sqlite")}
        for _ in range(rounds):
            for one in watchers:
                one.shares.append(share_of_a_core(one.command, seconds, environment=environment))
        with Monitor(sandbox.url) as monitor:
            time.sleep(seconds)
    row(
        "a sample", f"{monitor.cost_s * 1e3:.2f} ms of CPU, {monitor.wall_s * 1e3:.1f} on the clock"
    )
    row("  as the monitor itself accounts for it", f"{monitor.overhead:.2%} of a core")
    for one in watchers:
        low, high = min(one.shares), max(one.shares)
        row(one.name, f"{statistics.median(one.shares):.2%} of a core ({low:.2%} to {high:.2%})")


def _watchers(url: str, peers: Path) -> Iterator[Watcher]:
    yield Watcher("monitor at 2 Hz, a model in memory (at most 0.25 %)", _ours(OURS, url))
    yield Watcher("  with the history written (at most 0.3 %)", _ours(OURS_KEPT, url))
    yield Watcher("  nvitop's ResourceMetricCollector", (str(peers), "-c", NVITOP))
    mtop = (str(peers.parent / "mtop"), "--json", "--watch", "-i", "0.5", "-u", url)
    yield Watcher("  ollama-mtop --json --watch", mtop)
    yield Watcher("  the same, of the API alone", (*mtop, "-m", "api", "--no-runners", "--no-env"))
    yield Watcher("  glances' API: CPU, memory, swap, disks", (str(peers), "-c", GLANCES))


def _ours(program: str, url: str) -> tuple[str, ...]:
    return sys.executable, "-c", program, url


def _installed(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    install = [str(_python(folder)), "-m", "pip", "install", "-q", *PEERS]
    subprocess.run(install, check=True)
    return folder


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


# --- one process --------------------------------------------------------------------------------


def share_of_a_core(
    command: Sequence[str],
    seconds: float,
    *,
    warm_up_s: float = WARM_UP_S,
    environment: dict[str, str] | None = None,
) -> float:
    """How much of one core a program takes once it runs, 0.01 is 1 %."""
    with TemporaryFile() as said, _running(command, environment, said) as process:
        time.sleep(warm_up_s)
        began_s, before_s = time.monotonic(), cpu_s(process)
        time.sleep(seconds)
        spent_s = cpu_s(process) - before_s
        share = spent_s / (time.monotonic() - began_s)
        if process.poll() is not None:
            said.seek(0)
            why = said.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{command[0]} has ended with {process.returncode}:\n{why}")
    return share


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    """Seconds of CPU so far, of all its threads and of the children that it has waited for."""
    times = psutil.Process(process.pid).cpu_times()
    children_s = float(times.children_user + times.children_system)
    if sys.platform == "linux":  # to the nanosecond; else in ticks of 10 ms
        return time.clock_gettime((~process.pid << 3) | 2) + children_s
    return float(times.user + times.system) + children_s


@contextmanager
def _running(
    command: Sequence[str], environment: dict[str, str] | None, said: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=said
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    bench_cost(
        lambda name, value: print(f"{name:58} {value}", flush=True),
        float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS,
        Path(sys.argv[2]) if len(sys.argv) > 2 else None,
    )
