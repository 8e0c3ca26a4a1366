"""A stop ends a run at any moment, for the person at once; the server stops, what came is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

import lifecycle_widgets as lw
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.agent.structures.structure_tools import (
    SMALL,
    STORY,
    driver,
    idles,
    our_threads,
    pipeline,
    task,
    until,
)
from tests.griptape_tools import CLOCK
from tests.recorded import Answer, RecordedServer, chat, chunk, final, ollama
from tests.sandbox.sandbox_tools import runners
from tests.scripted import SCRIPTED, Script

MODEL = "tiny:1b"
LONG = " ".join(f"{n} words" for n in range(400))


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    until(lambda: not our_threads(), 5.0)


@pytest.fixture
def script(script: Script) -> Script:
    """What the model says, not too fast."""
    return partial(script, token_delay_s=0.02)


class Gate:
    """A tool that blocks until it is let go."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()

    def tool(self, then: Any = None) -> Any:
        from griptape.artifacts import TextArtifact
        from griptape.tools import BaseTool
        from griptape.utils.decorators import activity
        from schema import Schema

        gate = self

        class Clock(BaseTool):  # type: ignore[misc]
            @activity(config={"description": "Tells the time", "schema": Schema({})})
            def now(self, _: Any) -> TextArtifact:
                gate.entered.set()
                if then is not None:
                    then()
                assert gate.open.wait(30)
                return TextArtifact("noon")

        return Clock(install_dependencies_on_init=False)


def agent(url: str, model: str = SCRIPTED, *tools: Any, **more: Any) -> Any:
    from griptape.structures import Agent

    return Agent(prompt_driver=driver(url, model, **more), tools=list(tools))


def stopped(run: Any, within_s: float = 0.5) -> Any:
    """The run, which is stopped now, and ends at once."""
    began_s = time.monotonic()
    run.stop()
    ended = run.wait(5)
    assert time.monotonic() - began_s < within_s
    assert ended.stopped
    assert ended.error is None
    assert not run.running
    assert run.asked is None
    return ended


# --- at any moment --------------------------------------------------------------------------------


def test_before_the_first_byte(box: Sandbox, script: Script) -> None:
    script({"text": "never"}, load_delay_s=60)
    asked = agent(box.url)
    run = lw.StructureRun(asked, STORY, keep_alive="5m").start()
    until(lambda: runners(box.pid))
    assert run.waiting_for_first_token
    assert run.asked is not None
    ended = stopped(run)
    assert (ended.answer, len(ended.steps)) == ("", 1)
    until(lambda: not runners(box.pid), 5.0)
    assert asked.conversation_memory.runs == []
    script({"text": "well"})
    assert lw.run(asked, "hi").answer == "well"


def test_in_the_middle_of_an_answer(box: Sandbox, script: Script) -> None:
    script({"text": LONG})
    asked = agent(box.url)
    run = lw.StructureRun(asked, STORY).start()
    until(lambda: len(run.answer) > 20)
    ended = stopped(run)
    assert ended.answer.startswith("0 words 1 words")
    assert ended.answer == ended.steps[0].text
    until(lambda: idles(box), 5.0)
    assert asked.conversation_memory.runs == []


def test_between_two_steps(box: Sandbox, script: Script) -> None:
    script({"text": "A draft."})
    two = pipeline(driver(box.url, SCRIPTED), driver(box.url, SMALL))
    events: list[Any] = []

    def heard(event: Any) -> None:
        events.append(event)
        if isinstance(event, lw.StepEnded):
            run.stop()

    run = lw.StructureRun(two, "hi", on_event=heard)
    ended = run.start().wait(10)
    assert ended.stopped
    assert [(step.task, step.text) for step in ended.steps] == [("draft", "A draft.")]
    assert [type(e) for e in events if not isinstance(e, lw.Text)] == [
        lw.StepBegan,
        lw.StepEnded,
        lw.RunEnded,
    ]
    assert run.settle(5)
    assert two.task_outputs["review"] is None


def test_in_the_second_step_what_the_first_had_is_kept() -> None:
    answers = iter([chat(chunk("A draft."), final()), chat(*[chunk("on ")] * 500, final())])
    with RecordedServer(ollama(chat=lambda _: next(answers))) as there:
        run = lw.StructureRun(pipeline(driver(there.url, MODEL), driver(there.url, MODEL)), "hi")
        run.start()
        until(lambda: run.answer)
        ended = stopped(run)
        assert [step.task for step in ended.steps] == ["draft", "review"]
        assert ended.steps[0].text == "A draft."
        assert ended.answer == ended.steps[1].text != ""
        assert run.settle(5)


