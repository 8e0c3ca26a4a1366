"""make bench: the figures of the house, printed. Ratios are taken in the same run.

    python -m tests.bench [all | fresh | lessons | endurance | bodies | agent | grounds | history |
                           import | door | sandbox | speed | memory | stop | monitor-cost |
                           monitor-session | monitor-traffic | advisor-quality |
                           advisor-schedules | advisor-speed | class | class-lessons |
                           crosscheck] ...

`fresh` clones the repository into an empty folder with an empty cache, as a newcomer does; it
takes minutes; `lessons` runs each experiment twice and each notebook once, in about ten;
`endurance` loads 200 times and starts 50 sandboxes, in about three; `bodies` reads 10,000 mutated
answers, in about ten; `agent` holds our runs beside plain griptape and bare ollama-python, stops
them at each stage, and holds their models or not, in about half an hour (words after ``python -m
tests.bench.agent`` choose some); `grounds` runs the start notebook on each ground, in about 20
(words of their names after ``python -m tests.bench.grounds`` choose some); `history` makes one of
ten million requests, in about two; `monitor-cost` holds what watching costs beside what other
monitors do, in about nine (it installs them); `monitor-session` draws eight hours of the chart, in
about six; `monitor-traffic` holds what is found of other clients' requests beside what they know,
in about five; `advisor-quality` holds the advice's cost beside every other policy's, in half a
minute; `advisor-schedules` lets a sandbox live 20 random schedules of several models that
the simulator has predicted, in about six; `advisor-speed` holds the replay beside how fast memory
can be read, and streams 100 million rows, in about three; `class` starts up to 30 kernels, with an
Ollama each and with one for all, and lesson 0 beside itself, in at most eight (numbers of kernels
after ``python -m tests.bench.classroom`` choose others); `class-lessons` measures what a student
takes in each lesson, in about ten; `crosscheck` holds every number against
a second witness, in about three (seconds and a seed after ``python -m tests.bench.crosscheck``).
These are left out unless they are named (`all` names everything).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from lifecycle_widgets.agent import AgentRun, run_agent
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.runner import default_threads
from lifecycle_widgets.server import Server
from tests.bench.advisor.quality import bench_quality
from tests.bench.advisor.schedules import bench_schedules
from tests.bench.advisor.speed import bench_replay
from tests.bench.agent import bench_agent
from tests.bench.bodies import bench_bodies
from tests.bench.classroom.lessons import bench_class_lessons
from tests.bench.classroom.load import bench_class
from tests.bench.crosscheck import bench_crosscheck
from tests.bench.door import bench_door
from tests.bench.endurance import bench_endurance
from tests.bench.grounds import bench_grounds
from tests.bench.history import bench_history
from tests.bench.lessons import bench_lessons
from tests.bench.monitor.cost import bench_cost
from tests.bench.monitor.session import bench_session
from tests.bench.monitor.traffic import bench_monitor_traffic

ROOT = Path(__file__).parent.parent.parent
MODEL = "smollm2:135m"
STORY = "Write a long story about a lighthouse."
MB = 1e6


def row(name: str, value: str) -> None:
    print(f"{name:58} {value}", flush=True)


def spread(values: list[float], unit: str, digits: int = 2) -> str:
    middle = statistics.median(values)
    return (
        f"{middle:.{digits}f} {unit} (min {min(values):.{digits}f}, max {max(values):.{digits}f})"
    )


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    started = time.perf_counter()
    ended: list[float] = []
    yield lambda: (ended[0] if ended else time.perf_counter()) - started
    ended.append(time.perf_counter())


# --- importing ----------------------------------------------------------------------------------


def bench_import(pairs: int = 9) -> None:
    """`import lifecycle_widgets` against what it stands on, turn by turn."""

    def seconds(statement: str) -> float:
        with stopwatch() as clock:
            subprocess.run([sys.executable, "-c", statement], check=True, cwd=ROOT)
        return clock()

    ours, theirs = [], []
    for _ in range(pairs):
        empty = seconds("pass")
        ours.append(seconds("import lifecycle_widgets") - empty)
        theirs.append(seconds("import griptape.structures, ipywidgets, plotly") - empty)
    row("import lifecycle_widgets", spread([1000 * s for s in ours], "ms", 1))
    row(
        "import griptape.structures, ipywidgets, plotly",
        spread([1000 * s for s in theirs], "ms", 0),
    )
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    row("  ratio (at most 0.1)", f"{statistics.median(ratios):.4f}")


# --- the sandbox --------------------------------------------------------------------------------


def bench_sandbox(times: int = 5) -> None:
    """Starting it, and loading a model into it."""
    starts, loads, reported = [], [], []
    for _ in range(times):
        with stopwatch() as clock, Sandbox() as sandbox:
            starts.append(clock())
            server = Server(sandbox.url)
            with stopwatch() as loading:
                reply = server.client.generate(model=MODEL, prompt="Hi", options={"num_predict": 1})
                loads.append(loading())
            reported.append((reply.load_duration or 0) / 1e9)
    row("sandbox: start, prepared", spread(starts, "s"))
    row("sandbox: load smollm2:135m, to the first token", spread(loads, "s"))
    row("  of it load_duration", spread(reported, "s"))


def bench_speed(pairs: int = 7, tokens: int = 200) -> None:
    """Tokens per second by the client's clock: Ollama with its runner, and bare xllamacpp."""
    import xllamacpp

    with Sandbox(models=[MODEL]) as sandbox:
        server = Server(sandbox.url)
        server.preload(MODEL, "10m")
        digest = server.weights_digest(MODEL)
        [blob] = sandbox.log_path.parent.rglob(f"sha256-{digest}")
        params = xllamacpp.CommonParams()
        params.model.path = str(blob.resolve())
        params.n_ctx, params.n_parallel, params.n_batch, params.n_ubatch = 4096, 1, 512, 512
        params.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
        params.hostnames, params.port, params.verbosity = ["127.0.0.1"], 0, -1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = default_threads()
        params.fit_params = False
        bare = xllamacpp.Server(params)
        ask = [{"role": "user", "content": STORY}]

        def with_ollama() -> float:
            return _rate(
                f"{server.url}/api/chat",
                {"model": MODEL, "messages": ask, "options": {"num_predict": tokens, "seed": 1}},
                tokens,
            )

        def without() -> float:
            body = {"messages": ask, "max_tokens": tokens, "stream": True, "seed": 1}
            url = f"{bare.listening_address}/v1/chat/completions"
            return _rate(url, body | {"ignore_eos": True}, tokens)

        with_ollama(), without()  # warm
        through, direct = [], []
        for _ in range(pairs):
            through.append(with_ollama())
            direct.append(without())
    row("tokens/s through Ollama", spread(through, "tokens/s", 1))
    row("tokens/s of bare xllamacpp", spread(direct, "tokens/s", 1))
    ratios = [a / b for a, b in zip(through, direct, strict=True)]
    row("  ratio (at least 0.9)", spread(ratios, "", 3))


