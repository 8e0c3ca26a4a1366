"""Any mix of models: embedding only, in the cloud, thinking, two names of one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from lifecycle_widgets import (
    AgentPanel,
    ColdAndWarm,
    InARow,
    InTurn,
    ModelPicker,
    NeedsConsent,
    Run,
    RunFailed,
    Sandbox,
    Server,
    ServerError,
    TuningLab,
    UnknownModel,
    run_agent,
)
from lifecycle_widgets.server import (
    SANDBOX_URL_VARIABLE,
    chat_models,
    smallest_chat_models,
)
from tests.cases.case_tools import assert_readable, told, wait_until
from tests.recorded import (
    SHOW,
    Answer,
    RecordedServer,
    Request,
    chat,
    chunk,
    final,
    model,
    ollama,
    resident,
    tags,
)
from tests.somebody import preloads
from tests.widgets.widget_parts import shown

EMBEDDING, CLOUD = "all-minilm:latest", "gpt-oss:120b-cloud"
OF_EACH_KIND = tags(
    model(
        EMBEDDING,
        size=45_960_996,
        digest="c" * 64,
        details={"family": "bert", "parameter_size": "23M", "quantization_level": "F16"},
    ),
    model(
        CLOUD,
        size=384,
        digest="d" * 64,
        remote_model="gpt-oss:120b",
        remote_host="https://ollama.com:443",
        details={"family": "gptoss"},
    ),
    model(),
    model("bigger:3b", size=3_000_000_000, digest="e" * 64),
)


def show_each(request: Request) -> dict[str, Any]:
    """/api/show of these models."""
    asked = request.json
    name = asked.get("model") or asked.get("name")
    if name == CLOUD:
        return {"details": {"family": "gptoss"}, "capabilities": ["completion", "tools"]}
    weights = f"FROM /models/blobs/sha256-{hashlib.sha256(name.encode()).hexdigest()}"
    able = ["embedding"] if name == EMBEDDING else ["completion"]
    return SHOW | {"modelfile": weights, "capabilities": able}


@pytest.fixture
def recorded() -> Iterator[RecordedServer]:
    """A server that has a model of each kind, with nothing in memory."""
    with RecordedServer(ollama(tags=OF_EACH_KIND, show=show_each, ps={"models": []})) as server:
        yield server


# --- what can chat, and where -------------------------------------------------------------------


def test_an_embedding_model_is_not_chosen_for_a_prompt(recorded: RecordedServer) -> None:
    """Case 6."""
    server = Server(recorded.url)
    picker = ModelPicker(server)
    assert picker.model in ("tiny:1b", "bigger:3b")
    [listed] = [m for m in picker.models if m.name == EMBEDDING]
    assert not listed.can_chat
    assert "embed" in picker.label(listed)
    assert "embed" not in picker.label(server.require("tiny:1b"))


def test_a_cloud_model_is_never_chosen_by_itself(recorded: RecordedServer) -> None:
    """Case 7."""
    server = Server(recorded.url)
    assert [m.name for m in chat_models(server)] == ["tiny:1b", "bigger:3b"]
    assert smallest_chat_models(server) == ["tiny:1b"]
    assert InARow(server=server).model == "tiny:1b"
    assert ColdAndWarm(server=server).model == "tiny:1b"
    assert set(InTurn(server=server).models) <= {"tiny:1b", "bigger:3b"}
    lab = TuningLab(server)
    lab.close()
    assert lab.model in ("tiny:1b", "bigger:3b")
    [listed] = [m for m in server.models() if m.is_cloud]
    assert (listed.name, listed.remote_host) == (CLOUD, "https://ollama.com:443")
    assert "not on this machine" in ModelPicker(server).label(listed)


def test_a_cloud_model_that_was_named_says_where_prompts_go(recorded: RecordedServer) -> None:
    lab = TuningLab(Server(recorded.url), model=CLOUD)
    try:
        assert lab.model == CLOUD
        said = shown(lab).lower()
        assert "leave" in said, "that prompts leave the machine"
        assert "keep_alive" in said
    finally:
        lab.close()


@pytest.mark.parametrize(
    "entry",
    [
        model("m:cloud", remote_host="https://ollama.com:443", size=384),
        model("m:cloud", remote_model="m:120b", size=0),
        model("m:480b-cloud", size=...),
    ],
    ids=["remote_host", "remote_model", "by its name"],
)
def test_where_only_cloud_models_are_none_is_chosen(entry: dict[str, Any]) -> None:
    with RecordedServer(ollama(tags=tags(entry), ps={"models": []})) as recorded:
        server = Server(recorded.url)
        assert chat_models(server) == []
        with pytest.raises(LookupError) as none:
            smallest_chat_models(server)
        assert_readable(str(none.value))
        assert ModelPicker(server).model == ""


def test_an_embedding_model_in_memory_is_not_chosen_either(recorded: RecordedServer) -> None:
    recorded.routes["/api/ps"] = {"models": [resident(EMBEDDING, digest="c" * 64)]}
    server = Server(recorded.url)
    assert ModelPicker(server).model in ("tiny:1b", "bigger:3b")
    lab = TuningLab(server)
    lab.close()
    assert lab.model in ("tiny:1b", "bigger:3b")


def test_where_there_are_only_embedding_models_that_is_said() -> None:
    entries = tags(model(EMBEDDING, capabilities=["embedding"]))
    show = SHOW | {"capabilities": ["embedding"]}
    with RecordedServer(ollama(tags=entries, show=show, ps={"models": []})) as recorded:
        server = Server(recorded.url)
        with pytest.raises(LookupError) as none:
            smallest_chat_models(server)
        assert_readable(str(none.value))
        picker = ModelPicker(server)
        assert picker.model == ""
        assert_readable(picker.error)


def test_of_two_hundred_models_a_message_lists_a_few() -> None:
    entries = tags(
        *(model(f"family-{i}:{i}b-instruct-q4_K_M", digest=f"{i:064}") for i in range(200))
    )
    with RecordedServer(ollama(tags=entries, ps={"models": []})) as recorded:
        server = Server(recorded.url)
        for name in ("family-7:7b", "quite-another", "x" * 300):
            with pytest.raises(UnknownModel) as unknown:
                server.require(name)
            assert len(str(unknown.value)) < 900
            assert str(unknown.value).count("instruct") <= 8
        asked = len(recorded.asked("/api/show"))
        picker = ModelPicker(server)
        picker.refresh()
        assert len(recorded.asked("/api/show")) - asked <= 210, "each model at most once"
        picker.close()


def test_sizes_that_are_not_told_come_last() -> None:
    entries = tags(model("a:1b", size=""), model("b:1b", size=5_000_000_000), model("c:1b"))
    with RecordedServer(ollama(tags=entries, ps=None)) as recorded:
        assert [m.name for m in chat_models(Server(recorded.url))] == ["c:1b", "b:1b", "a:1b"]


def test_capabilities_in_the_list_itself_spare_a_question() -> None:
    """Ollama tells them in /api/tags since 0.30."""
    entries = tags(model(capabilities=["completion", "thinking", "tools", "vision"]))
    with RecordedServer(ollama(tags=entries)) as recorded:
        [listed] = Server(recorded.url).models()
        assert (listed.can_chat, listed.can_think, listed.can_use_tools, listed.can_see) == (
            True,
            True,
            True,
            True,
        )


# --- thinking -----------------------------------------------------------------------------------


def run_of(*chunks: dict[str, Any] | str, **keywords: Any) -> Run:
    """A run whose answer consists of these pieces."""
    with RecordedServer(ollama(chat=chat(*chunks))) as recorded:
        return run_agent("hi", model="tiny:1b", server=Server(recorded.url), **keywords)


def test_a_model_that_only_thought() -> None:
    """Case 8."""
    run = run_of(chunk(thinking="hm"), final(done_reason="length"), options={"num_predict": 8})
    assert (run.answer, run.thinking) == ("", "hm")
    assert run.timings.ttft_s is not None
    assert run.timings.first_text_s is None
    assert run.timings.done_reason == "length"
    assert f"{run.timings.ttft_s:.2f} s"


def test_the_panel_says_that_it_only_thought() -> None:
    thought = chat(chunk(thinking="hm"), final(done_reason="length"))
    with RecordedServer(ollama(chat=thought)) as recorded:
        panel = AgentPanel(Server(recorded.url), model="tiny:1b")
        panel.start().wait(30)
        wait_until(lambda: "num_predict" in shown(panel), "how to get an answer", 10)
        assert "think" in shown(panel)
        panel.close()


def test_thinking_and_then_an_answer() -> None:
    run = run_of(
        chunk(thinking="let me "),
        chunk(thinking="see", content=None),
        chunk("4", thinking=""),
        chunk("2", thinking=None),
        final(),
    )
    assert (run.thinking, run.answer) == ("let me see", "42")
    assert run.timings.first_text_s is not None
    assert run.timings.ttft_s is not None
    assert run.timings.ttft_s <= run.timings.first_text_s


def test_a_think_tag_in_the_answer_is_text() -> None:
    run = run_of(chunk("<think>hm</think>"), chunk("42"), final())
    assert (run.thinking, run.answer) == ("", "<think>hm</think>42")
    assert run.timings.first_text_s is not None


def test_the_last_piece_may_carry_text_and_thinking() -> None:
    run = run_of(final(message={"role": "assistant", "content": "42", "thinking": "hm"}))
    assert (run.thinking, run.answer) == ("hm", "42")


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (final(done_reason="stop"), "stop"),
        (final(done_reason="load"), "load"),
        (final(done_reason=...), None),
        (final(done_reason=None), None),
        (final(total_duration=..., load_duration=..., eval_count=None), "stop"),
        (final(eval_count="8", eval_duration="x", load_duration=-1), "stop"),
        (final(created_at="0001-01-01T00:00:00Z", model=...), "stop"),
        (final(created_at=..., more={"x": [1]}), "stop"),
        (final(prompt_eval_count=10**30, total_duration=1e300), "stop"),
    ],
    ids=str,
)
def test_last_pieces_of_any_kind(last: dict[str, Any], reason: str | None) -> None:
    run = told(lambda: run_of(chunk("42"), last))
    if isinstance(run, Run):
        assert run.answer == "42"
        assert run.timings.done_reason == reason


@pytest.mark.parametrize(
    "pieces",
    [
        [chunk("4")],
        [chunk("4"), {"error": "boom"}],
        [chunk("4"), "<html>502</html>"],
        [chunk("4"), '{"half": '],
        [chunk("4"), "[]", final()],
        [chunk("4"), {"message": None, "done": False}, final()],
        [{"message": "text"}, final()],
        [{"message": {"content": 5}}, final()],
        [{"message": {"content": "4", "thinking": ["hm"]}}, final()],
        [{"message": {"content": "4", "tool_calls": "x"}}, final()],
        [{"response": "4", "done": False}, {"response": "", "done": True}],
        [""],
    ],
    ids=str,
)
def test_answers_that_break_off_or_make_no_sense(pieces: list[Any]) -> None:
    """Either what can be read, or one sentence: never another exception, never no end."""
    told(lambda: run_of(*pieces))


def test_an_answer_that_is_no_stream() -> None:
    page = Answer(b"<html>welcome</html>", kind="text/html")
    whole = {**chunk("42"), "done": True}
    for body in (page, Answer(b""), Answer(whole), Answer([]), Answer({"error": "boom"})):
        with RecordedServer(ollama(chat=body)) as recorded:
            server = Server(recorded.url)
            told(lambda s=server: run_agent("hi", model="tiny:1b", server=s))


@pytest.mark.parametrize("think", [None, False, True, "low", "medium", "high"])
def test_think_is_sent_at_the_top(think: Any) -> None:
    """Case 9."""
    with RecordedServer(ollama(chat=chat(chunk("ok"), final()))) as recorded:
        run = run_agent("hi", model="tiny:1b", server=Server(recorded.url), think=think)
        [asked] = recorded.asked("/api/chat")
        assert asked.json.get("think", "absent") == ("absent" if think is None else think)
        assert "think" not in asked.json.get("options", {})
        assert run.think == think


def test_think_among_the_options_says_where_it_goes(recorded: RecordedServer) -> None:
    with pytest.raises(ValueError, match="think") as wrong:
        run_agent("hi", model="tiny:1b", server=Server(recorded.url), options={"think": False})
    assert_readable(str(wrong.value))
    assert recorded.asked("/api/chat") == []


def test_a_model_that_cannot_think_says_so_in_a_sentence() -> None:
    no = Answer({"error": '"tiny:1b" does not support thinking'}, 400)
    with RecordedServer(ollama(chat=no)) as recorded, pytest.raises((ServerError, RunFailed)) as e:
        run_agent("hi", model="tiny:1b", server=Server(recorded.url), think=True)
    assert_readable(str(e.value))
    assert "think" in str(e.value)


# --- two names of one model ---------------------------------------------------------------------

SMALL = "smollm2:135m"


@pytest.fixture
def own(
    sandbox: Sandbox, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Server, str]]:
    """A person's own server, as far as the product can know, and an alias of its model."""
    monkeypatch.delenv(SANDBOX_URL_VARIABLE)
    mine = Server(sandbox.url)
    assert not mine.is_sandbox
    assert not mine.is_private
    mine.client.copy(SMALL, "mine")
    try:
        yield mine, "mine:latest"
    finally:
        mine.client.delete("mine")


