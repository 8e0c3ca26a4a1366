"""What servers and models allow to be measured, and what is said where they do not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from lifecycle_widgets.experiments import ColdAndWarm, Downstream, Experiment, InARow, InTurn
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import NotTold, Server, ServerError, ServerUnreachable, UnknownModel
from tests.recorded import (
    SHOW,
    RecordedServer,
    Request,
    chat,
    chunk,
    final,
    model,
    ollama,
    tags,
)

KINDS = (ColdAndWarm, Downstream, InARow)
CLOUD = model(
    "gpt-oss:120b-cloud",
    size=384,
    digest="d" * 64,
    remote_model="gpt-oss:120b",
    remote_host="https://ollama.com:443",
)
EMBEDDING = model("all-minilm:latest", size=45_960_996, digest="c" * 64)
THINKING = {**SHOW, "capabilities": ["completion", "thinking"]}


def shown(request: Request) -> dict[str, Any]:
    name = json.loads(request.body)["model"]
    return {**SHOW, "capabilities": ["embedding"]} if "minilm" in name else SHOW


@pytest.fixture
def mixed() -> Iterator[Server]:
    routes = ollama(tags=tags(CLOUD, EMBEDDING, model("tiny:1b")), show=shown, ps={"models": []})
    with RecordedServer(routes) as recorded:
        yield Server(recorded.url)


@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_that_can_chat_there_is_the_default(
    mixed: Server, kind: type[Experiment[Any]]
) -> None:
    assert kind(server=mixed).model == "tiny:1b"  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS)
def test_a_cloud_model_leaves_nothing_to_measure(
    mixed: Server, kind: type[Experiment[Any]]
) -> None:
    experiment = kind("gpt-oss:120b-cloud", server=mixed)  # type: ignore[call-arg]
    for ask in (experiment.plan, experiment.run):
        with pytest.raises(ValueError, match=r"prompts leave the machine.*nothing to measure"):
            ask()


@pytest.mark.parametrize("kind", KINDS)
def test_an_embedding_model_answers_no_prompt(mixed: Server, kind: type[Experiment[Any]]) -> None:
    with pytest.raises(ValueError, match="is for embeddings only"):
        kind("all-minilm", server=mixed).plan()  # type: ignore[call-arg]


def test_without_a_model_that_can_chat_it_says_what_to_do() -> None:
    with RecordedServer(ollama(tags=tags(CLOUD, EMBEDDING), show=shown)) as recorded:
        for kind in (*KINDS, InTurn):
            with pytest.raises(LookupError, match="ollama pull"):
                kind(server=recorded.url)


ODD: dict[str, dict[str, Any]] = {
    "show tells nothing": {"show": {"details": {"family": "x"}}},
    "llama.cpp": {
        "tags": tags({"name": "x.gguf", "model": "x.gguf", "size": "", "digest": ""}),
        "ps": None,
    },
    "a bare list": {"tags": [{"name": "x", "size": 1}]},
    "no ps": {"ps": None},
    "year 1": {"ps": {"models": [model("tiny:1b", expires_at="0001-01-01T00:00:00Z")]}},
    "null sizes": {"tags": tags({"name": "x", "size": None, "details": None})},
    "no version": {"version": None},
    "a page": {"tags": "<html>busy</html>"},
}


@pytest.mark.parametrize("body", ODD)
@pytest.mark.parametrize("kind", [*KINDS, InTurn])
def test_odd_answers_make_a_plan_or_a_sentence(body: str, kind: type[Experiment[Any]]) -> None:
    with RecordedServer(ollama(**ODD[body])) as recorded:
        try:
            plan = kind(server=recorded.url).plan()
        except (ServerError, ServerUnreachable, UnknownModel, LookupError) as fault:
            assert "\n" not in str(fault).strip()
            return
    assert plan.rows
    assert plan.seconds > 0
    text = plan._repr_markdown_()
    assert "None" not in text
    assert (plan.memory_bytes is None) == ("how much memory is not told" in text)


def test_a_size_that_is_not_told_is_told_of() -> None:
    with RecordedServer(ollama(tags=tags({"name": "x:1b"}), ps={"models": []})) as recorded:
        for kind in KINDS:
            plan = kind(server=recorded.url).plan()
            assert plan.memory_bytes is None
            assert any("size of x:1b is not told" in note for note in plan.notes)


def test_a_thinking_model_is_told_of_unless_it_was_decided() -> None:
    with RecordedServer(ollama(show=THINKING, ps={"models": []})) as recorded:
        for kind in KINDS:
            notes = kind(server=recorded.url).plan().notes
            assert any("thinks before it answers" in note for note in notes)
            notes = kind(server=recorded.url, think=False).plan().notes
            assert not any("thinks" in note for note in notes)


def test_think_is_sent_at_the_top_level_and_kept(mixed: Server) -> None:
    answer = chat(chunk("Hello."), final())
    with RecordedServer(ollama(chat=answer, show=THINKING, ps={"models": []})) as recorded:
        experiment = InARow(keep_alives=("5m",), gaps_s=(0.1,), think="low", server=recorded.url)
        result = experiment.run()
        asked = [json.loads(r.body) for r in recorded.asked("/api/chat")]
    assert [body["think"] for body in asked] == ["low", "low"]
    assert result.facts["think"] == "low"
    for kind in (*KINDS, InTurn):
        with pytest.raises(ValueError, match="think"):
            kind(server=mixed, think="a bit")


def test_a_model_that_only_thinks_is_measured() -> None:
    """All eight tokens go into thinking; the first of them is the first token."""
    answer = chat(chunk("", thinking="Hm"), final(done_reason="length"))
    with RecordedServer(ollama(chat=answer, show=THINKING, ps={"models": []})) as recorded:
        result = ColdAndWarm(rounds=1, server=recorded.url).run()
    assert result.frame["ttft_s"].notna().all()


def test_figures_that_are_not_told_are_not_made_up() -> None:
    """The model is listed without a size, and no process of it can be seen."""
    entry = model("tiny:1b")
    ps: dict[str, Any] = {"models": []}

    def answered(_: Request) -> Any:
        ps["models"] = [{**entry, "size": None, "expires_at": None}]
        return chat(chunk("Hello."), {"message": {"content": ""}, "done": True})

    def unloaded(_: Request) -> Any:
        ps["models"] = []
        return {"done": True, "done_reason": "unload"}

    routes = ollama(chat=answered, generate=unloaded, ps=lambda _: ps)
    with RecordedServer(routes) as recorded:
        one = InARow(keep_alives=("5m", "1h"), gaps_s=(0.1,), server=recorded.url).run()
    assert "not told" in one.verdict
    assert "0.00 GB" not in one.verdict
    with pytest.raises(ValueError, match="is not told by this server"):
        _ = one.held_bytes
    with pytest.raises(ValueError, match="not told"):
        one.costs(1.0)
    assert not one.is_memory_told


def test_an_address_and_a_sandbox_are_servers_too(server: Server) -> None:
    assert InARow(server=server.url).server.url == server.url
    with Sandbox(models=["smollm2:135m"]) as own:
        assert ColdAndWarm(server=own).server.url == own.url
        assert Downstream(task=[sys.executable, "-c", ""], server=own).model == "smollm2:135m"
    with pytest.raises(TypeError, match="Give a Server"):
        InTurn(server=42)  # type: ignore[arg-type]


def test_not_told_is_one_sentence() -> None:
    with RecordedServer(ollama(ps=None)) as recorded, pytest.raises(NotTold) as caught:
        InARow(server=recorded.url).run()
    assert "\n" not in str(caught.value)
    assert "cannot be measured there" in str(caught.value)
