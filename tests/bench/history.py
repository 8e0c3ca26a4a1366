"""A history of a year, ten million requests: its size, opening and drawing it; what keeping costs.

python -m tests.bench.history [millions of requests]
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from lifecycle_widgets.history import History, Past
from lifecycle_widgets.history.file.book import Book, opened
from lifecycle_widgets.history.file.rows import IS_OURS, IS_WORK, US
from lifecycle_widgets.history.file.whose import name_of
from lifecycle_widgets.history.writing.readings import WIDTHS_S
from lifecycle_widgets.history.writing.rollups import count_anew
from lifecycle_widgets.monitor import Machine
from lifecycle_widgets.server import Server
from tests.history.history_tools import Watching, request, sample

MODELS = tuple(f"model-{n}:7b" for n in range(5))
YEAR = timedelta(days=365)
SERVER = Server("192.0.2.1")
STAYS = 300_000
Rows = Iterator[tuple[int | None, ...]]


def row(name: str, value: str) -> None:
    print(f"{name:58} {value}", flush=True)


def bench_history(millions: float = 10.0) -> None:
    """The figures, for so many million requests."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder) / "history.sqlite")
        began_s = time.perf_counter()
        rest_bytes = fill(history, round(millions * 1e6))
        row(f"made {millions:g} million requests of a year in", f"{_since(began_s):.0f} s")
        row("size of a year without requests", f"{rest_bytes / 1e6:.1f} MB")
        of_requests = (history.size_bytes - rest_bytes) / millions
        row("size per million requests", f"{of_requests / 1e6:.1f} MB")
        row("size of it all (kept: 2 GB)", f"{history.size_bytes / 1e6:.0f} MB")
        drawing(history)
        reading(history)
    keeping()


# --- a year --------------------------------------------------------------------------------------


def fill(history: History, requests: int) -> int:
    """A year of five models: what was asked, when they were in memory, what the machine did.

    Returns
    -------
    int
        How many bytes it was without the requests.
    """
    end_us = time.time_ns() // 1000
    start_us = end_us - round(YEAR.total_seconds() * US)
    with opened(history.path) as book:
        with book.transaction():
            server = book.server(name_of(SERVER))
            models = [book.model(name) for name in MODELS]
            words = [book.word(word) for word in ("chat", "expired")]
            assert None not in words
            put_many(book, "residencies", 16, stays(server, models, start_us, end_us))
            book.execute("INSERT INTO watches VALUES (1, ?, ?, ?)", (server, start_us, end_us))
            put_readings(book, server, start_us, end_us)
        book.shrink()
        rest_bytes = history.size_bytes
        with book.transaction():
            put_many(book, "requests", 18, asked(server, models, start_us, end_us, requests))
            count_anew(book, start_us, end_us)
        book.shrink()
    return rest_bytes


