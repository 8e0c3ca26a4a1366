"""InForceView: what is in force at a server, and what cannot be seen of it."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import ipywidgets as widgets
import pytest
from widget_parts import parts, shown, until

from lifecycle_widgets.monitor import (
    OTHERS,
    OURS,
    Gpu,
    InForce,
    Monitor,
    Request,
    Runner,
    RunnerSettings,
    Sample,
)
from lifecycle_widgets.monitor.in_force.load import cores_taken
from lifecycle_widgets.runs import clock_text
from lifecycle_widgets.server import Resident, Server
from lifecycle_widgets.widgets import InForceView
from lifecycle_widgets.widgets.in_force_html import in_force_html, model_rows, settings_text
from tests.recorded import RecordedServer, ollama, resident

URL, HOSTILE = "http://localhost:11434", "<script>alert(1)</script>"
NOW = datetime.now(timezone.utc)
SETTINGS = RunnerSettings(8192, 2, 512, 256, "q8_0", "q8_0", "on", 33, False, 8, "llama-server")
HELD = Resident("tiny:1b", 1_000_000_000, 250_000_000, NOW + timedelta(hours=1), 4096)
RUNNER = Runner(7, 900_000_000, "tiny:1b", settings=SETTINGS, cpu_s=10.0)
IN_FORCE = InForce(
    version="0.34.0",
    pid=2**22 + 1,  # no process has that number
    started_at=NOW - timedelta(hours=3, minutes=1, seconds=5),
    restarts=2,
    environment={"OLLAMA_KEEP_ALIVE": "40s", "OLLAMA_API_KEY": "***"},
    environment_from="systemd unit",
    default_keep_alive_s=40.0,
    default_keep_alive_from="environment",
)
SAMPLE = Sample(
    at=NOW,
    t_s=100.0,
    ram_used_bytes=1,
    ram_total_bytes=2,
    cpu_fraction=0.1,
    runners=(RUNNER,),
    gpus=(),
    residents=(HELD,),
    in_force=IN_FORCE,
)


def text(*samples: Sample, requests: tuple[Request, ...] = ()) -> str:
    return html.unescape(in_force_html(URL, samples, requests))


def test_the_server_is_told() -> None:
    said = text(SAMPLE)
    for words in (
        "0.34.0 at http://localhost:11434",
        f"process {2**22 + 1}",
        "running for 3 h ",
        f"since {clock_text(NOW - timedelta(hours=3, minutes=1, seconds=5))}",
        "restarted 2 times",
        "40 seconds, as its process was started (OLLAMA_KEEP_ALIVE)",
        "variables of its systemd unit",
        "<span>OLLAMA_KEEP_ALIVE=40s</span><span>OLLAMA_API_KEY=***</span>",
        "1 runner with 900 MB RAM",
    ):
        assert words in said
    for other in ("not seen", "does not answer", "GPU 0", "requests</dt><dd></dd>"):
        assert other not in said


def test_a_row_for_each_model_with_its_settings() -> None:
    (row,) = model_rows(SAMPLE, {7: 1.26})
    assert row[0] == "tiny:1b"
    assert row[1] == "7"
    assert row[2].startswith("until ")
    assert row[3:] == (
        "900 MB",
        "250 MB by Ollama",
        "1.3 cores",
        "75%/25% CPU/GPU",
        "2 × 4,096",
        "llama-server, batch 512/256, flash attention on, KV cache q8_0, 33 layers on GPUs, "
        "no mmap, 8 threads",
    )
    on_gpus = replace(RUNNER, vram_bytes=2_000_000_000, cards=(0, 1), settings=None)
    (row,) = model_rows(replace(SAMPLE, runners=(on_gpus,)), {})
    assert row[4:] == ("2.0 GB on GPU 0, 1", "–", "75%/25% CPU/GPU", "4,096", "–")
    loading = replace(SAMPLE, residents=())
    assert model_rows(loading, {})[0][1:3] == ("7", "loads")
    unknown = replace(loading, runners=(replace(RUNNER, model=None),))
    assert model_rows(unknown, {})[0][0] == "a model whose name is not known"


def test_what_cannot_be_seen_is_said_with_the_reason() -> None:
    elsewhere = "example.com is another machine, whose processes cannot be seen from here."
    hidden = replace(
        SAMPLE, runners=None, unseen=elsewhere, in_force=InForce(version="0.34.0", unseen=elsewhere)
    )
    said = text(hidden)
    assert f'<dt>not seen</dt><dd class="lw-lines"><span>{elsewhere}</span>' in said
    assert "5 minutes, unless OLLAMA_KEEP_ALIVE says otherwise" in said
    assert "750 MB by Ollama" in said
    assert "variables" not in said
    down = replace(hidden, residents=None, error="No Ollama answers.", unseen=None)
    assert "<dt>does not answer</dt>" in text(down)
    assert "<span>No Ollama answers.</span>" in text(down)
    assert "yet" in text()
    nothing = replace(SAMPLE, in_force=None, residents=(), runners=())
    assert "No model is in memory." in text(nothing)
    assert "version not told" in text(nothing)
    plain = replace(SAMPLE, in_force=InForce(environment={}, environment_from="process"))
    assert "none of Ollama's variables: its own defaults" in text(plain)


def test_cards_and_requests_are_told() -> None:
    card = Gpu(0, "NVIDIA H100", 0.5, 3_000_000_000, 80_000_000_000, 120.4, 41.0, 1_410.0)
    shared = Gpu(1, "Intel UHD", None, 1_000_000_000, 16_000_000_000, is_integrated=True)
    silent = Gpu(2, "Intel Arc", None, None, 12_000_000_000)
    ended = Request("tiny:1b", NOW, NOW, 90.0, 92.0, whose=OURS)
    old = replace(ended, began_s=1.0, ended_s=2.0)
    slow = replace(ended, whose=OTHERS, began_s=50.0, status=200)
    failed = replace(ended, whose=OTHERS, began_s=None, status=500)
    renewal = replace(ended, kind="touch")
    other = replace(ended, whose=OTHERS, began_s=None, count=2)
    going_on = replace(other, ended_s=None, count=1)
    sample = replace(SAMPLE, gpus=(card, shared, silent))
    said = text(sample, requests=(old, ended, other, renewal, going_on))
    assert "NVIDIA H100, 50% busy, 3.0 GB of 80.0 GB VRAM, 120 W, 41 °C, 1,410 MHz" in said
    assert "Intel UHD, 1.0 GB of 16.0 GB main memory<" in said
    assert "Intel Arc, 12.0 GB VRAM (how much is used: not told)<" in said
    assert "3 in the last minute, 1 of them ours, median 2.00 s, 1 going on" in said
    said = text(sample, requests=(ended, slow, slow, failed))
    assert "4 in the last minute, 1 of them ours, 2 × 2xx, 1 × 5xx, median 42" in said
    assert ", slowest 42" in said


def test_cores_are_of_the_last_two_seconds() -> None:
    then = [
        replace(SAMPLE, t_s=100.0 + t, runners=(replace(RUNNER, cpu_s=10 + t),)) for t in (0, 1)
    ]
    last = replace(SAMPLE, t_s=103.0, runners=(replace(RUNNER, cpu_s=15.0), replace(RUNNER, pid=8)))
    assert cores_taken([*then, last]) == {7: pytest.approx(2.0)}
    assert cores_taken([last]) == {}
    assert cores_taken([]) == {}
    assert cores_taken([replace(last, runners=None)]) == {}


def test_nothing_of_theirs_is_markup() -> None:
    name = replace(HELD, name=HOSTILE)
    settings = replace(SETTINGS, engine=HOSTILE, kv_type_k=HOSTILE)
    runner = replace(RUNNER, model=HOSTILE, settings=settings, options=f'"{HOSTILE}')
    server = replace(IN_FORCE, version=HOSTILE, environment={HOSTILE: HOSTILE}, unseen=HOSTILE)
    sample = replace(
        SAMPLE, residents=(name,), runners=(runner,), in_force=server, error=HOSTILE,
        unseen=HOSTILE, not_told=HOSTILE, gpus=(Gpu(0, HOSTILE, None, None, None),),
    )  # fmt: skip
    made = in_force_html(HOSTILE, [sample])
    assert "<script" not in made
    assert made.count("&lt;script&gt;") >= 10
    assert '<tr title="&quot;&lt;script' in made


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (RunnerSettings(), "–"),
        (RunnerSettings(gpu_layers=-1, mmap=True), "all layers on GPUs, mmap"),
        (RunnerSettings(gpu_layers=0, kv_type_k="f16", kv_type_v="q4_0", threads=1),
         "KV cache f16/q4_0, no layers on GPUs, 1 thread"),
    ],
)  # fmt: skip
def test_settings_in_short(settings: RunnerSettings, said: str) -> None:
    assert settings_text(settings) == said


@pytest.fixture
def theirs() -> Iterator[RecordedServer]:
    with RecordedServer(ollama(ps={"models": [resident("tiny:1b")]})) as server:
        yield server


def test_it_follows_its_monitor_and_lets_go(theirs: RecordedServer) -> None:
    with Monitor(Server(theirs.url)) as monitor, Monitor(Server("192.0.2.1")) as other:
        with InForceView(monitor) as view:
            until(lambda: "0.32.15" in shown(view), 10)
            assert "tiny:1b" in shown(view)
            assert "not Ollama itself" in shown(view)  # this process here, in its place
            assert repr(view) == f"InForceView({theirs.url})"
            view.monitor = other
            assert "192.0.2.1" in shown(view)
            assert "tiny:1b" not in shown(view)
        assert monitor.is_running  # closing the view does not stop it


def test_it_changes_at_most_every_two_seconds(theirs: RecordedServer) -> None:
    with Monitor(Server(theirs.url)) as monitor, InForceView(monitor) as view:
        until(lambda: "0.32.15" in shown(view), 10)
        seen: list[str] = []
        parts(view, widgets.HTML)[0].observe(lambda change: seen.append(change["new"]), "value")
        for number in range(5):
            theirs.routes["/api/ps"] = {"models": [resident(f"model{number}:1b")]}
            monitor.read()
        assert len(seen) <= 1
        until(lambda: "model4:1b" in shown(view), 10)


def test_an_unknown_keyword_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"no keyword 'monitors'\. Did you mean 'monitor'"):
        InForceView(Monitor("192.0.2.1"), monitors=1)


def test_forever_is_a_word() -> None:
    endless = replace(IN_FORCE, default_keep_alive_s=math.inf, default_keep_alive_from="measured")
    assert "forever, as measured" in text(replace(SAMPLE, in_force=endless))
