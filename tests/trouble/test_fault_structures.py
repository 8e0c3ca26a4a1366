"""A structure's run when something dies beneath it: one clear error, and what had come is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trouble_tools import LONG, SHORT, SMALL, STORY, until

import lifecycle_widgets as lw
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.trouble import VARIABLE
from lifecycle_widgets.server import Server
from tests.agent.structures.structure_tools import driver, idles, pipeline, task
from tests.sandbox.sandbox_tools import runners

OTHER = f"{SMALL}-f16"


@pytest.fixture
def two(nothing_is_left: None) -> Iterator[Sandbox]:
    """A sandbox of this test alone, with two models."""
    with Sandbox(models=[SMALL, OTHER]) as started:
        yield started


def agent(url: str, file: Path, **options: Any) -> Any:
    """One that would ask five times, and keeps its memory in a file."""
    from griptape.drivers.memory.conversation.local import LocalConversationMemoryDriver
    from griptape.memory.structure import ConversationMemory
    from griptape.structures import Agent

    where = LocalConversationMemoryDriver(persist_file=str(file))
    return Agent(
        prompt_driver=driver(url, SMALL, options=options or dict(SHORT), max_attempts=5),
        conversation_memory=ConversationMemory(conversation_memory_driver=where),
    )


def kill(box: Sandbox) -> None:
    """Ollama itself, with its runners."""
    for runner in runners(box.pid):
        runner.kill()
    os.kill(box.pid, signal.SIGKILL)


def in_drafts(url: str, **more: Any) -> Any:
    """Two models, one after the other; few tokens each."""
    short = [driver(url, model, options=dict(SHORT), max_attempts=5) for model in (SMALL, OTHER)]
    return pipeline(*short, **more)


def test_gone_from_the_beginning(box: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    asked = agent("http://127.0.0.1:1", file)
    with pytest.raises(lw.ServerUnreachable, match=r"No Ollama answers at http://127.0.0.1:1"):
        lw.run(asked, "hi")
    with pytest.raises(lw.ServerUnreachable, match="No Ollama answers"):
        lw.run(in_drafts("http://127.0.0.1:1"), "hi")
    assert not file.exists()
    assert lw.run(asked, "hi", server=box).answer


def test_killed_in_the_middle_of_an_answer(tmp_path: Path, nothing_is_left: None) -> None:
    file, pieces = tmp_path / "memory.json", list[str]()
    with Sandbox(models=[SMALL]) as dying:
        asked = agent(dying.url, file, **LONG)
        run = lw.StructureRun(asked, STORY, on_text=pieces.append).start()
        until(lambda: len(run.answer) > 20, "the answer has begun")
        kill(dying)
        with pytest.raises(lw.RunFailed, match="went away in the middle of the answer") as failed:
            run.wait(20)
    kept = failed.value.run
    assert kept is not None
    assert kept.answer == "".join(pieces)
    assert len(kept.steps) == 1
    assert asked.conversation_memory.runs == []
    assert not file.exists() or "went away" not in file.read_text()
    with Sandbox(models=[SMALL]) as living:
        asked.task.prompt_driver.options["num_predict"] = 3
        assert lw.run(asked, "hi", server=living).answer
        assert len(json.loads(file.read_text())["runs"]) == 1


def test_a_runner_that_crashes_in_the_middle(tmp_path: Path, nothing_is_left: None) -> None:
    trouble, pieces = tmp_path / "trouble.json", list[str]()
    trouble.write_text(json.dumps({"crash_at_token": 8}))
    with Sandbox(models=[SMALL], runner_env={VARIABLE: str(trouble)}) as box:
        asked = agent(box.url, tmp_path / "memory.json", **LONG)
        with pytest.raises(lw.RunFailed, match=f"{SMALL} failed in the middle") as failed:
            lw.run(asked, STORY, on_text=pieces.append)
        assert failed.value.run is not None
        assert failed.value.run.answer == "".join(pieces) != ""
        assert len(failed.value.run.steps) == 1, "it was not asked twice"
        assert asked.conversation_memory.runs == []
        trouble.unlink()
        asked.task.prompt_driver.options["num_predict"] = 3
        assert lw.run(asked, "hi").answer


def test_killed_between_two_steps(two: Sandbox) -> None:
    asked = in_drafts(two.url)

    def then(event: Any) -> None:
        if isinstance(event, lw.StepEnded) and event.task == "draft":
            kill(two)

    with pytest.raises(lw.RunFailed, match="In the task 'review': ") as failed:
        lw.run(asked, "hi", on_event=then)
    assert two.url in str(failed.value)
    assert "middle of the answer" not in str(failed.value)
    kept = failed.value.run
    assert kept is not None
    assert [step.task for step in kept.steps][:1] == ["draft"]
    assert kept.steps[0].text
    assert asked.conversation_memory.runs == []


def test_a_model_that_is_deleted_meanwhile(two: Sandbox) -> None:
    asked, server = in_drafts(two.url), Server(two.url)
    server.client.copy(OTHER, "mine")
    asked.tasks[1].prompt_driver.model = "mine"

    def then(event: Any) -> None:
        if isinstance(event, lw.StepEnded) and event.task == "draft":
            server.client.delete("mine")

    with pytest.raises(lw.RunFailed, match=r"In the task 'review': .*mine") as failed:
        lw.run(asked, "hi", on_event=then)
    assert isinstance(failed.value.__cause__, lw.UnknownModel)
    assert failed.value.run is not None
    assert failed.value.run.steps[0].text
    server.client.copy(OTHER, "mine")
    assert lw.run(asked, "hi").answer
    server.close()


def test_a_model_that_cannot_be_loaded(tmp_path: Path, nothing_is_left: None) -> None:
    trouble = tmp_path / "trouble.json"
    with Sandbox(models=[SMALL, OTHER], runner_env={VARIABLE: str(trouble)}) as box:
        asked = in_drafts(box.url)

        def then(event: Any) -> None:
            if isinstance(event, lw.StepEnded) and event.task == "draft":
                trouble.write_text(json.dumps({"out_of_memory_at_load": True}))

        with pytest.raises(lw.RunFailed, match=r"In the task 'review': .*memory") as failed:
            lw.run(asked, "hi", on_event=then)
        assert failed.value.run is not None
        assert [step.text != "" for step in failed.value.run.steps] == [True, False]
        trouble.unlink()
        assert lw.run(asked, "hi").answer


def test_a_full_queue(nothing_is_left: None) -> None:
    with Sandbox(models=[SMALL], OLLAMA_MAX_QUEUE="1") as box:
        from griptape.structures import Workflow

        server = Server(box.url)
        its = driver(box.url, SMALL, options=dict(SHORT), max_attempts=5)
        tasks = [task("{{ args[0] }}", its, f"task{n}") for n in range(12)]
        with pytest.raises((lw.RunFailed, lw.ServerError), match="queue is full") as full:
            lw.run(Workflow(tasks=tasks), "hi")
        assert str(full.value).count("queue is full") == 1
        assert lw.run(Workflow(tasks=[task("{{ args[0] }}", its, "one")]), "hi").answer
        server.close()


def test_branches_of_which_one_fails(two: Sandbox) -> None:
    from griptape.structures import Workflow

    short = driver(two.url, SMALL, options=dict(SHORT))
    nobody = driver(two.url, "nobody:1b", max_attempts=5)
    join = task("{{ parents_output_text }}", short, "join", parent_ids=["good", "bad"])
    tasks = [task("A", short, "good"), task("B", nobody, "bad"), join]
    asked = Workflow(tasks=tasks)
    with pytest.raises((lw.RunFailed, lw.UnknownModel), match="nobody:1b"):
        lw.run(asked, "hi")
    assert asked.conversation_memory.runs == []
    going_on = Workflow(tasks=tasks, fail_fast=False)
    run = lw.run(going_on, "hi")
    assert run.answer
    assert run.note is not None
    assert "The task 'bad' failed (" in run.note
    assert "the Workflow went on." in run.note


def test_killed_while_branches_answer(two: Sandbox) -> None:
    from griptape.structures import Workflow

    long = [driver(two.url, model, options=dict(LONG)) for model in (SMALL, OTHER)]
    tasks = [task(STORY, its, f"task{n}") for n, its in enumerate(long)]
    told: set[str] = set()
    run = lw.StructureRun(Workflow(tasks=tasks), "hi")
    run.follow(lambda event: told.add(event.task) if isinstance(event, lw.Text) else None)
    run.start()
    until(lambda: len(told) == 2, "both answer")
    kill(two)
    # a runner may be gone a moment before its server, which then still says so
    match = r"In the task 'task\d': .*(went away|process that runs the model has ended)"
    with pytest.raises(lw.RunFailed, match=match) as failed:
        run.wait(20)
    assert failed.value.run is not None
    assert all(step.text for step in failed.value.run.steps)


def test_a_context_that_is_too_short_for_the_prompt(box: Sandbox) -> None:
    from griptape.structures import Agent

    options = {"num_ctx": 128, "num_predict": 3}
    asked = Agent(prompt_driver=driver(box.url, SMALL, options=options))
    run = lw.run(asked, " ".join(f"word{n}" for n in range(400)))
    assert run.note is not None
    assert "raise num_ctx, or shorten the prompt" in run.note


def test_a_process_that_is_killed_leaves_the_server_idle(box: Sandbox) -> None:
    code = (
        "import lifecycle_widgets as lw\n"
        "from griptape.structures import Agent\n"
        "from griptape.drivers.prompt.ollama import OllamaPromptDriver\n"
        f"d = OllamaPromptDriver(model={SMALL!r}, host={box.url!r}, options={LONG!r})\n"
        f"lw.run(Agent(prompt_driver=d), {STORY!r}, on_text=lambda t: print('token', flush=True))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "token\n"
    process.kill()
    process.wait(10)
    process.stdout.close()
    until(lambda: idles(box), "the server idles", 5.0)


def test_many_at_once_and_each_for_itself(box: Sandbox, tmp_path: Path) -> None:
    """Some are stopped, some fail, some are answered; none hears another."""
    agents = [agent(box.url, tmp_path / f"{n}.json") for n in range(12)]
    for n, asked in enumerate(agents):
        if n % 3 == 1:
            asked.task.prompt_driver.model = "nobody:1b"
        if n % 3 == 2:
            asked.task.prompt_driver.options |= LONG
    runs = [lw.StructureRun(asked, f"Say {n}.") for n, asked in enumerate(agents)]
    for run in runs:
        run.start()
    for n, run in enumerate(runs):
        if n % 3 == 2:
            threading.Timer(0.3, run.stop).start()
    for n, run in enumerate(runs):
        if n % 3 == 1:
            with pytest.raises(lw.UnknownModel):
                run.wait(60)
        else:
            assert run.wait(60).stopped is (n % 3 == 2)
        assert run.settle(10)
        assert len(agents[n].conversation_memory.runs) == (n % 3 == 0)
