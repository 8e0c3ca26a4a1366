"""An eight-hour session of the chart at 2 Hz: memory, bytes to the page, and what each side takes.

The clock is driven: samples of advancing times are fed to a monitor, as fast as they are drawn. The
page is Chromium's, with the chart's own JavaScript on a stand-in for the widgets' model, and gets
the messages of the last minutes; what its main thread did is asked of Chromium itself.
"""

from __future__ import annotations

import gc
import json
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import comm
import numpy as np
import plotly
import psutil
from comm.base_comm import BaseComm

from lifecycle_widgets.monitor import OTHERS, OURS, Machine, Request, Runner, Sample
from lifecycle_widgets.server import Resident
from lifecycle_widgets.widgets import ResourceChart
from tests.chart_page import open_chart
from tests.chromium import chromium
from tests.fed_monitor import NOON, FedMonitor

if TYPE_CHECKING:
    from playwright.sync_api import Page

HOURS = 8.0
INTERVAL_S = 0.5
PAGE_UPDATES = 600  # five minutes' worth
PLOTLY_UPDATES = 40
PAGE_EVERY_MS = 100  # faster than two a second, so that it does not take five minutes
ONE, OTHER = "smollm2:135m", "qwen3:4b"
Row = Callable[[str, str], None]


class Counting(BaseComm):
    """The kernel's end of a comm that counts what goes to the page."""

    bytes_sent = 0
    kept: ClassVar[list[dict[str, Any]]] = []

    def publish_msg(self, msg_type: str, data: Any = None, *more: Any, **keywords: Any) -> None:
        """As the comm package wants it; what is not kept is forgotten at once."""
        if msg_type == "comm_msg" and data is not None:
            Counting.bytes_sent += len(json.dumps(data, default=str))
            if data.get("method") == "custom":
                Counting.kept.append(data["content"])
                del Counting.kept[:-PAGE_UPDATES]


class Day:
    """A day's samples: two models that come and go, requests of ours and of others, loads."""

    def __init__(self, monitor: FedMonitor) -> None:
        self._monitor, self._random = monitor, random.Random(15)

    def tick(self, number: int) -> None:
        """The next sample, and the requests that have ended by then."""
        t_s = number * INTERVAL_S
        at = NOON + timedelta(seconds=t_s)
        here = [(ONE, 283_000_000)] if t_s % 300 < 200 else []
        here += [(OTHER, 2_300_000_000)] if t_s % 700 < 400 else []
        for model, _ in here:
            if self._random.random() < 0.02:
                self._monitor.asked.append(self._request(model, number))
        left = {ONE: 200 - t_s % 300, OTHER: 400 - t_s % 700}
        listed = [
            Resident(m, size, 0, at + timedelta(seconds=left[m]), 4096, m) for m, size in here
        ]
        self._monitor.feed(
            Sample(
                at=at,
                t_s=t_s,
                ram_used_bytes=int(6e9 + sum(s for _, s in here) + 1e8 * math.sin(t_s / 60)),
                ram_total_bytes=24_000_000_000,
                cpu_fraction=self._random.random(),
                runners=tuple(Runner(len(m), size + number % 7, m, m) for m, size in here),
                gpus=(),
                residents=tuple(listed),
                machine=Machine(int(8e9 + 1e6 * number % 3e9), 0, 0, 0.0, 0.0, 0.01, 0.0, 0.0),
            )
        )

    def _request(self, model: str, number: int) -> Request:
        ended_s = number * INTERVAL_S
        took_s = self._random.uniform(0.5, 8.0)
        ended = NOON + timedelta(seconds=ended_s)
        is_ours = self._random.random() < 0.5
        told: dict[str, Any] = {"load_s": 0.004, "prompt_eval_s": took_s / 4, "eval_s": took_s / 2}
        return Request(
            model,
            ended - timedelta(seconds=took_s),
            ended,
            ended_s - took_s,
            ended_s,
            OURS if is_ours else OTHERS,
            ("own",) if is_ours else ("deadline", "runner"),
            **(told if is_ours else {}),
        )


@contextmanager
def counted() -> Iterator[None]:
    """Comms that are made within are counted."""
    before, comm.create_comm = comm.create_comm, Counting
    try:
        yield
    finally:
        comm.create_comm = before


