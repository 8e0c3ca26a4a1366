"""What a hold does for a structure: no reload inside a loop, and nobody stays who is not needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structure_tools import driver, task

from lifecycle_widgets.agent import AgentRun, StepBegan, StepEnded, run, stream
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.griptape_tools import CLOCK, clock
from tests.sandbox.sandbox_tools import eventually
from tests.scripted import OTHER, SCRIPTED, SMALL, Script

ALIAS = "alias-of-small"
CALLS = ({"tool_calls": [CLOCK]}, {"tool_calls": [CLOCK]}, {"text": "It is noon."})


@pytest.fixture
def server(box: Sandbox) -> Iterator[Server]:
    server = Server(box.url)
    server.client.copy(SMALL, ALIAS)
    yield server
    server.client.delete(ALIAS)


def few(server: Server, model: str, name: str, **more: Any) -> Any:
    """A task whose answer is a few tokens."""
    return task("{{ args[0] }}", driver(server.url, model, max_tokens=8), name, **more)


def looping(server: Server, *after: Any) -> Any:
    """A pipeline whose first task calls a tool twice."""
    from griptape.structures import Pipeline

    return Pipeline(tasks=[few(server, SCRIPTED, "look", tools=[clock()]), *after])


def gone(server: Server, model: str) -> bool:
    return eventually(lambda: server.resident(model) is None)


def test_a_loop_loads_once_and_the_model_leaves_then(server: Server, script: Script) -> None:
    script(*CALLS)
    held = run(looping(server), "Time?", keep_alive=0)
    assert (held.held, held.loads, len(held.steps)) == (True, 1, 3)
    assert gone(server, SCRIPTED)
    plain = run(looping(server), "Time?", keep_alive=0, hold=False)
    assert (plain.held, plain.loads, len(plain.steps)) == (False, 3, 3)


def test_the_first_model_of_a_pipeline_leaves_while_the_second_works(
    server: Server, script: Script
) -> None:
    script(*CALLS, token_delay_s=0.05)
    beside: list[bool] = []
    for event in stream(looping(server, few(server, OTHER, "say")), "Time?", keep_alive=0):
        if isinstance(event, StepEnded) and event.task == "say":
            beside.append(server.resident(SCRIPTED) is None)
    assert beside == [True]
    assert gone(server, OTHER)
    # one and the same weights under another name are needed again
    again = run(looping(server, few(server, ALIAS, "say")), "Time?", keep_alive=0)
    assert again.loads == 1
    assert gone(server, ALIAS)


def test_what_is_chosen_for_a_model_is_what_is_left(server: Server, script: Script) -> None:
    script(*CALLS)
    sent = [
        str(event.keep_alive)
        for event in stream(looping(server), "Time?", keep_alive={SCRIPTED: "5s"})
        if isinstance(event, StepBegan)
    ]
    assert sent == ["20s", "server default", "server default"]
    assert eventually(lambda: 2 < left_s(server) <= 5.5), "the chosen value is in force"


def left_s(server: Server) -> float:
    """Ollama sets the deadline a moment after it has answered."""
    resident = server.resident(SCRIPTED)
    return 0.0 if resident is None else resident.expires_in_s() or 0.0


def test_a_keep_alive_longer_than_the_lease_is_sent_as_it_is(
    server: Server, script: Script
) -> None:
    script(*CALLS)
    kept = run(looping(server), "Time?", keep_alive="1m")
    assert not kept.held
    assert {str(step.keep_alive) for step in kept.steps} == {"1m"}


def test_a_hold_needs_a_keep_alive(server: Server) -> None:
    with pytest.raises(ValueError, match="hold=True needs a keep_alive"):
        run(looping(server), "Hi", hold=True)
    with pytest.raises(ValueError, match="hold=True needs a keep_alive"):
        AgentRun("Hi", model=SMALL, server=server, hold=True)
