"""What is left behind after many loads and after many sandboxes, printed as differences.

    python -m tests.bench endurance

200 cycles of load and unload on one sandbox, then 50 sandboxes one after another, each with one
load: about three minutes. The first ones fill caches and pools, so the state that all is compared
with is the one after 20.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server

MODEL = "smollm2:135m"
WARM_UP = 20
CYCLES = (WARM_UP, 50, 100, 150, 200)
SANDBOXES = (WARM_UP, 30, 40, 50)
_MB = 1e6
_OURS = {"ollama", "runner.py", "guard.py"}


@dataclass(frozen=True)
class Footprint:
    """What one process holds; ``children`` are its descendants.

    RSS is the figure to compare: USS leaves out what is shared, and programs and libraries are
    shared only while another process uses them as well, so it jumps with the neighbours.
    """

    children: int
    threads: int
    descriptors: int
    rss_bytes: int
    uss_bytes: int


@dataclass(frozen=True)
class Traces:
    """What a sandbox is known by when it has gone."""

    pids: tuple[int, ...]
    port: int
    folder: Path


def footprint(pid: int | None = None) -> Footprint:
    """What a process (None: this one) holds now."""
    process = psutil.Process(pid)
    with process.oneshot():
        memory = process.memory_full_info()
        return Footprint(
            children=len(process.children(recursive=True)),
            threads=process.num_threads(),
            descriptors=process.num_fds(),
            rss_bytes=memory.rss,
            uss_bytes=memory.uss,
        )


def footprints(sandbox: Sandbox) -> dict[str, Footprint]:
    """This process, the sandbox's Ollama, and the guard over it."""
    guard = psutil.Process(sandbox.pid).ppid()
    pids = {"this process": None, "Ollama": sandbox.pid, "guard": guard}
    return {name: footprint(pid) for name, pid in pids.items()}


def load_and_unload(server: Server, cycles: int) -> None:
    """Load the model and unload it, so many times."""
    for _ in range(cycles):
        server.preload(MODEL, "10m")
        server.unload(MODEL)


def sandbox_with_a_load() -> Traces:
    """Start a sandbox, load the model and stop, with the model still in memory."""
    with Sandbox(models=[MODEL]) as sandbox:
        server = Server(sandbox.url)
        server.preload(MODEL, "10m")
        server.close()
        ollama = psutil.Process(sandbox.pid)
        family = (ollama.ppid(), ollama.pid, *(p.pid for p in ollama.children(recursive=True)))
        return Traces(family, sandbox.port, sandbox.log_path.parent)


def leftovers() -> dict[str, set[str]]:
    """Everything on this machine that a sandbox may have left (or that one now running has)."""
    found: dict[str, set[str]] = {"folders": set(), "processes": set(), "ports": set()}
    found["folders"] = {str(p) for p in Path(tempfile.gettempdir()).glob("lifecycle-sandbox-*")}
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or ()
        if not _OURS.isdisjoint(Path(word).name for word in command):
            found["processes"].add(f"{process.pid} {' '.join(command)[:100]}")
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN:
            found["ports"].add(f"{connection.laddr.ip}:{connection.laddr.port}")
    return found


# --- printing -----------------------------------------------------------------------------------


Step = Callable[[int], dict[str, Footprint]]


def bench_endurance() -> None:
    """Both, and what they left on the machine."""
    before = leftovers()
    with Sandbox(models=[MODEL]) as sandbox:
        server = Server(sandbox.url)

        def cycles(count: int) -> dict[str, Footprint]:
            load_and_unload(server, count)
            return footprints(sandbox)

        _in_steps("load and unload", CYCLES, cycles)
        server.close()

    def sandboxes(count: int) -> dict[str, Footprint]:
        for _ in range(count):
            sandbox_with_a_load()
        return {"this process": footprint()}

    _in_steps("sandboxes", SANDBOXES, sandboxes)
    for kind, found in leftovers().items():
        new = sorted(found - before[kind])
        print(f"left behind, {kind}: {new or 'none'}", flush=True)


def _in_steps(title: str, until: tuple[int, ...], step: Step) -> None:
    """Print the state after so many; after the warm-up as the difference to it."""
    began, done = time.monotonic(), 0
    _print(f"{title}: at the start", step(0), None)
    warm: dict[str, Footprint] | None = None
    for goal in until:
        state = step(goal - done)
        done = goal
        _print(f"{title}: after {goal} ({time.monotonic() - began:.0f} s)", state, warm)
        warm = warm or state


def _print(title: str, state: dict[str, Footprint], warm: dict[str, Footprint] | None) -> None:
    print(title)
    for name, now in state.items():
        line = (
            f"  {name:14}{now.children:3} descendants{now.threads:4} threads"
            f"{now.descriptors:4} descriptors, RSS {now.rss_bytes / _MB:6.1f} MB, "
            f"USS {now.uss_bytes / _MB:6.1f} MB"
        )
        print(line + ("" if warm is None else _difference(now, warm[name])), flush=True)


def _difference(now: Footprint, warm: Footprint) -> str:
    return (
        f" | since the warm-up {now.children - warm.children:+d}, "
        f"{now.threads - warm.threads:+d}, {now.descriptors - warm.descriptors:+d}, "
        f"{(now.rss_bytes - warm.rss_bytes) / _MB:+.1f} MB, "
        f"{(now.uss_bytes - warm.uss_bytes) / _MB:+.1f} MB, "
        f"RSS x {now.rss_bytes / warm.rss_bytes:.3f}"
    )
