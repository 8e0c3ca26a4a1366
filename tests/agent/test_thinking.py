"""Thinking: apart from the answer, timed, switched; on a real Ollama, and of recorded shapes."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from lifecycle_widgets.agent import AgentRun, checked_options, checked_think, run_agent
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server, ServerError
from tests.griptape_tools import clock
from tests.recorded import Answer, RecordedServer, chat, chunk, final, ollama
from tests.scripted import SCRIPTED, SMALL, Script

THOUGHT, TEXT = "Let me see. Blue is scattered most.", "Because of Rayleigh."


@pytest.fixture
def script(script: Script) -> Script:
    """What the model thinks and says from now on, token by token."""
    return partial(script, token_delay_s=0.03)


# --- on a real Ollama ---------------------------------------------------------------------------


def test_thinking_comes_apart_and_counts_as_the_first_token(box: Sandbox, script: Script) -> None:
    script({"thinking": THOUGHT, "text": TEXT})
    thoughts: list[str] = []
    texts: list[str] = []
    run = run_agent(
        "Why?", model=SCRIPTED, server=box, on_text=texts.append, on_thinking=thoughts.append
    )
    assert (run.thinking.strip(), run.answer) == (THOUGHT, TEXT)
    assert ("".join(thoughts), "".join(texts)) == (run.thinking, run.answer)
    assert len(thoughts) > 3, "it did not stream"
    t = run.timings
    assert t.ttft_s is not None
    assert t.first_text_s is not None
    assert t.thinking_s is not None
    assert t.load_s is not None
    assert t.load_s < t.ttft_s < t.first_text_s < t.total_s
    assert t.thinking_s == pytest.approx(t.first_text_s - t.ttft_s, abs=0.05)
    assert t.done_reason == "stop"
    assert run.note is None


def test_while_it_thinks_it_is_not_waiting(box: Sandbox, script: Script) -> None:
    script({"thinking": THOUGHT, "text": TEXT}, token_delay_s=0.1)
    seen: list[tuple[bool, bool]] = []
    run = AgentRun(
        "Why?", model=SCRIPTED, server=box.url,
        on_thinking=lambda _: seen.append((run.is_thinking, run.waiting_for_first_token)),
        on_text=lambda _: seen.append((run.is_thinking, run.waiting_for_first_token)),
    )  # fmt: skip
    assert run.start().waiting_for_first_token
    run.wait(60)
    assert seen[0] == (True, False)
    assert seen[-1] == (False, False)
    assert run.thinking.strip() == THOUGHT
    assert run.thinking_s
    assert not run.is_thinking


def test_stopped_while_it_thinks(box: Sandbox, script: Script) -> None:
    script({"thinking": THOUGHT, "text": TEXT}, token_delay_s=0.2)
    run = AgentRun("Why?", model=SCRIPTED, server=box, on_thinking=lambda _: run.stop())
    stopped = run.start().wait(30)
    assert stopped.stopped
    assert THOUGHT.startswith(stopped.thinking)
    assert (stopped.answer, stopped.note, stopped.error) == ("", None, None)


@pytest.mark.parametrize("think", [True, "low", "medium", "high"])
def test_it_can_be_asked_to(box: Sandbox, script: Script, think: Any) -> None:
    script({"thinking": THOUGHT, "text": TEXT}, token_delay_s=0)
    run = run_agent("Why?", model=SCRIPTED, server=box, think=think)
    assert (run.think, run.thinking.strip(), run.answer) == (think, THOUGHT, TEXT)


def test_it_can_be_asked_not_to(box: Sandbox, script: Script) -> None:
    script({"text": TEXT}, token_delay_s=0)
    run = run_agent("Why?", model=SCRIPTED, server=box, think=False)
    assert (run.thinking, run.answer, run.timings.thinking_s) == ("", TEXT, None)
    assert run_agent("Hi", model=SMALL, server=box, think=False).error is None


@pytest.mark.parametrize("think", [True, "low"])
def test_a_model_that_cannot(box: Sandbox, think: Any) -> None:
    with pytest.raises(ServerError, match=r"does not support thinking\. It cannot think: leave"):
        run_agent("Why?", model=SMALL, server=box, think=think)


def test_each_request_of_an_agent_thinks_for_itself(box: Sandbox, script: Script) -> None:
    call = {"name": "Clock_now", "arguments": {}}
    script(
        {"thinking": "I must look.", "tool_calls": [call]},
        {"thinking": "It is noon.", "text": "Noon."},
    )
    run = run_agent("What time is it?", model=SCRIPTED, server=box, tools=[clock()])
    assert run.answer == "Noon."
    assert run.thinking.replace("\n\n\n", "\n\n").strip() == "I must look.\n\nIt is noon."
    assert [step.thinking.strip() for step in run.steps] == ["I must look.", "It is noon."]
    first, second = run.requests
    assert first.first_text_s is None
    assert first.ttft_s is not None
    assert run.timings.ttft_s == pytest.approx(run.steps[0].start_s + first.ttft_s)
    assert second.first_text_s is not None
    assert run.timings.first_text_s == pytest.approx(run.steps[1].start_s + second.first_text_s)
    assert run.timings.thinking_s == pytest.approx(
        (first.thinking_s or 0) + (second.thinking_s or 0)
    )


def test_a_model_without_tools_that_is_given_some(box: Sandbox) -> None:
    from griptape.tools import PromptSummaryTool

    Server(box.url).client.create(model="plain", from_=SMALL, template="{{ .Prompt }}")
    tools = [PromptSummaryTool(install_dependencies_on_init=False)]
    with pytest.raises(ServerError, match=r"does not support tools\. It cannot use tools: choose"):
        run_agent("Hi", model="plain", server=box, tools=tools)


# --- of recorded shapes -------------------------------------------------------------------------


def run_of(*chunks: Any, **keywords: Any) -> Any:
    with RecordedServer(ollama(chat=chat(*chunks))) as recorded:
        return run_agent("hi", model="tiny:1b", server=recorded.url, **keywords)


@pytest.mark.parametrize(
    ("chunks", "note"),
    [
        ([chunk(thinking="hm"), final(done_reason="length")], "raise num_predict or set think=Fa"),
        ([chunk(thinking="hm"), final()], "It only thought, and then gave no answer"),
        ([final()], "There was no text."),
        ([chunk(" \n"), final()], "There was no text."),
        ([chunk("x"), final()], None),
    ],
)
def test_an_empty_answer_says_why(chunks: list[Any], note: str | None) -> None:
    run = run_of(*chunks)
    assert (note in run.note) if note else run.note is None


def test_a_tool_call_is_a_first_token() -> None:
    call = {"function": {"name": "Nothing_at_all", "arguments": {}}}
    run = run_of(chunk(tool_calls=[call]), final())
    assert run.timings.ttft_s is not None
    assert run.timings.first_text_s is None


def test_a_server_that_tells_no_metrics() -> None:
    run = run_of(chunk("x"), {"done": True})
    t = run.timings
    assert (t.load_s, t.eval_s, t.output_tokens, t.tokens_per_s) == (None, None, None, None)
    assert t.ttft_s is not None


def test_a_cloud_model_says_where_it_ran() -> None:
    told = {"remote_host": "https://ollama.com:443", "remote_model": "tiny:120b"}
    run = run_of({**chunk("x"), **told}, {**final(), **told}, keep_alive="5m")
    assert run.remote_host == "https://ollama.com:443"
    assert run.was_resident is None
    assert run.note is not None
    assert "ran on ollama.com: the prompt left" in run.note


def test_think_goes_to_the_top_of_the_request_and_only_when_chosen() -> None:
    with RecordedServer(ollama()) as recorded:
        for think in (None, False, True, "high"):
            run_agent("hi", model="tiny:1b", server=recorded.url, think=think)  # type: ignore[arg-type]
        sent = [request.json for request in recorded.asked("/api/chat")]
    assert [body.get("think", "absent") for body in sent] == ["absent", False, True, "high"]
    assert not any("think" in body["options"] for body in sent)


def test_a_gateway_that_sends_gzip() -> None:
    import gzip

    lines = "".join(json.dumps(c) + "\n" for c in (chunk(thinking="hm"), chunk("x"), final()))
    packed = Answer(gzip.compress(lines.encode()), headers={"Content-Encoding": "gzip"})
    with RecordedServer(ollama(chat=packed)) as recorded:
        run = run_agent("hi", model="tiny:1b", server=recorded.url)
    assert (run.thinking, run.answer) == ("hm", "x")


# --- what is wrong with a choice ----------------------------------------------------------------


@pytest.mark.parametrize("think", ["yes", "", "true", 1, 0, 0.5, "High", [True]])
def test_what_is_no_think(think: Any) -> None:
    with pytest.raises(ValueError, match="Give True, False, 'low', 'medium' or 'high'"):
        checked_think(think)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("think", "give it as think=..., beside options"),
        ("keep_alive", "give it as keep_alive=..., beside options"),
        ("format", "leave it out"),
        ("stream", "leave it out"),
        ("model", "model=..."),
        ("messages", "give the prompt"),
        ("Think", "think=..."),
    ],
)
def test_options_that_mean_nothing_there(name: str, where: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' means nothing in options") as wrong:
        AgentRun("hi", model="m", server="localhost", options={"num_predict": 5, name: False})
    assert where in str(wrong.value)


def test_options_that_are_none() -> None:
    with pytest.raises(ValueError, match="Give a dict"):
        checked_options([("num_predict", 5)])  # type: ignore[arg-type]