def test_in_branches_that_run_at_once(box: Sandbox, script: Script) -> None:
    from griptape.structures import Workflow

    script({"text": LONG})
    its = driver(box.url, SCRIPTED)
    join = task("{{ parents_output_text }}", its, "join", parent_ids=["a", "b"])
    run = lw.StructureRun(Workflow(tasks=[task("A", its, "a"), task("B", its, "b"), join]), "hi")
    texts: set[str] = set()
    run.follow(lambda e: texts.add(e.task) if isinstance(e, lw.Text) else None)
    run.start()
    until(lambda: run.asked)
    until(lambda: texts)  # Ollama answers one after the other: one waits
    ended = stopped(run)
    assert {step.task for step in ended.steps} == {"a", "b"}
    assert run.settle(5)
    until(lambda: idles(box), 5.0)


def test_in_a_tool_that_blocks(box: Sandbox, script: Script) -> None:
    script({"text": "Let me see.", "tool_calls": [CLOCK]}, {"text": "noon"})
    gate, events = Gate(), []  # type: ignore[var-annotated]
    asked = agent(box.url, SCRIPTED, gate.tool())
    run = lw.StructureRun(asked, "hi", keep_alive="5m", on_event=events.append).start()
    assert gate.entered.wait(20)
    assert run.tools_running == ("Clock_now",)
    ended = stopped(run, within_s=0.2)
    assert ended.answer.strip() == "Let me see."
    [name] = run.left_behind
    assert name.startswith("lifecycle-tool-Clock_now")
    assert ended.said == (f"A tool is still running: its thread is {name}.",)
    assert not run.settle(0.1)
    with pytest.raises(RuntimeError, match="goes on after a stop"):
        lw.run(asked, "again")
    gate.open.set()
    assert run.settle(5)
    assert run.left_behind == ()
    assert isinstance(events[-1], lw.RunEnded), "nothing comes after it"
    assert asked.conversation_memory.runs == []
    assert [s.tool_calls[0].name for s in ended.steps] == ["Clock_now"]
    script({"text": "noon"})
    assert lw.run(asked, "again", timeout_s=30).answer


def test_when_its_time_is_up_in_a_tool_that_blocks() -> None:
    gate = Gate()
    answer = chat(chunk("Hm."), chunk(tool_calls=[{"function": CLOCK}]), final())
    with RecordedServer(ollama(chat=answer)) as there:
        run = lw.StructureRun(agent(there.url, MODEL, gate.tool()), "hi", timeout_s=0.5).start()
        with pytest.raises(lw.RunTimedOut) as failed:
            run.wait(2)
        assert failed.value.run is not None
        assert failed.value.run.answer == "Hm."
        assert failed.value.run.said[0].startswith("A tool is still running: its thread is ")
        assert not run.settle(0.1)
        gate.open.set()
        assert run.settle(5)


def test_a_run_that_a_tool_has_started_is_stopped_with_it(box: Sandbox, script: Script) -> None:
    script({"text": LONG})
    inner = agent(box.url)
    runs: list[Any] = []

    def then() -> None:
        runs.append(lw.StructureRun(inner, STORY))
        runs[0].start().wait()
        gate.open.set()

    gate = Gate()
    with RecordedServer(
        ollama(chat=chat(chunk(tool_calls=[{"function": CLOCK}]), final()))
    ) as there:
        run = lw.StructureRun(agent(there.url, MODEL, gate.tool(then)), "hi").start()
        until(lambda: runs and runs[0].answer)
        stopped(run)
        assert runs[0].wait(5).stopped
        assert run.settle(5)
        assert len(there.asked("/api/chat")) == 1
    until(lambda: idles(box), 5.0)


def test_while_a_memory_asks_for_a_summary() -> None:
    from griptape.memory.structure import SummaryConversationMemory

    with RecordedServer(ollama()) as there, RecordedServer(ollama()) as slow:
        slow.routes["/api/chat"] = Answer({}, delay_s=30)
        mine = SummaryConversationMemory(offset=0, prompt_driver=driver(slow.url, MODEL))
        asked = agent(there.url, MODEL)
        asked.conversation_memory = mine
        run = lw.StructureRun(asked, "hi").start()
        until(lambda: slow.asked("/api/chat"))
        assert run.asked is not None
        assert stopped(run).answer == "Hello"
        assert run.settle(5)
        slow.routes |= ollama()
        assert lw.run(asked, "again").answer == "Hello"