def bench_session(row: Row, hours: float = HOURS) -> None:
    """The kernel's side for so many hours, and then the page's."""
    with counted():
        monitor = FedMonitor()
        chart = ResourceChart(monitor)
    _page_has_come(chart)
    day = Day(monitor)
    process, ticks = psutil.Process(), int(hours * 3600 / INTERVAL_S)
    costs, sizes = np.ones(ticks), np.ones(ticks)  # made now: they are no growth
    memory: list[float] = []
    first: dict[str, Any] = {}
    figures: list[str] = []
    for number in range(ticks):
        if number == ticks - PAGE_UPDATES:
            first = json.loads(json.dumps(chart._plot.get_state()["_picture"]))
            _page_has_come(chart)
        sent, began_s = Counting.bytes_sent, time.thread_time()
        chart._last_s = -1.0  # the clock is driven: no update is too early
        day.tick(number)
        costs[number] = 1000 * (time.thread_time() - began_s)
        sizes[number] = Counting.bytes_sent - sent
        if number >= ticks - PLOTLY_UPDATES:
            figures.append(chart.figure.to_json())
        if number % int(1800 / INTERVAL_S) == 0:
            gc.collect()
            memory.append(process.memory_info().rss / 1e6)
    _told(row, hours, costs.tolist(), sizes.tolist(), memory)
    messages = [content for content in Counting.kept if "change" in content][-PAGE_UPDATES:]
    chart.close()
    _page(row, first, messages)
    _plotly(row, [json.loads(figure) for figure in figures])


def _page_has_come(chart: ResourceChart) -> None:
    chart._plot._handle_custom_msg({"wants": "picture"}, [])


def _told(
    row: Row, hours: float, costs: list[float], sizes: list[int], memory: list[float]
) -> None:
    hour = 2  # readings of the memory
    row(f"session of {hours:g} h: kernel's CPU per update", f"{statistics.mean(costs):.2f} ms")
    row("  95 of 100 are below (goal: at most 5 ms)", f"{_at(costs, 0.95):.2f} ms")
    row("bytes to the page per update", f"{statistics.mean(sizes) / 1e3:.1f} kB")
    row("  95 of 100 are below (goal: at most 20 kB)", f"{_at(sizes, 0.95) / 1e3:.1f} kB")
    row("  the most", f"{max(sizes) / 1e3:.1f} kB")
    if len(memory) > hour:
        grown = memory[-1] - memory[hour]
        row(
            "kernel's memory, after 1 h and at the end",
            f"{memory[hour]:.0f} -> {memory[-1]:.0f} MB",
        )
        row("  grown after the first hour (goal: flat)", f"{grown:+.1f} MB")


def _at(values: list[Any], share: float) -> float:
    return float(sorted(values)[min(int(share * len(values)), len(values) - 1)])


def _page(row: Row, first: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    """What the main thread of a page took for each update."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        open_chart(page, first)
        metrics = _metrics_of(page)

        def fed(these: list[dict[str, Any]]) -> tuple[float, list[float], float, float]:
            before = metrics()
            tasks_ms = page.evaluate(
                """async ([messages, every]) => {
                  const took = [];
                  for (const message of messages) {
                    await new Promise((go) => setTimeout(go, every));
                    const began = performance.now();
                    say(message);
                    took.push(performance.now() - began);
                  }
                  return took;
                }""",
                [these, PAGE_EVERY_MS],
            )
            after = metrics()
            work_ms = 1000 * (after["TaskDuration"] - before["TaskDuration"]) / len(these)
            return work_ms, tasks_ms, before["JSHeapUsedSize"] / 1e6, after["JSHeapUsedSize"] / 1e6

        half = len(messages) // 2
        fed(messages[:20])  # warm
        fed(messages[20:half])
        work_ms, tasks_ms, heap_before, heap_after = fed(messages[half:])
        drawn = page.evaluate("state._picture.number - 0")
        assert drawn >= first["number"] + len(messages), "a change was not taken"
    row("page: main thread per update, all tasks", f"{work_ms:.1f} ms (goal: at most 16 ms)")
    row(
        "  of it in the chart's code: median, the most",
        f"{statistics.median(tasks_ms):.1f}, {max(tasks_ms):.1f} ms",
    )
    row("  its memory before and after", f"{heap_before:.1f} -> {heap_after:.1f} MB")


def _plotly(row: Row, figures: list[dict[str, Any]]) -> None:
    """What plotly takes to draw the same, one picture after another."""
    library = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.add_script_tag(path=library)
        page.evaluate(
            """() => {
              window.place = document.body.appendChild(document.createElement("div"));
              place.style.width = "760px";
            }"""
        )
        metrics = _metrics_of(page)

        def drawn(these: list[dict[str, Any]]) -> float:
            before = metrics()
            page.evaluate(
                """async ([figures, every]) => {
                  for (const { data, layout } of figures) {
                    await new Promise((go) => setTimeout(go, every));
                    await Plotly.react(place, data, layout, { displayModeBar: false });
                  }
                }""",
                [these, PAGE_EVERY_MS],
            )
            return 1000 * (metrics()["TaskDuration"] - before["TaskDuration"]) / len(these)

        half = len(figures) // 2
        drawn(figures[:half])  # warm
        row("  the same by plotly (Plotly.react)", f"{drawn(figures[half:]):.1f} ms")


def _metrics_of(page: Page) -> Callable[[], dict[str, float]]:
    """Chromium's own figures of a page."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")

    def metrics() -> dict[str, float]:
        devtools.send("HeapProfiler.collectGarbage")
        told = devtools.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in told}

    return metrics
