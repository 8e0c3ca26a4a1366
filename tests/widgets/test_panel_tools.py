"""AgentPanel with tools, and with a person's own structure: held, named while they run, stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from griptape.drivers.prompt.ollama import OllamaPromptDriver
from griptape.structures import Agent, Pipeline
from griptape.tasks import PromptTask
from widget_parts import parts, shown, until

from lifecycle_widgets import KeepAlive, Server
from lifecycle_widgets.widgets import AgentPanel
from lifecycle_widgets.widgets.run_status import RunStatus
from tests.griptape_tools import CLOCK, clock
from tests.scripted import SCRIPTED, SMALL, Script, box, file, script

__all__ = ["box", "file", "script"]


@pytest.fixture
def panel(box: Any, script: Script, shut: Callable[[Any], Any]) -> AgentPanel:
    script({"tool_calls": [CLOCK]}, {"text": "It is noon."})
    return shut(AgentPanel(box.url, model=SCRIPTED, keep_alive=0, prompt="What time is it?"))  # type: ignore[no-any-return]


def said(panel: AgentPanel) -> list[str]:
    """What the status line says from now on."""
    seen: list[str] = []
    parts(panel, RunStatus)[0].observe(lambda change: seen.append(change["new"]), "value")
    return seen


def test_a_loop_of_tools_is_held_and_says_what_runs(panel: AgentPanel) -> None:
    panel.tools = [clock(1.0)]
    seen = said(panel)
    run = panel.start().wait(60)
    assert (run.answer, run.held, run.loads) == ("It is noon.", True, 1)
    assert any("Clock_now is running… " in text for text in seen)
    assert "lw-steps" in shown(panel), "the strip of its steps"
    assert "Clock" in panel._parts.code.text
    panel.hold = False
    panel.clear()
    assert panel.start().wait(60).held is False


def test_the_text_of_a_step_gives_way_to_the_next_ones(panel: AgentPanel, script: Script) -> None:
    script({"text": "Let me see.", "tool_calls": [CLOCK]}, {"text": "It is noon."})
    panel.tools = [clock()]
    answers: list[str] = []
    panel.observe(lambda change: answers.append(change["new"]), "answer")
    run = panel.start().wait(60)
    assert "Let me see." in answers
    assert panel.answer == run.answer == "It is noon."


def test_a_load_says_how_long_it_usually_takes(panel: AgentPanel) -> None:
    first = said(panel)
    panel.start().wait(60)
    panel.clear()
    again = said(panel)
    panel.start().wait(60)
    assert any("loading model… " in text for text in first)
    assert any(", usually " in text for text in again)
    assert not any("loading model… " in text and "usually" not in text for text in again)


def test_a_stop_while_a_tool_blocks(panel: AgentPanel) -> None:
    panel.tools = [clock(3.0)]
    seen = said(panel)
    panel.start()
    until(lambda: any("Clock_now is running" in text for text in seen), 30)
    began_s = time.monotonic()
    panel.stop()
    run = panel.wait(30)
    assert time.monotonic() - began_s < 1
    assert run.stopped
    assert "A tool is still running: its thread is lifecycle-tool-Clock_now" in shown(panel)
    assert not panel.running
    until(lambda: not [t for t in threading.enumerate() if "Clock_now" in t.name], 10)
    panel.tools = []
    assert panel.start().wait(60).error is None


# --- a structure of one's own ---------------------------------------------------------------------


def driver(box: Any, model: str, **more: Any) -> OllamaPromptDriver:
    return OllamaPromptDriver(model=model, host=box.url, options={"num_predict": 8}, **more)


def pipeline(box: Any) -> Pipeline:
    task = [
        PromptTask("{{ args[0] }}", prompt_driver=driver(box, SMALL), id="draft"),
        PromptTask("Shorter: {{ parent_output }}", prompt_driver=driver(box, SCRIPTED), id="end"),
    ]
    return Pipeline(tasks=task)


def test_a_structure_of_ones_own(box: Any, script: Script, shut: Callable[[Any], Any]) -> None:
    script({"text": "Short."})
    own = pipeline(box)
    panel = shut(AgentPanel(structure=own, prompt="Say {{ hello }}."))
    assert f"Pipeline of 2 tasks: {SMALL}, {SCRIPTED}, its drivers&#x27; keep_alive" in shown(panel)
    assert panel.server is None
    run = panel.start().wait(60)
    assert (run.models, run.answer, run.structure) == ((SMALL, SCRIPTED), "Short.", "Pipeline")
    assert panel.answer == "Short."
    assert panel._parts.talk.turns[-1].question == "Say {{ hello }}."
    panel.keep_alive = 0
    run = panel.start().wait(60)
    assert {KeepAlive(v) for v in run.keep_alives.values()} == {KeepAlive(0)}
    server = Server(box.url)
    until(lambda: not server.residents(), 10)
    assert own.tasks[0].prompt_driver.extra_params == {}, "it is given back as it was"
    assert panel._parts.open_code.layout.display == "none"
    fields = [f for f in parts(panel) if getattr(f, "description", "") in ("rules", "memory")]
    assert all(field.layout.display == "none" for field in fields), "they are the structure's own"
    panel.prompt = " "
    with pytest.raises(ValueError, match="The prompt is empty"):
        panel.start()
    assert repr(panel).startswith("AgentPanel(structure=Pipeline, keep_alive='0'")


def test_an_agent_of_ones_own_keeps_its_memory_and_its_hold_is_said(
    box: Any, script: Script, shut: Callable[[Any], Any]
) -> None:
    script({"text": "Hello."})
    agent = Agent(
        input="{{ args[0] }}",
        prompt_driver=driver(box, SCRIPTED, extra_params={"keep_alive": 0}),
        tools=[clock()],
    )
    panel = shut(AgentPanel(box.url, structure=agent, prompt="Hi"))
    until(
        lambda: "Held between its steps; the drivers&#x27; keep_alive applies" in shown(panel), 10
    )
    panel.start().wait(60)
    assert len(agent.conversation_memory.runs) == 1
    panel.clear()
    assert len(agent.conversation_memory.runs) == 1, "it is the person's"
    assert panel._parts.talk.turns == ()


def test_a_structure_that_is_in_another_run(
    box: Any, script: Script, shut: Callable[[Any], Any]
) -> None:
    script({"text": " ".join(map(str, range(200)))}, token_delay_s=0.02)
    own = Agent(input="{{ args[0] }}", prompt_driver=driver(box, SCRIPTED))
    one, other = (shut(AgentPanel(structure=own, prompt="Hi")) for _ in range(2))
    own.prompt_driver.options["num_predict"] = 4000
    one.start()
    with pytest.raises(RuntimeError):
        other.start()
    assert other.error
    assert not other.running
    assert other._parts.talk.turns == ()
    one.stop()
    one.wait(30)
    other.start().stop()
    assert other.wait(30).stopped


def test_what_is_wrong_with_a_structure_is_refused(box: Any) -> None:
    with pytest.raises(ValueError, match="A str is no griptape structure"):
        AgentPanel(structure="an agent")
    with pytest.raises(ValueError, match="The Pipeline has its own model and rules: set them ther"):
        AgentPanel(structure=pipeline(box), model=SMALL, rules=["Be brief."])
