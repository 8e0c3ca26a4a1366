"""Tools: native and not, several in one answer, some that raise; structured output. Scripted."""

from __future__ import annotations

import json
import threading
from functools import partial
from typing import Any

import pytest
from structure_tools import driver, task

import lifecycle_widgets as lw
from lifecycle_widgets.runs import ToolCall
from lifecycle_widgets.sandbox import Sandbox
from tests.griptape_tools import CLOCK, clock
from tests.recorded import RecordedServer, chat, chunk, final, ollama
from tests.scripted import SCRIPTED, Script

REACT = """Thought: I need the time.
Actions: [{"tag": "one", "name": "Clock", "path": "now", "input": {}},
          {"tag": "two", "name": "Clock", "path": "now", "input": {}}]"""


@pytest.fixture
def script(script: Script) -> Script:
    """What the model says, token by token."""
    return partial(script, token_delay_s=0.002)


def agent(box: Sandbox, *tools: Any, **more: Any) -> Any:
    """An agent whose model says what the test writes."""
    from griptape.structures import Agent

    return Agent(prompt_driver=driver(box.url, SCRIPTED, **more), tools=list(tools))


def failing(name: str = "Clock", fault: BaseException | None = None) -> Any:
    """A tool that raises."""
    from griptape.tools import BaseTool
    from griptape.utils.decorators import activity
    from schema import Schema

    class Failing(BaseTool):  # type: ignore[misc]
        @activity(config={"description": "Tells the time", "schema": Schema({})})
        def now(self, _: Any) -> Any:
            raise fault or ValueError("the clock\nis broken")

    return Failing(name=name, install_dependencies_on_init=False)


def test_a_tool_loop(box: Sandbox, script: Script) -> None:
    script(
        {"text": "Let me see.", "tool_calls": [CLOCK]},
        {"tool_calls": [CLOCK]},
        {"text": "It is noon."},
    )
    asked = agent(box, clock(0.2))
    events = list(lw.stream(asked, "What time is it?", keep_alive="5m"))
    run = events[-1].run
    assert run.answer == "It is noon."
    assert [step.tool_calls for step in run.steps] == [(ToolCall("Clock_now"),)] * 2 + [()]
    assert [step.task for step in run.steps] == [asked.task.id] * 3
    assert [step.loaded for step in run.steps] == [True, False, False]
    for step in run.steps[:2]:
        assert step.tools_s == pytest.approx(0.2, abs=0.1)
    assert run.steps[0].text.strip() == "Let me see."
    assert run.parts["tools"] == pytest.approx(0.4, abs=0.2)
    assert sum(run.parts.values()) == pytest.approx(run.timings.total_s, rel=0.01)
    told = [e for e in events if isinstance(e, (lw.ToolsBegan, lw.ToolsEnded))]
    assert [type(e).__name__ for e in told] == ["ToolsBegan", "ToolsEnded"] * 2
    assert {e.calls for e in told} == {(ToolCall("Clock_now"),)}
    assert {e.task for e in told} == {asked.task.id}


def test_all_calls_of_an_answer_are_run(box: Sandbox, script: Script) -> None:
    script({"text": "All.", "tool_calls": [CLOCK, CLOCK, CLOCK]}, {"text": "Three times noon."})
    at_once = threading.Barrier(3, timeout=10)
    from griptape.artifacts import TextArtifact
    from griptape.tools import BaseTool
    from griptape.utils.decorators import activity
    from schema import Schema

    class Clock(BaseTool):  # type: ignore[misc]
        @activity(config={"description": "Tells the time", "schema": Schema({})})
        def now(self, _: Any) -> TextArtifact:
            at_once.wait()
            return TextArtifact("noon")

    run = lw.run(agent(box, Clock(install_dependencies_on_init=False)), "What time is it?")
    assert run.answer == "Three times noon."
    assert run.steps[0].tool_calls == (ToolCall("Clock_now"),) * 3
    assert run.note is None


def test_tools_in_the_text_of_an_answer(box: Sandbox, script: Script) -> None:
    script({"text": REACT}, {"text": "Answer: Twice noon."})
    run = lw.run(agent(box, clock(), use_native_tools=False), "What time is it?")
    assert run.answer == "Twice noon."
    assert run.steps[0].tool_calls == (ToolCall("Clock_now"),) * 2
    assert run.steps[0].tools_s is not None


def test_a_tool_that_raises_is_told_and_the_run_goes_on(box: Sandbox, script: Script) -> None:
    other = {"name": "Other_now", "arguments": {}}
    script({"tool_calls": [CLOCK, other]}, {"text": "I do not know."})
    run = lw.run(agent(box, failing(), clock().__class__(name="Other")), "What time is it?")
    assert run.answer == "I do not know."
    assert run.error is None
    [broken, whole] = run.steps[0].tool_calls
    assert broken == ToolCall("Clock_now", {}, "ValueError: the clock is broken")
    assert whole == ToolCall("Other_now")
    assert run.note == (
        "The tool Clock_now raised ValueError: the clock is broken. The model was told so."
    )


