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
    ColdAndWarmResult,
    Downstream,
    Experiment,
    InARow,
    Interval,
    InTurn,
    Result,
)
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server
from tests.detached import detached

NOTEBOOKS = sorted((Path(__file__).parent.parent.parent / "notebooks").glob("*.ipynb"))
Intervals = dict[str, Interval]
HISTORIES = (0, 1000, 4000)
CACHE, WARM = "cold (page cache)", "warm"
# each experiment as the lessons run it, and what is compared between two runs of it
EXPERIMENTS: dict[str, tuple[Callable[[Server], Experiment[Any]], Callable[[Any], Intervals]]] = {
    "cold_and_warm": (
        lambda server: ColdAndWarm("smollm2:135m-f32", server=server),
        lambda result: {state: result.ttft_s(state) for state in set(result.frame["state"])},
    ),
    "cold_and_warm, by history": (
        lambda server: ColdAndWarm("smollm2:135m", history=HISTORIES, rounds=3, server=server),
        lambda result: (
            {f"L, {n} tokens": result.reload_s(n) for n in HISTORIES}
            | {f"T* at 1 s/GB-min, {n} tokens": _t_star(result, n) for n in HISTORIES}
            | {f"{s}, {n} tokens": result.ttft_s(s, n) for s in (CACHE, WARM) for n in HISTORIES}
        ),
    ),
    "downstream": (
        lambda server: Downstream(server=server),
        lambda result: (
            {f"{c}, s": result.seconds(c) for c in result.table.index}
            | {f"{c}, times": result.slowdown(c) for c in result.table.index}
        ),
    ),
    "in_turn": (
        lambda server: InTurn(server=server),
        lambda result: {arm: result.waiting_s(arm) for arm in result.table.index},
    ),
    "in_a_row": (
        lambda server: InARow(server=server),
        lambda result: (
            {arm: result.waiting_s(arm) for arm in result.table.index}
            | {"L": result.reload_s, "T* at 1 s/GB-min": result.break_even(1)}
        ),
    ),
}


def _t_star(result: ColdAndWarmResult, tokens: int) -> Interval:
    return result.break_even(1, history_tokens=tokens)


def bench_lessons() -> None:
    """Each experiment twice as the lessons run it, and once beside a busy loop of somebody else's;
    then each notebook once, with its seconds."""
    server = Server.sandbox()
    for name, (make, intervals) in EXPERIMENTS.items():
        first, second = (_told(name, make(server).run()) for _ in range(2))
        with detached():
            beside = _told(f"{name}, beside a busy loop", make(server).run())
        _compare("alone, twice", intervals(first), intervals(second))
        _compare("alone, and beside a busy loop", intervals(first), intervals(beside))
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


def _compare(what: str, first: Intervals, second: Intervals) -> None:
    """Whether the intervals of two runs overlap."""
    print(f"  {what}:", flush=True)
    for name, one in first.items():
        agree = "agree" if one.overlaps(second[name]) else "DIFFER"
        print(f"  {name:32} {one} and {second[name]}: {agree}", flush=True)
