"""How much memory a model takes: held against its runner's RSS, or with its uncertainty."""

from __future__ import annotations

from typing import Any

import pytest

from lifecycle_widgets.experiments import Downstream, Plan
from lifecycle_widgets.experiments.ground.model_memory import (
    ESTIMATED,
    MEASURED,
    TOLD,
    Memory,
    memory_of,
    planned,
    together,
)
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.sandbox import MODELS
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets.plan_html import plan_html
from tests.recorded import SHOW, RecordedServer, model, ollama, tags

LLAMA = {
    "general.architecture": "llama", "llama.block_count": 32, "llama.context_length": 131072,
    "llama.attention.head_count": 32, "llama.attention.head_count_kv": 8,
    "llama.embedding_length": 4096,
}  # fmt: skip
NUM_CTX = 1536  # which no other test asks for, so nothing of it has been measured yet


@pytest.mark.parametrize("name", MODELS)
def test_the_runner_takes_what_was_said(server: Server, name: str) -> None:
    before = memory_of(server, name, NUM_CTX)
    asked = {"num_predict": 2, "num_ctx": NUM_CTX}
    server.client.generate(model=name, prompt="Say hello.", keep_alive=60, options=asked)
    told = memory_of(server, name, NUM_CTX)
    (runner,) = Monitor(server).read().runners or ()
    measured = memory_of(server, name, NUM_CTX)
    assert before is not None
    assert told is not None
    assert measured is not None
    assert [m.source for m in (before, told, measured)] == [ESTIMATED, TOLD, MEASURED]
    for memory in (before, told, measured):
        assert memory.low_bytes <= runner.rss_bytes <= memory.high_bytes, memory
        assert memory.middle_bytes == pytest.approx(runner.rss_bytes, rel=0.1)
    assert before.high_bytes < 2 * before.low_bytes


def test_a_models_own_context_counts(server: Server) -> None:
    server.client.create(model="wide", from_=MODELS[0], parameters={"num_ctx": 7000})
    try:
        wide, narrow = memory_of(server, "wide"), memory_of(server, MODELS[0], 512)
        longest, longer = (memory_of(server, MODELS[0], tokens) for tokens in (8192, 100_000))
    finally:
        server.client.delete("wide")
    assert wide is not None
    assert narrow is not None
    assert wide.middle_bytes - narrow.middle_bytes > 23040 * (7000 - 512), "as its layers have it"
    assert longest == longer, "it was made for 8192 tokens"


def test_a_large_model_by_its_shape() -> None:
    """Llama 3.1 8B at 4096 tokens: 4.92 GB of weights, 0.54 GB of context, and what it works in."""
    listed = model("llama3.1:8b", size=4_920_753_328)
    routes = ollama(tags=tags(listed), show={**SHOW, "model_info": LLAMA}, ps={"models": []})
    with RecordedServer(routes) as recorded:
        memory = memory_of(Server(recorded.url), "llama3.1:8b")
    assert memory is not None
    assert memory.source == ESTIMATED
    context = 32 * 8 * (128 + 128) * 2 * 4096
    assert 4_920_753_328 < memory.low_bytes < 4_920_753_328 + context
    assert 4_920_753_328 + context < memory.middle_bytes < 5.6e9
    assert 6e9 < memory.high_bytes < 6.6e9


@pytest.mark.parametrize("info", [None, {}, {"general.architecture": "x"}, "odd"])
def test_without_a_shape_it_is_wide(info: Any) -> None:
    routes = ollama(
        tags=tags(model("tiny:1b", size=10**9)), show={**SHOW, "model_info": info}, ps=None
    )
    with RecordedServer(routes) as recorded:
        memory = memory_of(Server(recorded.url), "tiny:1b")
    assert memory == Memory(10**9, 1_150_000_000, 1_600_000_000, ESTIMATED)


def test_what_is_not_told_is_not_guessed() -> None:
    routes = ollama(tags=tags({"name": "x:1b"}), ps={"models": []})
    with RecordedServer(routes) as recorded:
        server = Server(recorded.url)
        assert memory_of(server, "x:1b") is None
        plan = Downstream("x:1b", server=server).plan()
    assert plan.memory_text == "how much memory is not told"
    assert planned(None) == {"memory_bytes": None}
    assert together([Memory(1, 2, 3, MEASURED), None]) is None


def test_together_they_are_as_sure_as_the_least_sure() -> None:
    one, other = Memory(1, 2, 3, MEASURED), Memory(10, 20, 30, TOLD)
    assert together([one, other]) == Memory(11, 22, 33, TOLD)
    assert together([one, one]) == Memory(2, 4, 6, MEASURED)
    assert one.plus(100) == Memory(101, 102, 103, MEASURED)


def test_a_plan_shows_the_range() -> None:
    memory = Memory(222_000_000, 308_000_000, 452_000_000, ESTIMATED)
    plan = Plan("Ask.", 2, 5.0, **planned(memory))
    said = "up to about 0.31 GB of memory (0.22 to 0.45, estimated)"
    assert said in plan_html(plan)
    assert said in plan._repr_markdown_()
    sure = Plan("Ask.", 2, 5.0, **planned(Memory(300, 300, 300, MEASURED).plus(3 * 10**8)))
    assert sure.memory_text == "up to about 0.3 GB of memory (as measured here before)"
    assert "memory" not in Plan("Ask.", 2, 5.0).memory_text
