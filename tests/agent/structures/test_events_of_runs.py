"""Events: griptape's own to a person's listeners, and ours to who asked; none to somebody else."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from structure_tools import FEW, STORY, driver, idles, pipeline, short, task, until

import lifecycle_widgets as lw
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.griptape_tools import CLOCK, clock
from tests.recorded import RecordedServer, chat, chunk, final, ollama
from tests.scripted import OTHER, SCRIPTED, SMALL, Script

MODEL = "tiny:1b"
TOOLS = (
    chat(chunk("Hm."), chunk(tool_calls=[{"function": CLOCK}]), final()),
    chat(chunk("noon"), final()),
)


@pytest.fixture
def script(script: Script) -> Script:
    """What the model says, token by token."""
    return partial(script, token_delay_s=0.002)


def turns(*answers: Any) -> Any:
    """A route that gives one answer after the other."""
    left = iter(answers)
    return lambda _: next(left)


# --- a person's own listeners ---------------------------------------------------------------------


def test_a_persons_listener_hears_the_run_with_token_counts(server: Server) -> None:
    from griptape.events import EventListener, FinishPromptEvent, FinishTaskEvent, TextChunkEvent

    two = pipeline(short(server.url), short(server.url, OTHER))
    counts: list[Any] = []
    texts: list[str] = []
    ends: list[str] = []

    def heard(event: Any) -> None:
        if isinstance(event, FinishPromptEvent):
            counts.append((event.model, event.input_token_count, event.output_token_count))
        elif isinstance(event, TextChunkEvent):
            texts.append(event.token)
        elif isinstance(event, FinishTaskEvent):
            ends.append(event.task_id)

    with EventListener(heard):
        run = lw.run(two, "hi")
    assert counts == [
        (step.model, step.timings.prompt_tokens, step.timings.output_tokens) for step in run.steps
    ]
    assert [count[2] for count in counts] == [FEW["num_predict"]] * 2
    assert "".join(texts) == "".join(step.text for step in run.steps)
    assert ends == ["draft", "review"]


def test_two_runs_at_once_do_not_hear_each_other(server: Server) -> None:
    from griptape.events import EventListener, FinishTaskEvent
    from griptape.structures import Agent

    heard: dict[str, list[str]] = {"one": [], "two": []}
    told: dict[str, list[Any]] = {"one": [], "two": []}
    runs = {}
    for name in heard:
        alone = task("{{ args[0] }}", short(server.url), name)
        with EventListener(
            lambda event, name=name: heard[name].append(event.task_id),
            event_types=[FinishTaskEvent],
        ):
            run = lw.StructureRun(Agent(tasks=[alone]), name, on_event=told[name].append)
            runs[name] = run.start()
    for name, run in runs.items():
        ended = run.wait(60)
        assert heard[name] == [name]
        pieces = [e.text for e in told[name] if isinstance(e, lw.Text)]
        assert "".join(pieces) == ended.answer
        assert {e.task for e in told[name] if not isinstance(e, lw.RunEnded)} == {name}


@pytest.mark.parametrize("ours", [True, False])
def test_what_a_tool_runs_is_not_taken_for_the_runs_own(ours: bool) -> None:
    """A structure in a tool, even with the same ids: by a run of ours, or by griptape alone."""
    from griptape.artifacts import TextArtifact
    from griptape.structures import Agent
    from griptape.tools import BaseTool
    from griptape.utils.decorators import activity
    from schema import Schema

    with RecordedServer(ollama(chat=turns(*TOOLS))) as inner, RecordedServer() as outer:
        outer.routes = ollama(chat=turns(*TOOLS))
        nested = Agent(
            tasks=[task("{{ args[0] }}", driver(inner.url, MODEL, stream=True), "same")],
        )
        nested.task.tools = [clock()]

        class Clock(BaseTool):  # type: ignore[misc]
            @activity(config={"description": "Tells the time", "schema": Schema({})})
            def now(self, _: Any) -> TextArtifact:
                if ours:
                    return TextArtifact(lw.run(nested, "inner").answer)
                return TextArtifact(nested.run("inner").output.to_text())

        tool = Clock(install_dependencies_on_init=False)
        asked = Agent(tasks=[task("{{ args[0] }}", driver(outer.url, MODEL), "same", tools=[tool])])
        events: list[Any] = []
        run = lw.run(asked, "outer", on_event=events.append)
        assert run.answer == "noon"
        assert len(run.steps) == 2
        assert "".join(e.text for e in events if isinstance(e, lw.Text)) == "Hm.noon"
        told = [e for e in events if isinstance(e, (lw.ToolsBegan, lw.ToolsEnded))]
        assert [type(e) for e in told] == [lw.ToolsBegan, lw.ToolsEnded]
        assert len(inner.asked("/api/chat")) == 2


def test_a_persons_listener_that_raises_ends_the_run_and_the_answer(
    box: Sandbox, script: Script
) -> None:
    from griptape.events import EventListener, TextChunkEvent
    from griptape.structures import Agent

    script({"text": " ".join(f"{n} words" for n in range(200))}, token_delay_s=0.02)
    heard: list[Any] = []

    def fail(event: Any) -> None:
        heard.append(event)
        if len(heard) == 5:
            raise ValueError("enough")

    asked = Agent(prompt_driver=driver(box.url, SCRIPTED, max_attempts=5))
    with EventListener(fail, event_types=[TextChunkEvent]):
        with pytest.raises(lw.RunFailed, match="ValueError: enough") as failed:
            lw.run(asked, STORY)
        assert len(heard) == 5, "nothing is asked twice"
    kept = failed.value.run
    assert kept is not None
    assert kept.answer.startswith("0 words")
    assert len(kept.steps) == 1, "the request has ended"
    assert isinstance(asked.output.exception, ValueError), "whose traceback is kept"
    until(lambda: idles(box), 5.0)
    assert asked.conversation_memory.runs == []
    Server(box.url).unload(SCRIPTED)
    script({"text": "well"})
    assert lw.run(asked, "again").answer == "well"


@pytest.mark.parametrize("kind", ["StartStructureRunEvent", "FinishStructureRunEvent"])
def test_a_listener_that_raises_outside_of_a_task(kind: str) -> None:
    import griptape.events as griptape_events
    from griptape.structures import Agent

    def fail(_: Any) -> None:
        raise ValueError("not now")

    with RecordedServer(ollama()) as there:
        asked = Agent(prompt_driver=driver(there.url, MODEL))
        with (
            griptape_events.EventListener(fail, event_types=[getattr(griptape_events, kind)]),
            pytest.raises(lw.RunFailed, match="ValueError: not now") as failed,
        ):
            lw.run(asked, "hi")
        assert failed.value.run is not None
        assert failed.value.run.answer == ("Hello" if kind.startswith("Finish") else "")
        assert lw.run(asked, "again").answer == "Hello"


@pytest.mark.parametrize("hook", ["on_before_run", "on_after_run"])
@pytest.mark.parametrize("of", ["agent", "task", "tool"])
def test_a_hook_that_raises(hook: str, of: str) -> None:
    from griptape.structures import Agent

    def fail(_: Any) -> None:
        raise ValueError("not now")

    with RecordedServer(ollama(chat=turns(*TOOLS))) as there:
        tool = clock()
        asked = Agent(tasks=[task("{{ args[0] }}", driver(there.url, MODEL), "one", tools=[tool])])
        setattr({"agent": asked, "task": asked.task, "tool": tool}[of], hook, fail)
        if of == "tool":
            run = lw.run(asked, "hi")
            assert run.note is not None
            assert "The tool Clock_now raised ValueError: not now." in run.note
        else:
            with pytest.raises(lw.RunFailed, match="ValueError: not now") as failed:
                lw.run(asked, "hi")
            run = failed.value.run
            assert run is not None
            assert run.error == str(failed.value)
        assert run.answer == ("" if hook == "on_before_run" and of != "tool" else "noon")
        setattr({"agent": asked, "task": asked.task, "tool": tool}[of], hook, None)
        there.routes |= ollama()
        assert lw.run(asked, "again").answer == "Hello"


# --- ours -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["StepBegan", "Text", "ToolsBegan", "ToolsEnded", "StepEnded"])
@pytest.mark.parametrize("fault", [ValueError("mine"), SystemExit(3)])
def test_an_on_event_that_raises_ends_the_run(kind: str, fault: BaseException) -> None:
    from griptape.structures import Agent

    def fail(event: Any) -> None:
        if type(event).__name__ == kind:
            raise fault

    with RecordedServer(ollama(chat=turns(*TOOLS))) as there:
        asked = Agent(prompt_driver=driver(there.url, MODEL), tools=[clock()])
        with pytest.raises(
            lw.RunFailed, match=f"ended by on_event, which raised {type(fault).__name__}"
        ):
            lw.run(asked, "hi", on_event=fail)
        assert len(there.asked("/api/chat")) == (0 if kind == "StepBegan" else 1)
        assert asked.conversation_memory.runs == []
        there.routes |= ollama()
        assert lw.run(asked, "again").answer == "Hello"


def test_a_function_that_raises_ends_a_structure_that_would_go_on_after_an_error() -> None:
    def fail(_: str) -> None:
        raise ValueError("mine")

    with RecordedServer(ollama()) as there:
        two = pipeline(driver(there.url, MODEL), driver(there.url, MODEL), fail_fast=False)

        def heard(event: Any) -> None:
            if isinstance(event, lw.Text):
                fail(event.text)

        with pytest.raises(lw.RunFailed, match="ended by on_event"):
            lw.run(two, "hi", on_event=heard)
        assert len(there.asked("/api/chat")) == 1


def test_what_raises_at_the_end_is_shown_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from griptape.structures import Agent

    shown: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", shown.append)

    def fail(event: Any) -> None:
        if isinstance(event, lw.RunEnded):
            raise ValueError("too late")

    done: list[Any] = []
    with RecordedServer(ollama()) as there:
        asked = Agent(prompt_driver=driver(there.url, MODEL))
        run = lw.StructureRun(asked, "hi", on_event=fail, on_done=done.append).start()
        assert run.wait(20).answer == "Hello"
        until(lambda: shown)
        assert len(done) == 1
        assert lw.run(asked, "again").answer == "Hello"


def test_branches_tell_one_event_at_a_time(server: Server) -> None:
    from griptape.structures import Workflow

    inside, most = [0], [0]
    events: list[Any] = []

    def heard(event: Any) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        threading.Event().wait(0.002)
        events.append(event)
        inside[0] -= 1

    tasks = [task("{{ args[0] }}", short(server.url), name) for name in ("a", "b", "c")]
    lw.run(Workflow(tasks=tasks), "hi", on_event=heard)
    assert most == [1]
    for name in ("a", "b", "c"):
        of_one = [e for e in events if getattr(e, "task", None) == name]
        assert isinstance(of_one[0], lw.StepBegan)
        assert isinstance(of_one[-1], lw.StepEnded)
        pieces = [e.text for e in of_one if isinstance(e, lw.Text)]
        assert "".join(pieces) == of_one[-1].step.text
    assert {e.model for e in events if isinstance(e, lw.Text)} == {SMALL}