def _rate(url: str, body: dict[str, Any], tokens: int) -> float:
    """Chunks per second between the first and the last that carries text."""
    stamps = []
    with httpx.stream("POST", url, json=body, timeout=None) as reply:
        for line in reply.iter_lines():
            if '"content":"' in line and '"content":""' not in line:
                stamps.append(time.perf_counter())
    assert len(stamps) > tokens // 2, f"only {len(stamps)} chunks of {tokens}"
    return (len(stamps) - 1) / (stamps[-1] - stamps[0])


def bench_memory() -> None:
    """Memory of the sandbox's processes and of the machine, around one residency."""
    with Sandbox() as sandbox:
        server = Server(sandbox.url)
        family = psutil.Process(sandbox.pid)

        def resident_bytes() -> int:
            processes = [family, *family.children(recursive=True)]
            return sum(p.memory_info().rss for p in processes)

        run_agent("Hi", model=MODEL, keep_alive=0, server=server, options={"num_predict": 1})
        _gone(server)
        before, machine_before = resident_bytes(), psutil.virtual_memory().used
        run_agent(STORY, model=MODEL, keep_alive="10m", server=server, options={"num_predict": 50})
        during, machine_during = resident_bytes(), psutil.virtual_memory().used
        server.unload(MODEL)
        time.sleep(0.5)
        after, machine_after = resident_bytes(), psutil.virtual_memory().used
    row("RSS of the sandbox before, resident, after unload", _megabytes(before, during, after))
    row("  after minus before (within 5 MB)", f"{(after - before) / MB:+.1f} MB")
    machine = _megabytes(machine_before, machine_during, machine_after)
    row("memory used on the whole machine, the same", machine)


def _megabytes(*values: int) -> str:
    return " -> ".join(f"{v / MB:.1f}" for v in values) + " MB"


def _gone(server: Server) -> None:
    while server.resident(MODEL) is not None:
        time.sleep(0.05)


# --- stopping -----------------------------------------------------------------------------------


