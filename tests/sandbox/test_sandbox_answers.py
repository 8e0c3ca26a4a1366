"""Scripted answers: the words are set, everything else is real."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_tools import SMALL, ask

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.answers import scripts_of
from lifecycle_widgets.sandbox.program import ready

MIDDLE = "smollm2:135m-f16"
CALL = {"name": "look", "arguments": {"where": "cellar"}}
TOOL = {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}
ANSWERS = {"caller": [{"tool_calls": [CALL]}, "It is dark."], "other": ["So be it."]}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(models=[SMALL, MIDDLE], answers=ANSWERS, tokens_per_s=100) as started:
        yield started


def said(
    box: Sandbox, model: str, *turns: tuple[str, str], tools: tuple[object, ...] = ()
) -> dict[str, object]:
    messages = [{"role": role, "content": content} for role, content in turns]
    body = {"model": model, "messages": messages, "stream": False, "keep_alive": 60}
    body |= {"options": {"num_predict": 4}, "tools": tools}
    return dict(ask(box.url, "/api/chat", body)["message"])


def test_each_has_answers_of_its_own_by_how_far_a_conversation_is(box: Sandbox) -> None:
    first = said(
        box, "caller", ("user", "Is it dark?"), tools=({"type": "function", "function": TOOL},)
    )
    [call] = first["tool_calls"]  # type: ignore[misc]
    assert call["function"]["name"] == "look"
    assert call["function"]["arguments"] == CALL["arguments"]
    later = [("user", "Is it dark?"), ("assistant", "?"), ("user", "Well?")]
    for turns in (later, [*later, ("assistant", "!"), ("user", "Still?")]):  # the last one again
        assert said(box, "caller", *turns)["content"] == "It is dark."
    assert said(box, "other", ("user", "Hello."))["content"] == "So be it."


def test_the_models_with_the_same_weights_speak_for_themselves(box: Sandbox) -> None:
    assert "look" in str(said(box, "caller", ("user", "Is it dark?"))["content"])
    answer = said(box, SMALL, ("user", "Is it dark?"))
    assert answer["content"]
    assert "tool_calls" not in answer


def test_it_says_so(box: Sandbox) -> None:
    assert box.scripted == ("caller", "other")
    assert "what caller and other say is set" in repr(box)
    assert Sandbox().scripted == ()


def test_the_ollama_on_path_runs_models_by_a_runner_that_knows_no_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the one that is built here is taken, whatever is on PATH."""
    if ready(ours=True) is None:
        pytest.skip("building one takes minutes")
    other = tmp_path / "ollama"
    other.write_text("#!/bin/sh\necho client version is 0.5.7\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = ready()
    assert found is not None
    assert found.path == other
    with Sandbox(models=[SMALL], answers=["Noon."]) as box:
        assert box.origin == "built"
        assert said(box, "scripted", ("user", "What time is it?"))["content"] == "Noon."


def test_a_list_is_for_the_model_scripted() -> None:
    scripts = scripts_of(["Noon.", {"text": "Later.", "thinking": "Hm."}], [SMALL], 50)
    assert list(scripts) == ["scripted"]
    assert [answer.text for answer in scripts["scripted"]] == ["Noon.", "Later."]
    assert scripts["scripted"][1].thinking == "Hm."
    assert {answer.token_s for answer in scripts["scripted"]} == {0.02}
    assert scripts_of(None, [SMALL], 50) == {}


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"a": ["Yes."], "b": ["No."]}, "2 models, and each needs the weights of another one"),
        ({"a": []}, r"answers of a are \[\]; give a list"),
        ({"a": "Yes."}, "answers of a are 'Yes.'; give a list"),
        ({"a": [{"txt": "Yes."}]}, r"unknown key answers of a\[0\]\.'txt'; known are text"),
        ({"a": [7]}, "not 7"),
        ([{"tool_calls": [{"name": "look"}]}], "takes objects with a name and arguments"),
    ],
)
def test_answers_that_are_none(answers: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Sandbox(models=[SMALL], answers=answers)  # type: ignore[arg-type]


def test_a_speed_that_is_none() -> None:
    with pytest.raises(ValueError, match="tokens_per_s is 0; give a number above 0"):
        Sandbox(answers=["Yes."], tokens_per_s=0)
