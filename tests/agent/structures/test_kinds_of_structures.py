"""Every kind of griptape structure, as it is, on a real Ollama: answered, streamed and metered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structure_tools import FEW, driver, our_threads, pipeline, short, task, until

import lifecycle_widgets as lw
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.scripted import OTHER, SMALL


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    until(lambda: not our_threads(), 10.0)


def adds_up(run: Run) -> bool:
    """Whether the run's parts are the whole, and its steps within it."""
    total_s = run.timings.total_s
    ends = all(0 <= step.start_s <= step.end_s <= total_s + 0.05 for step in run.steps)
    return ends and sum(run.parts.values()) == pytest.approx(total_s, rel=0.01, abs=0.01)


def test_an_agent(server: Server) -> None:
    from griptape.structures import Agent

    agent = Agent(prompt_driver=short(server.url), rules=[])
    pieces: list[str] = []
    run = lw.run(agent, "Say hello.", keep_alive="1m", on_text=pieces.append)
    assert run.answer == agent.output.to_text() == "".join(pieces) != ""
    assert (run.structure, run.model, run.prompt) == ("Agent", SMALL, "Say hello.")
    [step] = run.steps
    assert (step.model, step.task, step.keep_alive) == (SMALL, agent.task.id, KeepAlive("1m"))
    assert step.timings.output_tokens == FEW["num_predict"]
    assert (step.loaded, run.loads, run.options) == (True, 1, FEW)
    assert adds_up(run)
    resident = server.resident(SMALL)
    assert resident is not None
    assert 50 < (resident.expires_in_s() or 0) <= 60
    again = lw.run(agent, "And again.")
    assert (again.loads, again.was_resident) == (0, True)
    assert [turn.input.value for turn in agent.conversation_memory.runs] == [
        "Say hello.",
        "And again.",
    ]


def test_a_task_by_itself(server: Server) -> None:
    alone = task("Say {{ args[0] }}.", short(server.url), "alone")
    run = lw.run(alone, "hello {{ 1 + 1 }}")
    assert run.answer == alone.output.to_text() != ""
    assert (run.structure, [step.task for step in run.steps]) == ("PromptTask", ["alone"])
    assert adds_up(run)


def test_a_task_of_an_agent_is_given_nothing_of_its_own(server: Server) -> None:
    from griptape.structures import Agent

    agent = Agent(tasks=[task("Say hello.", short(server.url), "one")])
    with pytest.raises(ValueError, match=r"part of one Agent.* Run that"):
        lw.run(agent.task, "hi")
    assert lw.run(agent.task).answer


def test_a_pipeline_of_two_models(server: Server) -> None:
    two = pipeline(short(server.url), short(server.url, OTHER))
    events = list(lw.stream(two, "two {{ words }}", keep_alive={SMALL: 0, OTHER: "2m"}))
    kinds = [type(e).__name__ for e in events if not isinstance(e, (lw.Text, lw.RunEnded))]
    assert kinds == ["StepBegan", "StepEnded"] * 2
    assert [e.task for e in events if isinstance(e, lw.StepBegan)] == ["draft", "review"]
    texts = [(e.task, e.model) for e in events if isinstance(e, lw.Text)]
    assert set(texts) == {("draft", SMALL), ("review", OTHER)}
    assert texts == sorted(texts), "the first has ended when the second begins"
    assert isinstance(events[-1], lw.RunEnded)
    run = events[-1].run
    assert [(s.task, s.model, str(s.keep_alive)) for s in run.steps] == [
        ("draft", SMALL, "0"),
        ("review", OTHER, "2m"),
    ]
    assert (run.model, run.models, run.loads) == (OTHER, (SMALL, OTHER), 2)
    assert run.keep_alives == {SMALL: "0", OTHER: "2m"}
    assert run.answer == two.output.to_text()
    assert adds_up(run)
    until(lambda: [r.name for r in server.residents()] == [OTHER])