def test_at_any_moment_of_its_beginning() -> None:
    with RecordedServer(ollama(chat=chat(*[chunk("on ")] * 300, final()))) as there:
        asked = agent(there.url, MODEL)
        for n in range(30):
            run = lw.StructureRun(asked, "hi").start()
            time.sleep(n * 0.002)
            stopped(run)
            assert run.settle(5)
        assert asked.conversation_memory.runs == []
        there.routes |= ollama()
        assert lw.run(asked, "hi").answer == "Hello"


def test_by_many_at_once_and_when_it_is_over() -> None:
    with RecordedServer(ollama(chat=chat(*[chunk("on ")] * 300, final()))) as there:
        done: list[Any] = []
        asked = agent(there.url, MODEL)
        run = lw.StructureRun(asked, "hi", on_done=done.append).start()
        until(lambda: run.answer)
        threads = [threading.Thread(target=run.stop) for _ in range(20)]
        for thread in threads:
            thread.start()
        ended = run.wait(5)
        for thread in threads:
            thread.join(5)
        run.stop()
        assert run.wait(0) is ended
        assert run.settle(5)
        assert done == [ended]
        there.routes |= ollama()
        whole = lw.StructureRun(asked, "hi").start()
        assert whole.wait(10).answer == "Hello"
        whole.stop()
        assert not whole.wait(0).stopped
        assert whole.left_behind == ()


def test_a_server_that_says_nothing_more(box: Sandbox, script: Script) -> None:
    """It hangs, in the middle of an answer: its process is halted."""
    import psutil

    script({"text": LONG})
    run = lw.StructureRun(agent(box.url), STORY).start()
    until(lambda: run.answer)
    process = psutil.Process(box.pid)
    process.suspend()
    try:
        assert stopped(run).answer
    finally:
        process.resume()
    until(lambda: idles(box), 5.0)


def test_a_server_that_hangs_from_the_beginning() -> None:
    with RecordedServer(ollama(ps=Answer({"models": []}, delay_s=20))) as there:
        asked = agent(there.url, MODEL)
        run = lw.StructureRun(asked, "hi").start()
        until(lambda: there.asked("/api/ps"))
        stopped(run, within_s=2.0)
        assert not there.asked("/api/chat")


# --- what is held is let go -----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["stop", "timeout", "an on_done that raises"])
def test_the_keep_alive_that_was_chosen_applies_after_a_stop(
    box: Sandbox, script: Script, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    script({"tool_calls": [CLOCK]}, {"text": LONG})
    gate = Gate()
    gate.open.set()
    run = lw.StructureRun(
        agent(box.url, SCRIPTED, gate.tool()),
        "hi",
        keep_alive=0,
        timeout_s=3.0 if how == "timeout" else None,
        on_done=(lambda _: 1 / 0) if how.startswith("an") else None,  # type: ignore[arg-type,return-value]
    ).start()
    until(lambda: len(run.answer) > 20)
    assert run.is_held
    if how == "timeout":
        with pytest.raises(lw.RunTimedOut):
            run.wait(10)
    else:
        stopped(run)
    until(lambda: not Server(box.url).residents(), 6.0)


def test_in_a_task_of_code_that_blocks() -> None:
    from griptape.artifacts import TextArtifact
    from griptape.structures import Pipeline
    from griptape.tasks import CodeExecutionTask

    gate = Gate()

    def work(_: Any) -> TextArtifact:
        gate.entered.set()
        assert gate.open.wait(30)
        return TextArtifact("done")

    with RecordedServer(ollama()) as there:
        tasks = [
            task("{{ args[0] }}", driver(there.url, MODEL), "first"),
            CodeExecutionTask(on_run=work),
            task("{{ args[0] }}", driver(there.url, MODEL), "last"),
        ]
        run = lw.StructureRun(Pipeline(tasks=tasks), "hi").start()
        assert gate.entered.wait(10)
        ended = stopped(run, within_s=1.5)
        assert run.left_behind == ("lifecycle-agent-run",)
        assert ended.said == (
            "What it was doing has not ended: its thread is lifecycle-agent-run.",
        )
        gate.open.set()
        assert run.settle(5)
        assert run.left_behind == ()
        assert len(there.asked("/api/chat")) == 1


@pytest.mark.parametrize("name", ["lifecycle-agent-run", "lifecycle-in-memory"])
def test_where_no_thread_can_be_started(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def fail(thread: threading.Thread) -> None:
        if thread.name == name:
            raise RuntimeError("can't start new thread")
        start(thread)

    with RecordedServer(ollama()) as there:
        asked = agent(there.url, MODEL)
        run = lw.StructureRun(asked, "hi")
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", fail)
            with pytest.raises(RuntimeError, match="can't start new thread"):
                run.start()
        assert not run.is_started
        assert run.start().wait(10).answer == "Hello"
