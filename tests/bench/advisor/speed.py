"""How many gaps a second each engine of the replay does, beside how fast memory can be read.

python -m tests.bench.advisor.speed [millions of rows of the trace in Parquet]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lifecycle_widgets.advisor.replay.grid import grid
from lifecycle_widgets.advisor.replay.kernels.threads import over_threads
from lifecycle_widgets.advisor.replay.one_ttl import one_ttl
from lifecycle_widgets.advisor.replay.parquet.files import profile_of
from lifecycle_widgets.advisor.replay.profile import profile

Row = Callable[[str, str], None]

T_STAR_S = 120.0
GAPS = 50_000_000
ROUNDS = 9
STREAMS = 50
_ROW_GROUP = 1 << 20


def bench_replay(row: Row, millions: float = 100.0) -> None:
    """The engines in memory, then a trace that is longer than one would like to hold."""
    row("processors, and others' use of them (load average)", f"{os.cpu_count()}, {_load()}")
    in_memory(row)
    compiling(row)
    with tempfile.TemporaryDirectory() as folder:
        for many in (millions / 10, millions):
            from_parquet(row, Path(folder) / f"{many:g}.parquet", round(many * 1e6))
        on_a_cluster(row, Path(folder) / f"{millions / 10:g}.parquet")


# --- in memory -----------------------------------------------------------------------------------


def in_memory(row: Row) -> None:
    """Each engine by turns with a sum by as many threads: both have the same neighbours then."""
    gaps = np.random.default_rng(0).lognormal(4, 2, GAPS)
    some = gaps[: GAPS // 10]
    engines: dict[str, tuple[Callable[[Any], Any], Any]] = {
        "one TTL": (lambda g: one_ttl(g, T_STAR_S), gaps),
        "122 TTLs, in one pass": (lambda g: profile(g, grid(T_STAR_S)), gaps),
        "every TTL, sorted by its bytes (5 million gaps)": (profile, some),
        "numpy, one TTL": (_by_numpy, gaps),
        "numpy, sorted, 122 TTLs (5 million gaps)": (_sorted_by_numpy, some),
    }
    limits = []
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in engines}
    for engine, data in engines.values():
        engine(data)  # compiled, and the memory is there
    for _ in range(ROUNDS):
        for name, (engine, data) in engines.items():
            limit, rate = _rate(_read, gaps), _rate(engine, data)
            limits.append(limit)
            rates[name].append((rate, rate / limit))
    row("reading memory: the sum of 50 million gaps", _millions(limits))
    for name, found in rates.items():
        row(name, _millions([rate for rate, _ in found]))
        row("  by the reading beside it", _spread([ratio for _, ratio in found], 3))


def _read(gaps: Any) -> Any:
    return over_threads(np.sum, gaps)


def _by_numpy(gaps: Any) -> Any:
    return np.minimum(gaps, T_STAR_S).sum(), (gaps > T_STAR_S).sum()


def _sorted_by_numpy(gaps: Any) -> Any:
    ordered = np.sort(gaps)
    below = np.append(0.0, np.cumsum(ordered))
    ttls = grid(T_STAR_S)
    places = np.searchsorted(ordered, ttls, "right")
    return below[places] + ttls * (len(gaps) - places), len(gaps) - places


def _rate(work: Callable[[Any], Any], gaps: Any) -> float:
    began_s = time.perf_counter()
    work(gaps)
    return len(gaps) / (time.perf_counter() - began_s)


def compiling(row: Row) -> None:
    """What the first call of a person costs who has no cache of compiled code, and the second."""
    with tempfile.TemporaryDirectory() as cache:
        env = os.environ | {"NUMBA_CACHE_DIR": cache}
        for name in ("first", "second"):
            said = subprocess.run(
                [sys.executable, "-c", _FIRST], env=env, capture_output=True, text=True, check=True
            )
            row(f"one TTL and 122, a million gaps: {name} process", f"{float(said.stdout):.2f} s")


_FIRST = """
import time
import numpy as np
began_s = time.perf_counter()
from lifecycle_widgets.advisor.replay.one_ttl import one_ttl
from lifecycle_widgets.advisor.replay.grid import GRID
from lifecycle_widgets.advisor.replay.profile import profile
gaps = np.ones(1_000_000)
one_ttl(gaps, 30.0), profile(gaps, GRID)
print(time.perf_counter() - began_s)
"""

# --- a trace in Parquet ---------------------------------------------------------------------------


def from_parquet(row: Row, path: Path, rows: int) -> None:
    """The curve of a trace of many rows, in a process of its own, whose memory is then known."""
    write_trace(path, rows)
    ours = [sys.executable, "-m", "tests.bench.advisor.speed", "--profile", str(path)]
    peaks, seconds = [], 0.0
    for command in ([*ours, "--only-import"], ours):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds, peak = map(float, done.stdout.split())
        peaks.append(peak)
    size_mb = path.stat().st_size / 1e6
    row(f"{rows / 1e6:g} million rows of {STREAMS} streams ({size_mb:.0f} MB)", f"{seconds:.1f} s")
    row("  rows a second", f"{rows / seconds / 1e6:.1f} M")
    row("  memory at most, and before it began", f"{peaks[1]:.0f} MB, {peaks[0]:.0f} MB")


def write_trace(path: Path, rows: int) -> None:
    """Requests of some models, mixed, as they come in."""
    import pyarrow
    import pyarrow.parquet as parquet

    rng = np.random.default_rng(1)
    names = pyarrow.array([f"model-{number}" for number in range(STREAMS)])
    kinds = [("stream", pyarrow.string()), ("start_s", "float64"), ("service_s", "float64")]
    schema, now_s = pyarrow.schema(kinds), 0.0
    with parquet.ParquetWriter(path, schema) as file:
        for done in range(0, rows, _ROW_GROUP):
            many = min(_ROW_GROUP, rows - done)
            start_s = now_s + np.cumsum(rng.exponential(1.0, many)).round(3)
            now_s = float(start_s[-1])
            streams = names.take(pyarrow.array(rng.integers(0, STREAMS, many)))
            service_s = rng.lognormal(1, 1, many).round(2)
            columns = [streams, pyarrow.array(start_s), pyarrow.array(service_s)]
            file.write_table(pyarrow.table(columns, schema=schema))


def on_a_cluster(row: Row, path: Path) -> None:
    """The same call with a cluster of two processes: does it come to the same, and how soon?"""
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        profile_of(path, cluster=client)  # the workers have imported and compiled
        began_s = time.perf_counter()
        there = profile_of(path, cluster=client)
        took_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    here = profile_of(path)
    here_s = time.perf_counter() - began_s
    row(
        "the first again, on a Dask cluster of 2 processes", f"{took_s:.1f} s (here {here_s:.1f} s)"
    )
    same = np.array_equal(there.held_s, here.held_s) and np.array_equal(there.reloads, here.reloads)
    row("  comes to the same", str(same))


def _profile(path: str, only_import: bool) -> None:
    began_s = time.perf_counter()
    if not only_import:
        profile_of(path, grid(T_STAR_S))
    took_s = time.perf_counter() - began_s
    status = Path("/proc/self/status").read_text()  # getrusage's begins with its parent's
    print(took_s, int(status.split("VmHWM:")[1].split()[0]) / 1024)


def _millions(rates: list[float]) -> str:
    return _spread([rate / 1e6 for rate in rates], 0) + " M gaps/s"


def _spread(values: list[float], digits: int) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--profile"]:
        _profile(sys.argv[2], "--only-import" in sys.argv)
    else:
        bench_replay(
            lambda name, value: print(f"{name:58} {value}", flush=True),
            *map(float, sys.argv[1:]),
        )
