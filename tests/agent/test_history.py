"""Earlier turns of a conversation: sent before the prompt, exactly as they were given."""

from __future__ import annotations

from typing import Any

import pytest

from lifecycle_widgets.agent import AgentRun, run_agent
from lifecycle_widgets.server import Server
from tests.recorded import RecordedServer, chat, chunk, final, ollama

TURNS = (
    ("What is {{ 1 + 1 }}? {% if", "It is {{ args[0] }} {# lost #}"),
    ("long " * 4000, ""),
    ("Grüße, 世界", '{"name": "x"}\n<|Response|>'),
)
PROMPT = "And {{ now }}?"
SENT = [
    {"role": role, "content": text}
    for asked, answered in (*TURNS, (PROMPT, None))
    for role, text in (("user", asked), ("assistant", answered))
    if text is not None
]


def test_exactly_these_messages_are_sent() -> None:
    with RecordedServer(ollama(chat=chat(chunk("x"), final()))) as recorded:
        for _ in range(2):  # and nothing is remembered from one run to the next
            run_agent(PROMPT, model="tiny:1b", server=recorded.url, history=TURNS)
        bodies = [request.json for request in recorded.asked("/api/chat")]
    # ollama-python leaves an empty content out, which Ollama takes for an empty one
    sent = [[{"content": "", **message} for message in body["messages"]] for body in bodies]
    assert sent == [SENT, SENT]


def test_the_model_reads_them(server: Server) -> None:
    few = {"num_predict": 2}
    asked = [("My name is Ada.", "Hello, Ada.")]
    run = run_agent("Who?", model="smollm2:135m", server=server, options=few, history=asked)
    messages = [
        {"role": "user", "content": "My name is Ada."},
        {"role": "assistant", "content": "Hello, Ada."},
        {"role": "user", "content": "Who?"},
    ]
    direct = server.client.chat("smollm2:135m", messages, options={"num_predict": 1})
    assert run.timings.prompt_tokens == direct.prompt_eval_count


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("hello", "history is 'hello'. Give a list of pairs"),
        (None, "history is None"),
        (["hi"], "'hi' as turn 1"),
        ([("a", "b"), ("a",)], r"\('a',\) as turn 2"),
        ([("a", 5)], "as turn 1"),
        (["ab"], "'ab' as turn 1"),
        ([{"role": "user", "content": "x" * 500}], "…"),
    ],
)
def test_what_is_no_history_is_told_at_once(given: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match) as wrong:
        AgentRun("Hi", model="m", server="localhost", history=given)
    assert len(str(wrong.value)) < 150
