"""A structure is given back as it was: whatever happened, only what griptape fills is changed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from structure_tools import driver, task, until

import lifecycle_widgets as lw
from tests.griptape_tools import CLOCK, clock
from tests.recorded import Answer, RecordedServer, Request, chat, chunk, final, ollama

MODEL = "tiny:1b"
PLAIN = (str, bytes, int, float, bool, type(None), type)
Make = Callable[[str], Any]


# --- structures with all that they can have -------------------------------------------------------


def agent(url: str) -> Any:
    from griptape.memory.structure import SummaryConversationMemory
    from griptape.rules import Rule
    from griptape.structures import Agent

    summing = driver(url, MODEL, stream=True, max_attempts=1)
    memory = SummaryConversationMemory(offset=0, prompt_driver=summing)
    return Agent(
        prompt_driver=driver(
            url, MODEL, stream=True, max_attempts=1, extra_params={"keep_alive": "9m"}
        ),
        tools=[_knowing(url), clock(0.05)],
        rules=[Rule("Be brief.")],
        conversation_memory=memory,
        on_after_run=lambda _: None,
    )


def _knowing(url: str) -> Any:
    """A tool that asks for embeddings, deep inside."""
    from griptape.drivers.embedding.ollama import OllamaEmbeddingDriver
    from griptape.drivers.vector.local import LocalVectorStoreDriver
    from griptape.tools import VectorStoreTool

    embedding = OllamaEmbeddingDriver(model="embed:1b", host=url)
    store = LocalVectorStoreDriver(embedding_driver=embedding)
    return VectorStoreTool(description="Knows facts", vector_store_driver=store)


def alone(url: str) -> Any:
    return task("{{ args[0] }}", driver(url, MODEL, stream=True, max_attempts=1), "alone")


def pipeline(url: str) -> Any:
    from griptape.structures import Pipeline
    from griptape.tasks import PromptTask

    shared = driver(url, MODEL, stream=True, max_attempts=1)
    # the first takes what `run` is given, and would run it as a template
    first = PromptTask(prompt_driver=shared, id="draft", tools=[clock(0.05)])
    return Pipeline(tasks=[first, task("Review: {{ parent_output }}", shared, "review")])


def workflow(url: str) -> Any:
    from griptape.structures import Workflow

    shared = driver(url, MODEL, stream=True, max_attempts=1)
    join = task("{{ parents_output_text }}", shared, "join", parent_ids=["a", "b"])
    return Workflow(tasks=[task("A", shared, "a"), task("B", shared, "b"), join])


KINDS: list[Make] = [agent, alone, pipeline, workflow]


# --- what they are made of ------------------------------------------------------------------------


class Things:
    """Every field of every thing that a structure is made of, by its path."""

    def __init__(self, structure: Any) -> None:
        self._of: dict[str, Any] = {}
        self._seen: set[int] = set()
        self._look(structure, "")

    def _look(self, thing: Any, path: str) -> None:
        self._of[path] = (thing, *thing) if isinstance(thing, (list, dict)) else (thing,)
        if isinstance(thing, PLAIN) or callable(thing) or id(thing) in self._seen:
            return
        self._seen.add(id(thing))
        for name, value in _parts(thing):
            if name not in ("structure", "_origin_task"):  # which lead back
                self._look(value, f"{path}.{name}")

    def changed_in(self, later: Things) -> set[str]:
        """The paths where something else is now."""
        paths = self._of.keys() | later._of.keys()
        return {
            _ours_or_griptapes(p) for p in paths if not _same(self._of.get(p), later._of.get(p))
        }


def _parts(thing: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(thing, dict):
        yield from thing.items()
    elif isinstance(thing, (list, tuple)):
        yield from enumerate(thing)
    elif hasattr(type(thing), "__attrs_attrs__"):
        fields = [one.name for one in type(thing).__attrs_attrs__]
        for name in {*fields, *getattr(thing, "__dict__", ())}:
            yield name, getattr(thing, name, None)


def _same(one: Any, other: Any) -> bool:
    if one is None or other is None or len(one) != len(other):
        return False
    # a list's parts one by one; what is plain by its value
    return all(a is b or (isinstance(a, PLAIN) and a == b) for a, b in zip(one, other, strict=True))


def _ours_or_griptapes(path: str) -> str:
    """The field; what griptape puts into its own is one with it."""
    for filled in (".subtasks", ".runs", ".output", "._client"):
        if filled in path:
            return path[: path.index(filled) + len(filled)]
    return path


# --- and what may happen to them ------------------------------------------------------------------


def answers(request: Request) -> Any:
    """A tool is called where there is one, and then there is a text."""
    asked = request.json
    if asked.get("tools") and asked["messages"][-1]["role"] != "tool":
        return chat(chunk("Hm."), chunk(tool_calls=[{"function": CLOCK}]), final())
    return chat(chunk("noon"), final())


@pytest.fixture
def there() -> Iterator[RecordedServer]:
    with RecordedServer(ollama(chat=answers, embeddings={"embedding": [0.5]})) as server:
        yield server


@cache
def griptape_changes(make: Make) -> frozenset[str]:
    """What griptape alone leaves changed, when all goes well and when it does not."""
    changed: set[str] = set()
    for route in (answers, Answer({"error": "boom"}, 500)):
        with RecordedServer(ollama(chat=route)) as there:
            structure = make(there.url)
            before = Things(structure)
            structure.run("hi")
            changed |= before.changed_in(Things(structure))
    return frozenset(changed)


def goes_well(structure: Any, there: RecordedServer) -> None:
    assert lw.run(structure, "hi {{ x }}", keep_alive="3m").answer


def fails(structure: Any, there: RecordedServer) -> None:
    there.routes["/api/chat"] = Answer({"error": "boom"}, 500)
    with pytest.raises(lw.ServerError, match="boom"):
        lw.run(structure, "hi", keep_alive="3m")


def breaks_off(structure: Any, there: RecordedServer) -> None:
    there.routes["/api/chat"] = chat(chunk("half"), cut=True)
    with pytest.raises(lw.RunFailed, match="went away"):
        lw.run(structure, "hi", keep_alive="3m")


def is_stopped(structure: Any, there: RecordedServer) -> None:
    there.routes["/api/chat"] = chat(*[chunk("on ")] * 500, final())
    run = lw.StructureRun(structure, "hi", keep_alive="3m").start()
    until(lambda: run.asked and there.asked("/api/chat"))
    run.stop()
    assert run.wait(5).stopped
    assert run.settle(5)


def is_stopped_before(structure: Any, there: RecordedServer) -> None:
    run = lw.StructureRun(structure, "hi")
    run.stop()
    assert run.start().wait(5).stopped
    assert run.settle(5)


def takes_too_long(structure: Any, there: RecordedServer) -> None:
    there.routes["/api/chat"] = Answer({}, delay_s=30)
    run = lw.StructureRun(structure, "hi", timeout_s=0.2).start()
    with pytest.raises(lw.RunTimedOut):
        run.wait(5)
    assert run.settle(5)


def function_raises(structure: Any, there: RecordedServer) -> None:
    def fail(event: Any) -> None:
        if isinstance(event, lw.StepEnded):
            raise ValueError("mine")

    with pytest.raises(lw.RunFailed, match="mine"):
        lw.run(structure, "hi", on_event=fail)


def its_thread_is_killed(structure: Any, there: RecordedServer) -> None:
    """By somebody's code in it; what comes from outside can hit Python's own locks half-way."""
    from griptape.events import EventListener, StartPromptEvent

    def leave(_: StartPromptEvent) -> None:
        sys.exit("enough")

    there.routes["/api/chat"] = answers
    with EventListener(leave, event_types=[StartPromptEvent]), pytest.raises(lw.RunFailed) as told:
        lw.run(structure, "hi")
    assert "enough" in str(told.value)


@pytest.mark.parametrize(
    "happens",
    [
        goes_well,
        fails,
        breaks_off,
        is_stopped,
        is_stopped_before,
        takes_too_long,
        function_raises,
        its_thread_is_killed,
    ],
)
@pytest.mark.parametrize("make", KINDS)
def test_it_is_given_back_as_it_was(
    make: Make, happens: Callable[[Any, RecordedServer], None], there: RecordedServer
) -> None:
    allowed = griptape_changes(make)
    structure = make(there.url)
    before = Things(structure)
    happens(structure, there)
    assert before.changed_in(Things(structure)) <= allowed
    there.routes["/api/chat"] = answers
    assert lw.run(structure, "again").answer == "noon"


def test_the_test_would_see_a_change(there: RecordedServer) -> None:
    structure = agent(there.url)
    its = structure.tasks[0]
    before = Things(structure)
    its.prompt_driver.extra_params["keep_alive"] = 6
    its.tools[0].vector_store_driver.embedding_driver.max_attempts = 9
    structure.conversation_memory.prompt_driver = driver(there.url, MODEL)
    changed = before.changed_in(Things(structure))
    assert any(path.endswith("extra_params.keep_alive") for path in changed)
    assert any(path.endswith("embedding_driver.max_attempts") for path in changed)
    assert ".conversation_memory.prompt_driver" in changed


def test_what_a_person_changes_during_the_run_stays_changed(there: RecordedServer) -> None:
    from griptape.structures import Agent

    new = driver(there.url, "tiny:1b", stream=True)
    asked = Agent(prompt_driver=driver(there.url, MODEL))

    def change(event: Any) -> None:
        if isinstance(event, lw.StepBegan):
            asked.task.prompt_driver = new

    lw.run(asked, "hi", on_event=change)
    assert asked.task.prompt_driver is new


def test_two_runs_at_once_on_one_agent(there: RecordedServer) -> None:
    from griptape.structures import Agent

    asked = Agent(prompt_driver=driver(there.url, MODEL, stream=True), tools=[clock(0.3)])
    run = lw.StructureRun(asked, "one").start()
    with pytest.raises(RuntimeError, match="Agent, or a tool of it, is in another run"):
        lw.run(asked, "two")
    with pytest.raises(RuntimeError, match="PromptTask"):
        lw.run(asked.task)
    waiting = lw.StructureRun(asked, "three")
    assert run.wait(20).answer == "noon"
    assert waiting.start().wait(20).answer == "noon", "it was made while the first one ran"
    assert [turn.input.value for turn in asked.conversation_memory.runs] == ["one", "three"]
    assert asked.run("four").output.value == "noon"


def test_one_run_after_the_other_needs_no_pause(there: RecordedServer) -> None:
    from griptape.structures import Agent

    asked = Agent(prompt_driver=driver(there.url, MODEL, stream=True))
    for _ in range(20):
        lw.run(asked, "hi")
    for _ in range(10):
        for _ in lw.stream(asked, "hi"):
            break


def test_griptapes_own_run_at_the_same_time(there: RecordedServer) -> None:
    from griptape.structures import Agent

    asked = Agent(prompt_driver=driver(there.url, MODEL, stream=True), tools=[clock(0.4)])
    theirs = threading.Thread(target=asked.run, args=("one",))
    theirs.start()
    until(lambda: there.asked("/api/chat"))
    with pytest.raises(RuntimeError, match="in another run"):
        lw.run(asked, "two")
    theirs.join(10)
    assert lw.run(asked, "two").answer == "noon"