def test_an_alias_of_what_somebody_uses_is_not_unloaded(own: tuple[Server, str]) -> None:
    """Case 10."""
    server, alias = own
    preloads(server.url, SMALL, "10m")
    asked = ColdAndWarm("mine", rounds=1, server=server)
    with pytest.raises(NeedsConsent):
        asked.run()
    [held] = server.residents()
    assert held.name == SMALL, "it is still in memory"
    for name in ("mine", alias, SMALL, SMALL.upper()):
        found = server.resident(name)
        assert found is not None, name
        assert found.name == SMALL
    assert server.same_model("mine", SMALL)
    assert not server.same_model("mine", f"{SMALL}-f16")
    assert set(server.in_memory(["mine", f"{SMALL}-f16"])) == {"mine"}


def test_unloading_goes_by_the_weights(own: tuple[Server, str]) -> None:
    server, _ = own
    preloads(server.url, SMALL, "10m")
    server.unload("mine")
    assert server.residents() == ()


@pytest.mark.parametrize("name", ["SMOLLM2:135M", "library/smollm2:135m", "Mine"])
def test_other_ways_to_write_a_name_need_consent_too(own: tuple[Server, str], name: str) -> None:
    """Ollama takes names in any letter case and with the registry before them."""
    server, _ = own
    preloads(server.url, SMALL, "10m")
    with pytest.raises(NeedsConsent):
        ColdAndWarm(name, rounds=1, server=server).run()
    assert [r.name for r in server.residents()] == [SMALL]


def test_a_model_that_came_after_the_plan_is_asked_about(own: tuple[Server, str]) -> None:
    """Somebody loads it between the plan and the measurement."""
    server, _ = own
    experiment = ColdAndWarm("mine", rounds=1, server=server)
    experiment.plan()
    preloads(server.url, SMALL, "10m")
    with pytest.raises(NeedsConsent):
        experiment.run()
    assert [r.name for r in server.residents()] == [SMALL]


def test_a_hidden_alias_by_recorded_digests() -> None:
    """Two names with one digest in the list: that is one model, whatever /api/show says."""
    entries = tags(model("a:1b"), model("b:1b"), model("c:1b", digest="f" * 64))
    with RecordedServer(ollama(tags=entries, show={}, ps={"models": [model("a:1b")]})) as recorded:
        server = Server(recorded.url)
        assert server.same_model("a:1b", "b:1b")
        assert not server.same_model("a:1b", "c:1b")
        found = server.resident("b:1b")
        assert found is not None
        assert found.name == "a:1b"
        assert server.resident("c:1b") is None
        assert json.dumps(sorted(server.in_memory(["a:1b", "b:1b", "c:1b"]))) == '["a:1b", "b:1b"]'
