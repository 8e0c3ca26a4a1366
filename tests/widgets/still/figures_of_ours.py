"""Every figure of ours, small, made from values that are set: no server is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pandas as pd
import plotly.graph_objects as go

from lifecycle_widgets import KeepAlive, Residency, Runner, Sample
from lifecycle_widgets.advisor.replay.profile import profile
from lifecycle_widgets.experiments import Interval
from lifecycle_widgets.experiments.figures import (
    cold_and_warm,
    downstream,
    in_a_loop,
    in_a_row,
    in_turn,
)
from lifecycle_widgets.monitor import OTHERS, OURS, Machine, Request
from lifecycle_widgets.server import Resident
from lifecycle_widgets.widgets import break_even_figure
from lifecycle_widgets.widgets.advice_panel import picture as advice
from lifecycle_widgets.widgets.advice_panel.curve import Curve
from lifecycle_widgets.widgets.chart.export.what_happened import what_happened
from lifecycle_widgets.widgets.chart.picture import picture
from lifecycle_widgets.widgets.chart.plot.as_plotly import as_plotly
from lifecycle_widgets.widgets.chart.scene import Scene

ONE, OTHER = "smollm2:135m", "smollm2:135m-f16"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
STATES = ("cold (from disk)", "cold (page cache)", "warm")
TTFT_S = dict(zip(STATES, (0.9, 0.6, 0.1), strict=True))


def about(value: float) -> Interval:
    return Interval(0.8 * value, value, 1.4 * value, 5)


def of_states() -> go.Figure:
    rows = [
        {"state": state, "load_s": 0.7 * ttft_s, "ttft_s": f * ttft_s}
        for state, ttft_s in TTFT_S.items()
        for f in (0.9, 1.0, 1.2)
    ]
    return cold_and_warm.draw(pd.DataFrame(rows), {s: about(v) for s, v in TTFT_S.items()}, ONE)


def of_histories() -> go.Figure:
    rows = [
        {"state": state, "history_tokens": tokens, "prompt_tokens": tokens + 20}
        for state in STATES
        for tokens in (0, 1000)
    ]
    ends = {(s, n): about(v * (1 + n / 200)) for s, v in TTFT_S.items() for n in (0, 1000)}
    return cold_and_warm.draw_curve(pd.DataFrame(rows), ends, "qwen3:30b-a3b-instruct-2507-q4_K_M")


def of_downstream() -> go.Figure:
    names = ("never loaded", "resident, idle", "gone by keep_alive=0", "gone by ollama stop")
    rows = [
        {
            "condition": name, "steady_s": f * (2.8 if i == 1 else 0.05),
            "runner_bytes": 7e8 * (i == 1), "page_cache_bytes": 5e8 - 3e8 * (i == 1),
            "steady_disk_bytes": 4e8 * (i == 1),
        }
        for i, name in enumerate(names)
        for f in (0.9, 1.1)
    ]  # fmt: skip
    seconds = {name: about(2.8 if i == 1 else 0.05) for i, name in enumerate(names)}
    return downstream.draw(pd.DataFrame(rows), ONE, seconds, conditions=names, is_short=True)


def of_turns() -> go.Figure:
    arms, models = ("0", "30s", "server default", "5m, at most 2"), (ONE, OTHER)
    calls = [
        {
            "arm": arm, "model": model, "start_s": 20.0 * call + i,
            "was_resident": arm != "0" and call > 0, "ttft_s": 0.5,
        }
        for arm in arms
        for call in range(3)
        for i, model in enumerate(models)
    ]  # fmt: skip
    stays = [
        {"arm": arm, "model": model, "start_s": float(i), "end_s": 40.0 + i, "why": "expired"}
        for arm in arms
        for i, model in enumerate(models)
    ]
    columns = {"span_s": 45.0, "late_s": 1.0, "waiting_s": 12.0, "gb_s": 50.0}
    table = pd.DataFrame([columns] * len(arms), index=arms)
    waiting = {arm: about(12.0) for arm in arms}
    return in_turn.draw(pd.DataFrame(calls), pd.DataFrame(stays), table, waiting)


def of_a_row() -> go.Figure:
    arms = ("0", "30s", "5m", "forever")
    table = pd.DataFrame(
        {"gb_s": [1.0, 9.0, 11.0, 12.0], "waiting_s": [3.0, 1.4, 0.8, 0.8]}, index=arms
    )
    calls = [
        {"arm": arm, "gap_s": gap_s, "ttft_s": 1.2 / (1 + i)}
        for i, arm in enumerate(arms)
        for gap_s in (1.0, 3.0, 33.0)
    ]
    waiting = {arm: about(table.loc[arm, "waiting_s"]) for arm in arms}
    return in_a_row.draw(pd.DataFrame(calls), table, waiting, Interval(80, 118, 160, 5), ONE)


def of_loops() -> go.Figure:
    ways = ("0", "0 held", "5m")
    names = ("an agent with a tool", "a pipeline of two models")
    held = [[0.0, 1e9], [2.0, 1e9], [2.1, 0.0], [4.0, 0.0]]
    stays = {**dict.fromkeys(ways[:2], held), "5m": [[0.0, 1e9], [4.0, 1e9]]}
    typical = {
        name: {
            way: {"held": {ONE: stays[way], OTHER: stays[way]}, "total_s": 2.0, "window_s": 4.0}
            for way in ways
        }
        for name in names
    }
    columns = {
        name: {what: {way: [1.0, 1.2, 1.1] for way in ways} for what in ("total_s", "gb_s")}
        | {"reloads": {"0": [2.0, 2.0, 2.0], "0 held": [0.0] * 3, "5m": [0.0] * 3}}
        for name in names
    }
    ends = {name: {"total_s": {way: about(1.1) for way in ways}} for name in names}
    return in_a_loop.draw(typical, columns, ends)


def of_the_chart() -> go.Figure:
    """Two models: one has expired and is back, the other stays; one request is somebody else's."""

    def before(seconds: float) -> datetime:
        return NOW - timedelta(seconds=seconds)

    def seen(left_s: float) -> Sample:
        in_memory = [ONE] * (left_s > 26 or left_s < 20) + [OTHER] * (left_s < 12)
        return Sample(
            at=before(left_s), t_s=1000 - left_s, ram_used_bytes=5_050_000_000,
            ram_total_bytes=24_000_000_000, cpu_fraction=0.5,
            runners=tuple(Runner(i, 283_000_000, m) for i, m in enumerate(in_memory)), gpus=(),
            residents=tuple(Resident(m, 257_000_000, 0, NOW, 4096, m) for m in in_memory),
            machine=Machine(cpu_pressure=0.3, disk_read_bytes_per_s=2e8),
        )  # fmt: skip

    ends = before(26), NOW + timedelta(seconds=272), None
    stays = [
        Residency(ONE, before(40), ends[0], "expired", ends[0], False),
        Residency(ONE, before(20), None, None, ends[1], False),
        Residency(OTHER, before(12), None, None, None, True),
    ]
    asked = [
        Request(ONE, before(41), before(36), None, None, OURS, load_s=1.0, prompt_eval_s=1.0,
                eval_s=2.0),
        Request(OTHER, before(12), before(8), None, None, OTHERS),
    ]  # fmt: skip
    samples = [seen(0.5 * i) for i in range(100, -1, -1)]
    colors = {ONE: "#2a8fd0", OTHER: "#994580"}
    return as_plotly(picture(what_happened(
        Scene(samples, stays, NOW, 120.0, 20.0, colors, requests=asked)
    )))  # fmt: skip


def of_the_advice() -> go.Figure:
    figure = advice.empty_figure()
    curve = Curve(profile([10.0, 20.0, 60.0, 300.0, 3000.0]), t_star_s=60.0)
    advice.draw(figure, curve, ONE, KeepAlive("5m"), KeepAlive("1m"))
    made = go.Figure(figure)
    figure.close()
    return made


def of_prices() -> go.Figure:
    arms = ["0", "30s", "5m", "forever"]
    costs = pd.DataFrame(
        {
            "waiting_s": [3.0, 1.4, 0.8, 0.8], "memory_s": 2.0,
            "low_s": 2.0, "cost_s": 4.0, "high_s": 6.0,
        },
        index=arms,
    )  # fmt: skip
    figure = break_even_figure.empty_figure()
    break_even_figure.draw(figure, costs)
    made = go.Figure(figure)
    figure.close()
    return made


FIGURES: dict[str, Callable[[], go.Figure]] = {
    "states": of_states,
    "histories": of_histories,
    "downstream": of_downstream,
    "turns": of_turns,
    "a row": of_a_row,
    "loops": of_loops,
    "chart": of_the_chart,
    "advice": of_the_advice,
    "prices": of_prices,
}
