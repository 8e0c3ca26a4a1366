"""Text in double braces is text: whatever `run` is given, griptape's Jinja leaves it alone."""

from __future__ import annotations

from typing import Any

import pytest
from structure_tools import driver, pipeline, task

import lifecycle_widgets as lw
from tests.recorded import RecordedServer, ollama

MODEL = "tiny:1b"
BRACES = "{{ 1 + 1 }} {% foo {# lost #}\n"


def text(value: str, **more: Any) -> Any:
    """A TextArtifact."""
    from griptape.artifacts import TextArtifact

    return TextArtifact(value, **more)


def asked_of(structure: Any, there: RecordedServer, *args: Any) -> list[str]:
    """What the user's messages of the run were, and the prompt that the run shows."""
    run = lw.run(structure, *args)
    sent = [m for r in there.asked("/api/chat") for m in r.json["messages"] if m["role"] == "user"]
    return [message["content"] for message in sent] + [run.prompt]


@pytest.mark.parametrize("kind", ["str", "list", "tuple", "artifact", "artifacts"])
def test_it_goes_to_the_model_as_it_is(kind: str) -> None:
    from griptape.artifacts import ListArtifact
    from griptape.structures import Agent

    given = {
        "str": BRACES,
        "list": [BRACES],
        "tuple": (BRACES,),
        "artifact": text(BRACES, meta={"of": "mine"}),
        "artifacts": ListArtifact([text(BRACES)]),
    }[kind]
    with RecordedServer(ollama()) as there:
        agent = Agent(prompt_driver=driver(there.url, MODEL))
        its_input = agent.task._input
        assert asked_of(agent, there, given) == [BRACES, BRACES]
        assert agent.task._input is its_input
        [turn] = agent.conversation_memory.runs
        assert turn.input.to_text() == BRACES
        assert turn.input.meta == ({"of": "mine"} if kind == "artifact" else {})
        there.requests.clear()
        assert asked_of(agent, there, "And?") == [BRACES, "And?", "And?"]


def test_in_templates_of_a_persons_own() -> None:
    with RecordedServer(ollama()) as there:
        two = pipeline(driver(there.url, MODEL), driver(there.url, MODEL), conversation_memory=None)
        assert asked_of(two, there, BRACES) == [
            f"Draft: {BRACES}",
            "Review: Hello",
            BRACES,
        ]
        there.requests.clear()
        several = task("{{ args[1] }}, not {{ args[0] }}", driver(there.url, MODEL), "several")
        assert asked_of(several, there, BRACES, "{{ two }}") == [
            f"{{{{ two }}}}, not {BRACES}",
            f"{BRACES}\n{{{{ two }}}}",
        ]


def test_an_input_of_a_persons_own_stays_theirs() -> None:
    from griptape.structures import Agent

    with RecordedServer(ollama()) as there:
        by_text = Agent(input="Say {{ args[0] }}{{ '!' }}", prompt_driver=driver(there.url, MODEL))
        assert asked_of(by_text, there, "{{ x }}")[0] == "Say {{ x }}!"
        there.requests.clear()
        by_code = Agent(input=lambda _: text("mine"), prompt_driver=driver(there.url, MODEL))
        assert asked_of(by_code, there, "{{ x }}") == ["mine", "{{ x }}"]


def test_nothing_given() -> None:
    with RecordedServer(ollama()) as there:
        alone = task("Say hello.", driver(there.url, MODEL), "alone")
        assert asked_of(alone, there) == ["Say hello.", "Say hello."]
