"""Conversation memory is griptape's, and an error is no part of it: not of its file either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structure_tools import driver, pipeline, short, task, until

import lifecycle_widgets as lw
from lifecycle_widgets.server import Server
from tests.recorded import Answer, RecordedServer, Request, chat, chunk, final, ollama
from tests.scripted import OTHER, SMALL

MODEL = "tiny:1b"
BOOM = Answer({"error": "boom"}, 500)
FAULTS = (lw.RunFailed, lw.ServerError)


@pytest.fixture
def there() -> Iterator[RecordedServer]:
    with RecordedServer(ollama()) as server:
        yield server


def memory(path: Path | None = None, **more: Any) -> Any:
    """A conversation memory that keeps its turns in a file."""
    from griptape.drivers.memory.conversation.local import LocalConversationMemoryDriver
    from griptape.memory.structure import ConversationMemory

    where = LocalConversationMemoryDriver(persist_file=None if path is None else str(path))
    return ConversationMemory(conversation_memory_driver=where, **more)


def agent(there: RecordedServer, its_memory: Any, **more: Any) -> Any:
    from griptape.structures import Agent

    its_driver = driver(there.url, MODEL, stream=True)
    return Agent(prompt_driver=its_driver, conversation_memory=its_memory, **more)


def turns(of: Any) -> list[tuple[str, str]]:
    """What was asked and answered."""
    return [(run.input.to_text(), run.output.to_text()) for run in of.runs]


def sent(there: RecordedServer) -> list[str]:
    """The messages of the last request."""
    return [message["content"] for message in there.asked("/api/chat")[-1].json["messages"]]


def test_the_turns_of_earlier_runs_are_sent(there: RecordedServer, tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    mine = memory(file)
    asked = agent(there, mine)
    for prompt in ("one", "two {{ x }}"):
        lw.run(asked, prompt)
    asked.run("three")
    lw.run(asked, "four")
    assert asked.conversation_memory is mine
    said = [(prompt, "Hello") for prompt in ("one", "two {{ x }}", "three", "four")]
    assert turns(mine) == said
    assert sent(there) == ["one", "Hello", "two {{ x }}", "Hello", "three", "Hello", "four"]
    assert turns(memory(file)) == said


def test_max_runs(there: RecordedServer) -> None:
    mine = memory(max_runs=2)
    asked = agent(there, mine)
    for prompt in ("one", "two", "three"):
        lw.run(asked, prompt)
    there.routes["/api/chat"] = BOOM
    with pytest.raises(FAULTS):
        lw.run(asked, "lost")
    assert [prompt for prompt, _ in turns(mine)] == ["two", "three"], "none made room for an error"


@pytest.mark.parametrize("fault", [BOOM, chat(chunk("half"), {"error": "boom"}), chat("nonsense")])
def test_an_error_is_no_turn(there: RecordedServer, tmp_path: Path, fault: Answer) -> None:
    file = tmp_path / "memory.json"
    mine = memory(file)
    asked = agent(there, mine)
    lw.run(asked, "one")
    there.routes["/api/chat"] = fault
    with pytest.raises(FAULTS):
        lw.run(asked, "two")
    assert turns(mine) == [("one", "Hello")]
    assert turns(memory(file)) == [("one", "Hello")]
    there.routes |= ollama()
    lw.run(asked, "three")
    assert sent(there) == ["one", "Hello", "three"]
    assert "boom" not in file.read_text()


def test_an_error_is_not_even_stored_for_a_moment(there: RecordedServer) -> None:
    from griptape.drivers.memory.conversation.local import LocalConversationMemoryDriver
    from griptape.memory.structure import ConversationMemory

    stored: list[int] = []

    class Counting(LocalConversationMemoryDriver):  # type: ignore[misc]
        def store(self, runs: Any, metadata: Any) -> None:
            stored.append(len(runs))

    mine = ConversationMemory(conversation_memory_driver=Counting())
    asked = agent(there, mine)
    lw.run(asked, "one")
    there.routes["/api/chat"] = BOOM
    with pytest.raises(FAULTS):
        lw.run(asked, "two")
    assert stored == [1]


@pytest.mark.parametrize("fails", [False, True])
def test_a_memory_for_each_task(there: RecordedServer, fails: bool) -> None:
    one, two = memory(), memory()
    both = pipeline(driver(there.url, MODEL), driver(there.url, MODEL))
    both.conversation_memory_strategy = "per_task"
    for its, of in zip(both.tasks, (one, two), strict=True):
        its.conversation_memory = of
    answers = iter([chat(chunk("first"), final()), BOOM if fails else chat(chunk("2nd"), final())])
    there.routes["/api/chat"] = lambda _: next(answers)
    if fails:
        with pytest.raises(FAULTS, match="boom"):
            lw.run(both, "hi")
    else:
        lw.run(both, "hi")
    assert turns(one) == [("Draft: hi", "first")]
    assert turns(two) == ([] if fails else [("Review: first", "2nd")])
    assert [its._conversation_memory for its in both.tasks] == [one, two]
    assert both.conversation_memory.runs == []


def test_the_memory_of_a_task_by_itself(there: RecordedServer) -> None:
    mine = memory()
    alone = task("{{ args[0] }}", driver(there.url, MODEL), "alone", conversation_memory=mine)
    lw.run(alone, "one")
    there.routes["/api/chat"] = BOOM
    with pytest.raises(FAULTS):
        lw.run(alone, "two")
    assert turns(mine) == [("one", "Hello")]
    assert alone.conversation_memory is mine


def test_two_agents_that_share_a_memory_run_at_once(there: RecordedServer) -> None:
    mine = memory()
    there.routes["/api/chat"] = lambda request: (
        BOOM if "two" in request.json["messages"][-1]["content"] else chat(chunk("ok"), final())
    )
    runs = [lw.StructureRun(agent(there, mine), word).start() for word in ("one", "two", "three")]
    for run in runs:
        try:
            run.wait(20)
        except FAULTS:
            pass
    assert sorted(turns(mine)) == [("one", "ok"), ("three", "ok")]


def test_a_store_that_raises(there: RecordedServer) -> None:
    from griptape.drivers.memory.conversation.local import LocalConversationMemoryDriver
    from griptape.memory.structure import ConversationMemory

    class Full(LocalConversationMemoryDriver):  # type: ignore[misc]
        def store(self, runs: Any, metadata: Any) -> None:
            raise OSError("the disk is full")

    mine = ConversationMemory(conversation_memory_driver=Full())
    asked = agent(there, mine)
    with pytest.raises(lw.RunFailed, match="the disk is full") as failed:
        lw.run(asked, "one")
    assert failed.value.run is not None
    assert failed.value.run.answer == "Hello"
    assert asked.conversation_memory is mine
    mine.conversation_memory_driver = memory().conversation_memory_driver
    assert lw.run(asked, "two").answer == "Hello"


# --- a memory that makes summaries ----------------------------------------------------------------


def test_a_memory_that_asks_for_summaries_by_a_driver_of_its_own(server: Server) -> None:
    from griptape.memory.structure import SummaryConversationMemory
    from griptape.structures import Agent

    summing = short(server.url, OTHER)
    mine = SummaryConversationMemory(offset=1, prompt_driver=summing)
    asked = Agent(prompt_driver=short(server.url), conversation_memory=mine)
    first = lw.run(asked, "one", keep_alive={SMALL: "5m", OTHER: 0})
    assert [(step.task, step.model) for step in first.steps] == [(asked.task.id, SMALL)]
    second = lw.run(asked, "two", keep_alive={SMALL: "5m", OTHER: 0})
    assert [(step.task, step.model) for step in second.steps] == [
        (asked.task.id, SMALL),
        ("", OTHER),
    ]
    assert second.answer == asked.output.to_text()
    assert second.model == SMALL
    assert mine.summary
    assert mine.prompt_driver is summing
    assert sum(second.parts.values()) == pytest.approx(second.timings.total_s, rel=0.01)
    until(lambda: [r.name for r in server.residents()] == [SMALL])


def test_an_error_is_in_no_summary(there: RecordedServer) -> None:
    from griptape.memory.structure import SummaryConversationMemory

    def answer(request: Request) -> Answer:
        asked = request.json["messages"][-1]["content"]
        if asked == "lost":
            return BOOM
        return chat(chunk("in short" if "summar" in asked.lower() else "ok"), final())

    there.routes["/api/chat"] = answer
    mine = SummaryConversationMemory(offset=0, prompt_driver=driver(there.url, MODEL))
    asked = agent(there, mine)
    lw.run(asked, "one")
    assert (mine.summary, mine.summary_index) == ("in short", 1)
    there.requests.clear()
    with pytest.raises(FAULTS, match="boom"):
        lw.run(asked, "lost")
    assert len(there.asked("/api/chat")) == 1, "no summary was asked for"
    assert (mine.summary, mine.summary_index, turns(mine)) == ("in short", 1, [("one", "ok")])
    lw.run(asked, "two")
    assert mine.summary_index == 2
    assert "boom" not in json.dumps([r.json for r in there.asked("/api/chat")])


def test_a_summary_that_fails_is_told(there: RecordedServer) -> None:
    from griptape.memory.structure import SummaryConversationMemory

    there.routes["/api/chat"] = lambda request: (
        BOOM if request.json["model"] == "sum:1b" else chat(chunk("ok"), final())
    )
    mine = SummaryConversationMemory(offset=0, prompt_driver=driver(there.url, "sum:1b"))
    run = lw.run(agent(there, mine), "one")
    assert run.answer == "ok"
    assert run.error is None
    assert run.note is not None
    assert run.note == "What its conversation memory asked failed: boom (status code: 500)."
    assert len(there.asked("/api/chat")) == 2
