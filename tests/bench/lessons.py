"""The figures of the lessons: seconds per notebook; whether experiments repeat themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lifecycle_widgets.experiments import (
    ColdAndWarm,
    Downstream,
    Experiment,
    InARow,
    InTurn,
    Result,
    median_interval,
)
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server

NOTEBOOKS = sorted((Path(__file__).parent.parent.parent / "notebooks").glob("*.ipynb"))
# each experiment, and what is compared between two runs of it: groups of rows, and a column
EXPERIMENTS: dict[str, tuple[Callable[[Server], Experiment[Any]], str, str]] = {
    "cold_and_warm": (lambda s: ColdAndWarm("smollm2:135m-f32", server=s), "state", "ttft_s"),
    "downstream": (lambda s: Downstream(server=s), "condition", "steady_s"),
    "in_turn": (lambda s: InTurn(server=s), "arm", "ttft_s"),
    "in_a_row": (lambda s: InARow(server=s), "arm", "ttft_s"),
}


def bench_lessons() -> None:
    """Each experiment twice as the lessons run it, then each notebook once, with its seconds."""
    server = Server.sandbox()
    for name, (make, group, column) in EXPERIMENTS.items():
        first, second = (_told(name, make(server).run()) for _ in range(2))
        _compare(first, second, group, column)
    env = {**os.environ, "OLLAMA_HOST": server.url, SANDBOX_URL_VARIABLE: server.url}
    for notebook in NOTEBOOKS:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbmake"]
        began = time.monotonic()
        done = subprocess.run([*command, str(notebook)], env=env, capture_output=True, text=True)
        state = "passed" if done.returncode == 0 else "FAILED"
        print(f"notebook {notebook.name:44} {time.monotonic() - began:5.0f} s, {state}", flush=True)


def _told(name: str, result: Result) -> Result:
    print(f"\n{name}: {result.facts['seconds']:.0f} s\n{result.verdict}", flush=True)
    table = getattr(result, "table", None)
    print((result.frame if table is None else table).to_string(), flush=True)
    return result


def _compare(first: Result, second: Result, group: str, column: str) -> None:
    """Whether the medians' intervals of two runs overlap, group by group."""
    for value, rows in first.frame.groupby(group, sort=False):
        others = second.frame[second.frame[group] == value]
        one, other = (median_interval(list(r[column])) for r in (rows, others))
        agree = "agree" if one.overlaps(other) else "DIFFER"
        print(f"  {value!s:30} {column} {one} and {other}: {agree}", flush=True)
