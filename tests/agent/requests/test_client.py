"""MeteredClient: metering, and a stop that the server notices, on a real Ollama."""

from __future__ import annotations

import threading
import time

import httpx
import psutil
import pytest

from lifecycle_widgets.agent.requests.client import MeteredClient
from lifecycle_widgets.runs import Step, Timings
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server

MODEL = "smollm2:135m"
ASK = [{"role": "user", "content": "Write a long story about a lighthouse."}]
LONG = {"num_predict": 2000, "temperature": 0}


@pytest.fixture
def metered(server: Server) -> tuple[MeteredClient, list[Timings]]:
    seen: list[Timings] = []
    return MeteredClient(server, on_step=lambda step, _: seen.append(step.timings)), seen


def runner_cpu_s(sandbox: Sandbox) -> float:
    """CPU seconds that the runners have used so far."""
    family = psutil.Process(sandbox.pid).children(recursive=True)
    return sum(sum(p.cpu_times()[:2]) for p in family)


def idles(sandbox: Sandbox) -> bool:
    before = runner_cpu_s(sandbox)
    time.sleep(0.5)
    return runner_cpu_s(sandbox) - before < 0.1


def test_a_stream_is_metered(metered: tuple[MeteredClient, list[Timings]]) -> None:
    client, seen = metered
    chunks = list(client.chat(MODEL, ASK, stream=True, options={"num_predict": 20}))
    [timings] = seen
    assert chunks[-1].done
    assert timings.output_tokens == 20
    assert timings.load_s
    assert timings.ttft_s is not None
    assert timings.load_s < timings.ttft_s < timings.total_s
    assert timings.tokens_per_s


def test_an_answer_in_one_piece_is_metered(metered: tuple[MeteredClient, list[Timings]]) -> None:
    client, seen = metered
    assert client.chat(MODEL, ASK, options={"num_predict": 5}).message.content
    assert seen[0].output_tokens == 5
    assert seen[0].ttft_s is None


def test_stop_ends_the_generating_for_good(
    metered: tuple[MeteredClient, list[Timings]], sandbox: Sandbox
) -> None:
    client, seen = metered
    pieces = []
    for chunk in client.chat(MODEL, ASK, stream=True, options=LONG):
        pieces.append(chunk.message.content)
        if len(pieces) == 5:
            client.stop()
    assert 5 <= len(pieces) < 50
    assert seen[0].load_s is None, "no final chunk, so not known"
    assert seen[0].ttft_s is not None
    assert idles(sandbox)
    assert list(client.chat(MODEL, ASK, stream=True)) == [], "a stopped client sends nothing more"


def test_stop_interrupts_a_cold_load(
    metered: tuple[MeteredClient, list[Timings]], server: Server
) -> None:
    client, _ = metered
    got: list[object] = []
    reader = threading.Thread(
        target=lambda: got.extend(client.chat("smollm2:135m-f32", ASK, stream=True))
    )
    reader.start()
    time.sleep(0.3)
    assert server.residents() == (), "it is still loading"
    pressed = time.monotonic()
    client.stop()
    reader.join(5)
    assert not reader.is_alive()
    assert time.monotonic() - pressed < 0.5
    assert server.residents() == (), "it waited for the load"
    assert got == []
    time.sleep(1.5)  # as long as the load would have taken
    assert server.residents() == (), "the load went on"


def test_an_abandoned_stream_ends_the_generating(
    metered: tuple[MeteredClient, list[Timings]], sandbox: Sandbox
) -> None:
    client, _ = metered
    stream = client.chat(MODEL, ASK, stream=True, options=LONG)
    next(stream)
    stream.close()
    assert idles(sandbox)


def test_nobody_there() -> None:
    seen: list[Step] = []
    client = MeteredClient(Server("127.0.0.1:1"), on_step=lambda step, _: seen.append(step))
    with pytest.raises(httpx.ConnectError):
        list(client.chat(MODEL, ASK, stream=True))
    assert len(seen) == 1