def test_a_workflow_with_branches_and_a_join(server: Server) -> None:
    from griptape.structures import Workflow

    # the join stands first, and says only whose child it is: griptape sorts that when it runs
    join = task("{{ parents_output_text }}", short(server.url), "join", parent_ids=["a", "b"])
    a = task("A: {{ args[0] }}", short(server.url), "a")
    b = task("B: {{ args[0] }}", short(server.url, OTHER), "b")
    workflow = Workflow(tasks=[join, a, b])
    pieces: list[str] = []
    run = lw.run(workflow, "hello", on_text=pieces.append)
    assert {step.task for step in run.steps[:2]} == {"a", "b"}
    assert run.steps[2].task == "join"
    assert run.steps[1].start_s < run.steps[0].end_s, "the branches ran at once"
    assert run.steps[2].start_s >= max(step.end_s for step in run.steps[:2]) - 0.01
    assert (run.structure, run.model) == ("Workflow", SMALL)
    assert run.answer == join.output.to_text() == "".join(pieces), "no branch is the answer"
    assert adds_up(run)


def test_keep_alive_is_what_the_drivers_have_unless_one_is_chosen(server: Server) -> None:
    first = short(server.url, extra_params={"keep_alive": "3m"})
    two = pipeline(first, short(server.url, OTHER))
    run = lw.run(two, "hi")
    assert [str(step.keep_alive) for step in run.steps] == ["3m", "server default"]
    run = lw.run(two, "hi", keep_alive={OTHER: "4m"})
    assert [str(step.keep_alive) for step in run.steps] == ["3m", "4m"]
    run = lw.run(two, "hi", keep_alive="90s")
    assert [step.keep_alive for step in run.steps] == [KeepAlive(90)] * 2
    assert first.extra_params == {"keep_alive": "3m"}


def test_a_mapping_names_models_that_are_asked(server: Server) -> None:
    two = pipeline(short(server.url), short(server.url, OTHER))
    with pytest.raises(ValueError, match=rf"smollm2:1b.*{SMALL}"):
        lw.run(two, "hi", keep_alive={"smollm2:1b": 0})
    with pytest.raises(ValueError, match="5"):
        lw.run(two, "hi", keep_alive={SMALL: "5"})


@pytest.mark.parametrize("given", ["an agent", None, 5, object()])
def test_what_is_no_structure(given: Any) -> None:
    with pytest.raises(ValueError, match="no griptape structure"):
        lw.run(given, "hi")


def test_a_structure_that_asks_no_model_of_ollamas() -> None:
    from griptape.drivers.prompt.openai import OpenAiChatPromptDriver
    from griptape.structures import Agent, Pipeline
    from griptape.tasks import CodeExecutionTask

    code = Pipeline(tasks=[CodeExecutionTask(on_run=lambda task: task.input)])
    with pytest.raises(ValueError, match="Pipeline asks no model of Ollama's"):
        lw.run(code, "hi")
    other = Agent(prompt_driver=OpenAiChatPromptDriver(model="none", api_key="none"))
    with pytest.raises(ValueError, match="OpenAiChatPromptDriver"):
        lw.run(other, "hi")


def test_a_task_that_asks_nobody_may_give_the_answer(server: Server) -> None:
    from griptape.artifacts import TextArtifact
    from griptape.structures import Pipeline
    from griptape.tasks import CodeExecutionTask

    def shout(code: Any) -> TextArtifact:
        return TextArtifact(code.parents[0].output.to_text().upper())

    first = task("{{ args[0] }}", short(server.url), "first")
    run = lw.run(Pipeline(tasks=[first, CodeExecutionTask(on_run=shout)]), "Say hello.")
    assert run.answer == first.output.to_text().upper() != ""
    assert run.model == SMALL


def test_all_models_are_asked_where_one_says(server: Server, sandbox: Sandbox) -> None:
    nowhere = driver("http://127.0.0.1:1", options=dict(FEW))
    run = lw.run(pipeline(nowhere, nowhere), "hi", server=sandbox)
    assert run.server_url == sandbox.url
    assert len(run.steps) == 2


def test_a_structure_that_is_wrong_is_told(server: Server) -> None:
    from griptape.structures import Pipeline, Workflow

    with pytest.raises(ValueError, match="Pipeline asks no model"):
        lw.run(Pipeline(), "hi")
    lost = task("{{ args[0] }}", short(server.url), "lost", parent_ids=["nobody"])
    with pytest.raises(lw.RunFailed, match="nobody"):
        lw.run(Workflow(tasks=[lost]), "hi")
    ring = [
        task("a", short(server.url), "a", parent_ids=["b"]),
        task("b", short(server.url), "b", parent_ids=["a"]),
    ]
    with pytest.raises(ValueError, match="cycle"):
        lw.run(Workflow(tasks=ring), "hi")