@pytest.mark.parametrize("fault", [SystemExit(3), KeyboardInterrupt()])
def test_a_tool_that_ends_its_thread_ends_the_run(
    box: Sandbox, script: Script, fault: BaseException
) -> None:
    script({"text": "Let me see.", "tool_calls": [CLOCK]}, {"text": "noon"})
    asked = agent(box, failing(fault=fault))
    with pytest.raises(lw.RunFailed, match=type(fault).__name__) as failed:
        lw.run(asked, "What time is it?")
    assert failed.value.run is not None
    assert failed.value.run.answer.strip() == "Let me see."
    assert asked.conversation_memory.runs == []


def test_a_tool_that_is_not_there() -> None:
    """Ollama itself leaves out a call of a tool that it was not given; other servers do not."""
    from griptape.structures import Agent

    call = {"function": {"name": "Nothing_now", "arguments": {}}}
    with RecordedServer(
        ollama(chat=chat(chunk("Hm."), chunk(tool_calls=[call]), final()))
    ) as there:
        asked = Agent(prompt_driver=driver(there.url, "tiny:1b"), tools=[clock()])
        with pytest.raises(lw.RunFailed, match="Nothing") as failed:
            lw.run(asked, "What time is it?")
        assert failed.value.run is not None
        assert failed.value.run.answer == "Hm."
        assert asked.conversation_memory.runs == []
        there.routes |= ollama(chat=chat(chunk("noon"), final()))
        assert lw.run(asked, "Again").answer == "noon"


def test_what_a_tool_asks_is_a_step_of_its_task(box: Sandbox, script: Script) -> None:
    from griptape.artifacts import TextArtifact
    from griptape.tools import BaseTool
    from griptape.utils.decorators import activity
    from schema import Schema

    class Clock(BaseTool):  # type: ignore[misc]
        drivers: dict[str, Any]

        @activity(config={"description": "Tells the time", "schema": Schema({})})
        def now(self, _: Any) -> TextArtifact:
            return TextArtifact(self.drivers["mine"].run(TextArtifact("Hi.")).to_text())

    tool = Clock(install_dependencies_on_init=False)
    mine = driver(box.url, "smollm2:135m", options={"num_predict": 4})
    tool.drivers = {"mine": mine}
    script({"tool_calls": [CLOCK]}, {"text": "noon"})
    asked = agent(box, tool)
    run = lw.run(asked, "What time is it?", keep_alive={SCRIPTED: "5m", "smollm2:135m": "4m"})
    assert run.answer == "noon"
    assert [step.model for step in run.steps] == [SCRIPTED, "smollm2:135m", SCRIPTED]
    assert {step.task for step in run.steps} == {asked.task.id}
    assert str(run.steps[1].keep_alive) == "4m"
    assert sum(run.parts.values()) == pytest.approx(run.timings.total_s, rel=0.01)
    assert tool.drivers == {"mine": mine}
    assert mine._client is None


@pytest.mark.parametrize("strategy", ["rule", "native", "tool"])
def test_structured_output(box: Sandbox, script: Script, strategy: str) -> None:
    from griptape.structures import Agent
    from pydantic import BaseModel

    class Answer(BaseModel):
        hour: int

    said = {"hour": 12}
    name = "StructuredOutputTool_provide_output"
    call = {"tool_calls": [{"name": name, "arguments": said}]}
    script(call if strategy == "tool" else {"text": json.dumps(said)})
    its = driver(box.url, SCRIPTED, structured_output_strategy=strategy)
    asked = Agent(prompt_driver=its, output_schema=Answer)
    run = lw.run(asked, "What time is it?")
    assert asked.output.value == Answer(hour=12)
    assert json.loads(run.answer) == said
    assert len(run.steps) == 1


def test_structured_output_that_is_wrong_is_asked_for_once_more(
    box: Sandbox, script: Script
) -> None:
    from pydantic import BaseModel

    class Answer(BaseModel):
        hour: int

    script({"text": '{"hour": "late"}'}, {"text": '{"hour": 12}'})
    alone = task("{{ args[0] }}", driver(box.url, SCRIPTED), "time", output_schema=Answer)
    run = lw.run(alone, "What time is it?")
    assert alone.output.value == Answer(hour=12)
    assert [step.text for step in run.steps] == ['{"hour": "late"}', '{"hour": 12}']


def test_thinking(box: Sandbox, script: Script) -> None:
    script({"thinking": "Hm.", "text": "Blue."})
    events = list(lw.stream(agent(box, extra_params={"think": True}), "Which colour?"))
    run = events[-1].run
    assert (run.thinking.strip(), run.answer, run.think) == ("Hm.", "Blue.", True)
    assert "".join(e.text for e in events if isinstance(e, lw.Thinking)).strip() == "Hm."