def bench_stop(times: int = 9) -> None:
    """From stop() to the runner's last use of the processor (its clock ticks every 10 ms)."""
    ends = []
    with Sandbox(models=[MODEL]) as sandbox:
        server = Server(sandbox.url)
        server.preload(MODEL, "10m")
        [runner] = [
            p for p in psutil.Process(sandbox.pid).children(recursive=True) if p.num_threads() > 1
        ]
        for _ in range(times):
            arrived = threading.Event()
            run = AgentRun(
                STORY,
                model=MODEL,
                server=server,
                options={"num_predict": 4000},
                on_text=lambda _, arrived=arrived: arrived.set(),
            ).start()
            arrived.wait(60)
            time.sleep(0.5)
            with stopwatch() as clock:
                run.stop()
                ends.append(_last_use(runner, clock))
            run.wait(5)
    row("Stop to the server's having stopped generating", spread([1000 * s for s in ends], "ms", 0))


def _last_use(runner: psutil.Process, clock: Callable[[], float]) -> float:
    used, last = sum(runner.cpu_times()[:2]), 0.0
    while clock() < last + 0.5:
        now = sum(runner.cpu_times()[:2])
        if now > used:
            used, last = now, clock()
        time.sleep(0.002)
    return last


# --- as a newcomer ------------------------------------------------------------------------------


def bench_fresh() -> None:
    """Clone to first streamed token, with an empty cache and no environment."""
    with tempfile.TemporaryDirectory() as folder:
        clone, cache = Path(folder) / "clone", Path(folder) / "cache"
        hidden = ("OLLAMA_HOST", "VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL")
        environment = {k: v for k, v in os.environ.items() if k not in hidden}
        environment["LIFECYCLE_WIDGETS_CACHE"] = str(cache)
        started = time.time()
        _step("clone", ["git", "clone", "-q", str(ROOT), str(clone)], Path(folder), environment)
        environment_made = ["make", ".venv/.installed"]
        _step("environment, Ollama built meanwhile", environment_made, clone, environment)
        python = str(clone / ".venv/bin/python")
        models = [python, "-m", "lifecycle_widgets.sandbox", "models"]
        _step("the server's models", models, clone, environment)
        said = _step("a run in a new kernel", [python, "-c", _FIRST_RUN], clone, environment)
        server_s, load_s, ttft_s, first_token_at = map(float, said.split())
        row("  of it starting the server", f"{server_s:.2f} s")
        row("  of it the first load", f"{load_s:.2f} s")
        row("  of it the time to first token", f"{ttft_s:.2f} s")
        row("clone to first streamed token", f"{first_token_at - started:.0f} s")


_FIRST_RUN = f"""
import time, lifecycle_widgets as lw
begun, stamps = time.perf_counter(), []
server = lw.Server.find()
server_s = time.perf_counter() - begun
run = lw.run_agent(
    "Say hello.", model={MODEL!r}, server=server, on_text=lambda _: stamps.append(time.time())
)
print(server_s, run.timings.load_s, run.timings.ttft_s, stamps[0])
"""


def _step(name: str, command: list[str], cwd: Path, env: dict[str, str]) -> str:
    with stopwatch() as clock:
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stdout}\n{done.stderr}")
    row(f"fresh: {name}", f"{clock():.1f} s")
    return done.stdout


BENCHES: dict[str, Callable[[], None]] = {
    "fresh": bench_fresh,
    "lessons": bench_lessons,
    "endurance": bench_endurance,
    "bodies": bench_bodies,
    "agent": lambda: bench_agent(row),
    "grounds": bench_grounds,
    "history": bench_history,
    "import": bench_import,
    "door": lambda: bench_door(row),
    "sandbox": bench_sandbox,
    "speed": bench_speed,
    "memory": bench_memory,
    "stop": bench_stop,
    "monitor-cost": lambda: bench_cost(row),
    "monitor-session": lambda: bench_session(row),
    "monitor-traffic": lambda: bench_monitor_traffic(row),
    "advisor-quality": lambda: bench_quality(row),
    "advisor-schedules": lambda: bench_schedules(row),
    "advisor-speed": lambda: bench_replay(row),
    "class": bench_class,
    "class-lessons": bench_class_lessons,
    "crosscheck": bench_crosscheck,  # the last: it ends with an exit code
}
LONG = (
    "fresh",
    "lessons",
    "endurance",
    "bodies",
    "agent",
    "grounds",
    "history",
    "monitor-cost",
    "monitor-session",
    "monitor-traffic",
    "advisor-quality",
    "advisor-schedules",
    "advisor-speed",
    "class",
    "class-lessons",
    "crosscheck",
)


def main(wanted: list[str]) -> None:
    names = wanted or [name for name in BENCHES if name not in LONG]
    for name in BENCHES if "all" in names else names:
        if name not in BENCHES:
            sys.exit(f"no bench {name!r}; there are: {', '.join(BENCHES)}, all")
        BENCHES[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