def put_many(book: Book, table: str, columns: int, rows: Rows) -> None:
    marks = ", ".join("?" * columns)
    book.execute_many(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", rows)


def asked(server: int, models: list[int], start_us: int, end_us: int, count: int) -> Rows:
    """Half of them ours, with all that is known; of the others when they were, and how exactly."""
    step = (end_us - start_us) // count
    chosen = random.Random(1)
    for n in range(count):
        took = 200_000 + chosen.randrange(4_000_000)
        at, model = start_us + n * step + chosen.randrange(step), models[chosen.randrange(5)]
        if n % 2:
            about = IS_OURS | IS_WORK | 32 | 64 | 8
            phases = (0, 2_000, took // 4, took // 2, took // 3)
            sizes = (chosen.randrange(4000), chosen.randrange(500), 300_000, 200)
            yield (at, server, model, about, 1, 1, took, *phases, *sizes, 0, 0)
        else:
            about = IS_WORK | 64 | 128
            yield (at, server, model, about, 1, None, took, *(None,) * 9, 250_000, 500_000)


def stays(server: int, models: list[int], start_us: int, end_us: int) -> Rows:
    step = (end_us - start_us) // STAYS
    for n in range(STAYS):
        at, until = start_us + n * step, start_us + n * step + step * 3
        known = (2, 1 + n % 3, 3 + n % 5, 7_000_000_000, 6_000_000_000, 1, 1, 300_000, 900_000)
        yield (at, server, models[n % 5], until, until, 2, until, *known)


def put_readings(book: Book, server: int, start_us: int, end_us: int) -> None:
    """As a monitor's: bins of five minutes and an hour, two models in memory."""
    rest = (0.01, 4_000_000_000, 0, 0, 0.0, 1234.5, 0.1, 0.0, 0.02)
    for width in WIDTHS_S[1:]:
        first, last = start_us // (width * US), end_us // (width * US)
        book.execute_many(
            f"INSERT INTO readings VALUES ({', '.join('?' * 16)})",
            (
                (server, width, n, 2, 8_000_000_000 + n, 16_000_000_000, 0.1 * (n % 9), *rest)
                for n in range(first, last)
            ),
        )
        book.execute_many(
            "INSERT INTO memory VALUES (?, ?, ?, ?, ?, ?)",
            (
                (server, width, n, 1 + (n + k) % 5, 7_000_000_000, 0)
                for n in range(first, last)
                for k in range(2)
            ),
        )


# --- looking at it -------------------------------------------------------------------------------


def drawing(history: History) -> None:
    """What the lab asks for when it is opened, and what the whole of the chart needs."""
    now = datetime.now().astimezone()
    whole = _times(lambda: history.past(SERVER, now - YEAR, now))
    row("past() of the whole year, 240 bins (goal 0.4 s)", whole)
    for days in (30, 7, 1, 1 / 24):
        told = _times(lambda days=days: history.past(SERVER, now - timedelta(days=days), now))
        row(f"past() of the last {days:g} days", told)
    row("span()", _times(lambda: history.span(SERVER)))
    row("last_session()", _times(lambda: history.last_session(SERVER)))
    code = """
import sys, time
began_s = time.perf_counter()
from datetime import datetime, timedelta
from lifecycle_widgets.history import History
from lifecycle_widgets.server import Server
imported_s = time.perf_counter() - began_s
now = datetime.now().astimezone()
History(sys.argv[1]).past(Server("192.0.2.1"), now - timedelta(days=365), now)
print(f"{time.perf_counter() - began_s:.2f} s, of which importing {imported_s:.2f} s")
"""
    fresh = subprocess.check_output(
        [sys.executable, "-c", code, str(history.path)], text=True
    ).strip()
    row("the same in a process that has just begun", fresh)
    past: Past = history.past(SERVER, now - YEAR, now)
    row("which is", f"{len(past.samples)} samples, {len(past.stays)} stays, {len(past.busy)} bins")


def reading(history: History) -> None:
    for days in (1, 30):
        told = _times(lambda days=days: history.requests(since=timedelta(days=days)), 1)
        row(f"requests() of {days} days", f"{told}: {len(history.requests(since=timedelta(days)))}")
    row("gaps() of 30 days", _times(lambda: history.gaps(since=timedelta(days=30)), 1))


# --- writing it ----------------------------------------------------------------------------------


def keeping(hours: float = 2.0) -> None:
    """What is done for two hours at 2 Hz with three models and a request a second, at once."""
    with tempfile.TemporaryDirectory() as folder:
        history, watching = History(Path(folder) / "history.sqlite"), Watching(SERVER)
        spent, flushes = [], round(hours * 360)
        with history.keep(watching):
            for _ in range(flushes):
                watching.settled += [request(0.0, model=MODELS[n % 3]) for n in range(10)]
                machine = Machine(*(1.0,) * 8)
                watching.taken[:] = [sample(n / 2, *MODELS[:3], machine=machine) for n in range(20)]
                began_s = time.thread_time()
                watching.see()
                spent.append(time.thread_time() - began_s)
    mean_ms = statistics.mean(spent) * 1000
    row("CPU of a writing, each 10 s, a request a second", f"{mean_ms:.2f} ms")
    row("which is of a core (goal 0.05 %)", f"{mean_ms / 10_000:.3%}")


def _since(began_s: float) -> float:
    return time.perf_counter() - began_s


def _times(call: object, times: int = 5) -> str:
    taken = []
    for _ in range(times):
        began_s = time.perf_counter()
        call()  # type: ignore[operator]
        taken.append(_since(began_s))
    return f"{statistics.median(taken):.3f} s (first {taken[0]:.3f})"


if __name__ == "__main__":
    bench_history(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
