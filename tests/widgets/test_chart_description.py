"""What the chart says in sentences, on the page and in code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from lifecycle_widgets import ResourceChart, Runner, Sample
from lifecycle_widgets.monitor import OURS, Request
from lifecycle_widgets.server import Resident
from lifecycle_widgets.widgets.formats import clock_text
from tests.fed_monitor import NOON, FedMonitor

Shut = Callable[[Any], Any]
MODEL = "smollm2:135m"
LEAVES = NOON + timedelta(seconds=40)


def sample(t_s: float, *names: str) -> Sample:
    return Sample(
        at=NOON + timedelta(seconds=t_s),
        t_s=t_s,
        ram_used_bytes=5_000_000_000,
        ram_total_bytes=24_000_000_000,
        cpu_fraction=0.2,
        runners=tuple(Runner(7 + i, 300_000_000, name or None) for i, name in enumerate(names)),
        gpus=(),
        residents=tuple(
            Resident(name, 300_000_000, 0, LEAVES, 4096, name) for name in names if name
        ),
    )


def test_it_says_who_is_in_memory_and_what_happened(shut: Shut) -> None:
    monitor = FedMonitor()
    chart = shut(ResourceChart(monitor))
    monitor.feed(sample(0))
    assert "No model is in memory." in chart.description
    began, ended = NOON + timedelta(seconds=1), NOON + timedelta(seconds=3)
    monitor.asked.append(Request(MODEL, began, ended, 1.0, 3.0, OURS, ("own",)))
    for t_s in range(1, 8):
        monitor.feed(sample(t_s, MODEL))
    in_memory = f"In memory: {MODEL} since {clock_text(NOON + timedelta(seconds=1))}"
    assert f"{in_memory}, until {clock_text(LEAVES)}." in chart.description
    asked = f"Requests: 1; the last one, to {MODEL}, ended at {clock_text(ended)} after 2.00 s."
    assert asked in chart.description
    chart._redraw()  # which it does some times a second
    said, number = chart._plot._now["spoken"], chart._plot._now["number"]
    assert said == chart.description, "the page has it, too"
    monitor.feed(sample(8, MODEL))
    chart._redraw()
    assert chart._plot._now["number"] > number
    assert chart._plot._now["spoken"] == said, "not sent anew at each tick"
    for t_s in range(45, 52):
        monitor.feed(sample(t_s))
    assert "No model is in memory. Left memory: smollm2:135m at" in chart.description
    chart.view = NOON, NOON + timedelta(seconds=20)
    assert chart.description.startswith(f"Memory, processor and requests from {clock_text(NOON)}")


def test_a_model_whose_name_is_not_told_is_drawn(shut: Shut) -> None:
    monitor = FedMonitor()
    chart = shut(ResourceChart(monitor))
    for t_s in range(4):
        monitor.feed(sample(t_s, ""))
    assert "name not told" in chart.description
    assert chart.figure.layout.shapes
