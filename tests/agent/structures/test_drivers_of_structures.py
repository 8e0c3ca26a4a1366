"""A person's drivers, of whatever make: what is sent is theirs, and they stay untouched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structure_tools import driver, pipeline, short, task

import lifecycle_widgets as lw
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.agent.hold.embedder import EMBEDDER, make_embedder
from tests.griptape_tools import CLOCK, clock
from tests.recorded import Answer, RecordedServer, Request, chat, chunk, final, ollama
from tests.scripted import SMALL

MODEL = "tiny:1b"
VECTOR = [0.5, 0.25]


def embedded(_: Request) -> Any:
    """What /api/embeddings answers, a little later (several are then asked at once)."""
    return Answer({"embedding": VECTOR}, delay_s=0.02)


@pytest.fixture
def there() -> Iterator[RecordedServer]:
    routes = ollama(chat=chat(chunk("Hel"), chunk("lo"), final()), embeddings=embedded)
    with RecordedServer(routes) as server:
        yield server


def bodies(there: RecordedServer, path: str = "/api/chat") -> list[dict[str, Any]]:
    """What was sent."""
    return [request.json for request in there.asked(path)]


# --- what is sent -------------------------------------------------------------------------------


def plain_and_ours(there: RecordedServer, make: Any, *args: Any) -> tuple[Any, Any]:
    """What griptape sends of itself, and in our run."""
    make().run(*args)
    [plain] = bodies(there)
    there.requests.clear()
    lw.run(make(), *args)
    [ours] = bodies(there)
    return plain, ours


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"stream": True},
        {"max_tokens": 7, "temperature": 0.5},
        {"options": {"num_ctx": 512}},
        {"extra_params": {"keep_alive": "7m", "think": False}},
        {"extra_params": {"options": {"seed": 3}}, "max_attempts": 5},
    ],
)
def test_nothing_is_sent_that_nobody_chose(there: RecordedServer, more: dict[str, Any]) -> None:
    from griptape.rules import Rule
    from griptape.structures import Agent

    def made() -> Any:
        its = driver(there.url, MODEL, **more)
        return Agent(prompt_driver=its, tools=[clock()], rules=[Rule("Be brief.")])

    plain, ours = plain_and_ours(there, made, "Say hello.")
    assert ours.pop("stream") is True
    plain.pop("stream")
    if "keep_alive" in plain:
        assert KeepAlive(plain.pop("keep_alive")).to_json() == ours.pop("keep_alive") == 420
    assert ours == plain


def test_an_image_is_sent(there: RecordedServer) -> None:
    from griptape.artifacts import ImageArtifact, ListArtifact, TextArtifact
    from griptape.structures import Agent

    image = ImageArtifact(b"pixels", format="png", width=1, height=1)
    for given in (["{{ What }}?", image], ListArtifact([TextArtifact("{{ What }}?"), image])):
        there.requests.clear()
        run = lw.run(Agent(prompt_driver=driver(there.url, MODEL)), given)
        [message] = bodies(there)[0]["messages"]
        assert message == {"role": "user", "content": "{{ What }}?", "images": [image.base64]}
        assert "{{ What }}?" in run.prompt
        assert "pixels" not in run.prompt


def test_a_chosen_keep_alive_goes_with_each_request(there: RecordedServer) -> None:
    calls = [{"function": CLOCK}]
    answers = iter([chat(chunk(tool_calls=calls), final()), chat(chunk("noon"), final())])
    there.routes["/api/chat"] = lambda _: next(answers)
    from griptape.structures import Agent

    its = driver(there.url, MODEL, extra_params={"keep_alive": "7m"})
    asked = Agent(prompt_driver=its, tools=[clock()])
    lw.run(asked, "hi", keep_alive=0, hold=False)
    assert [body["keep_alive"] for body in bodies(there)] == [0, 0]
    assert its.extra_params == {"keep_alive": "7m"}


# --- how a driver can be made -------------------------------------------------------------------


def test_a_key_and_headers() -> None:
    from griptape.structures import Agent

    needs = {"Authorization": "Bearer secret", "X-Team": "blue"}
    with RecordedServer(ollama(), needs=needs) as there:
        its = driver(there.url, MODEL, headers={"X-Team": "blue"}, api_key="secret")
        run = lw.run(Agent(prompt_driver=its), "hi")
        assert run.answer == "Hello"
        assert "secret" not in repr(run)
        wrong = driver(there.url, MODEL, headers={"X-Team": "blue"}, api_key="guess")
        with pytest.raises(lw.ServerError, match="401") as refused:
            lw.run(Agent(prompt_driver=wrong), "hi")
        assert "guess" not in str(refused.value)


def test_an_ollama_client_of_their_own() -> None:
    import ollama as ollama_python
    from griptape.structures import Agent

    needs = {"Authorization": "Bearer secret"}
    with RecordedServer(ollama(), needs=needs) as there:
        client = ollama_python.Client(host=there.url, headers=dict(needs))
        its = driver("", MODEL, client=client, stream=True)
        assert lw.run(Agent(prompt_driver=its), "hi").answer == "Hello"
        assert its.client is client
        assert its.run(_text("hi")).to_text() == "Hello"  # theirs still asks by it


def test_a_driver_that_names_no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    from griptape.structures import Agent

    with RecordedServer(ollama(), needs={"Authorization": "Bearer secret"}) as there:
        monkeypatch.setenv("OLLAMA_HOST", there.url)
        monkeypatch.delenv("OLLAMA_API_KEY", raising=False)
        its = driver(None, MODEL, headers={"Authorization": "Bearer secret"})  # type: ignore[arg-type]
        run = lw.run(Agent(prompt_driver=its), "hi")
        assert (run.answer, run.server_url) == ("Hello", there.url)
    with RecordedServer(ollama()) as there:
        monkeypatch.setenv("OLLAMA_HOST", there.url)
        run = lw.run(Agent(prompt_driver=driver(None, MODEL)), "hi")  # type: ignore[arg-type]
        assert (run.answer, run.server_url) == ("Hello", there.url)


def _text(value: str) -> Any:
    from griptape.artifacts import TextArtifact

    return TextArtifact(value)


def test_a_driver_of_their_own_make(there: RecordedServer) -> None:
    from griptape.drivers.prompt.ollama import OllamaPromptDriver
    from griptape.structures import Agent

    class Loud(OllamaPromptDriver):  # type: ignore[misc]
        asked: int = 0

        def _base_params(self, prompt_stack: Any) -> Any:
            Loud.asked += 1
            params = super()._base_params(prompt_stack)
            params["messages"][-1]["content"] += "!"
            return params

        def try_stream(self, prompt_stack: Any) -> Any:
            for delta in super().try_stream(prompt_stack):
                if delta.content is not None:
                    delta.content.text = delta.content.text.upper()
                yield delta

    its = Loud(model=MODEL, host=there.url, stream=True)
    asked = Agent(prompt_driver=its)
    run = lw.run(asked, "hi")
    assert asked.output.value == run.answer == "HELLO"
    assert bodies(there)[0]["messages"][-1]["content"] == "hi!"
    assert type(its) is Loud
    assert Loud.asked == 1


def test_a_driver_that_answers_in_one_piece_by_code_of_its_own(there: RecordedServer) -> None:
    from griptape.drivers.prompt.ollama import OllamaPromptDriver
    from griptape.events import EventListener, FinishPromptEvent
    from griptape.structures import Agent

    class Whole(OllamaPromptDriver):  # type: ignore[misc]
        def try_run(self, prompt_stack: Any) -> Any:
            message = super().try_run(prompt_stack)
            message.content[0].artifact.value += ", all at once"
            return message

    there.routes["/api/chat"] = final(message={"role": "assistant", "content": "Hello"})
    asked = Agent(prompt_driver=Whole(model=MODEL, host=there.url))
    heard: list[Any] = []
    with EventListener(heard.append, event_types=[FinishPromptEvent]):
        run = lw.run(asked, "hi")
    assert run.answer == "Hello, all at once"
    [step] = run.steps
    assert (step.text, step.timings.output_tokens) == ("Hello", 8)
    assert [(e.input_token_count, e.output_token_count) for e in heard] == [(3, 8)]


def test_a_run_of_such_a_driver_is_stopped_and_can_fail(
    there: RecordedServer, sandbox: Sandbox
) -> None:
    from griptape.drivers.prompt.ollama import OllamaPromptDriver
    from griptape.structures import Agent

    class Whole(OllamaPromptDriver):  # type: ignore[misc]
        def try_run(self, prompt_stack: Any) -> Any:
            return super().try_run(prompt_stack)

    there.routes["/api/chat"] = Answer({}, delay_s=30)
    asked = Agent(prompt_driver=Whole(model=MODEL, host=there.url))
    run = lw.StructureRun(asked, "hi").start()
    while not there.asked("/api/chat"):
        time.sleep(0.01)
    run.stop()
    ended = run.wait(5)
    assert (ended.stopped, ended.error, len(ended.steps)) == (True, None, 1)
    assert run.settle(5)
    there.routes["/api/chat"] = Answer({"error": "boom"}, 500)
    with pytest.raises(lw.ServerError, match="boom"):
        lw.run(asked, "hi")
    assert len(there.asked("/api/chat")) == 2, "not asked twice"
    assert asked.conversation_memory.runs == []


# --- one driver for several -----------------------------------------------------------------------


def test_a_driver_that_tasks_share(server: Server) -> None:
    its = short(server.url)
    two = pipeline(its, its)
    run = lw.run(two, "hi")
    assert [step.task for step in run.steps] == ["draft", "review"]
    assert all(one.prompt_driver is its for one in two.tasks)
    assert its._client is None


def test_a_driver_that_two_structures_share_which_run_at_once(server: Server) -> None:
    from griptape.structures import Agent

    its = short(server.url)
    agents = [Agent(prompt_driver=its) for _ in range(3)]
    heard: list[list[str]] = [[] for _ in agents]
    runs = [
        lw.StructureRun(agent, f"Say {n}.", keep_alive=f"{n + 3}m", on_text=heard[n].append)
        for n, agent in enumerate(agents)
    ]
    for run in runs:
        run.start()
    done = [run.wait(60) for run in runs]
    for n, run in enumerate(done):
        assert run.answer == "".join(heard[n]) == agents[n].output.to_text() != ""
        assert [str(step.keep_alive) for step in run.steps] == [f"{n + 3}m"]
    assert its.extra_params == {}
    assert its._client is None
    alone = Agent(prompt_driver=its)
    assert alone.run("hi").output.to_text(), "griptape alone still asks by it"


# --- embeddings -----------------------------------------------------------------------------------


def _searching(url: str) -> tuple[Any, Any]:
    """A tool that looks things up in a vector store by a RAG engine, and its embedding driver."""
    from griptape.drivers.embedding.ollama import OllamaEmbeddingDriver
    from griptape.drivers.vector.local import LocalVectorStoreDriver
    from griptape.engines.rag import RagEngine
    from griptape.engines.rag.modules import (
        TextChunksResponseRagModule,
        VectorStoreRetrievalRagModule,
    )
    from griptape.engines.rag.stages import ResponseRagStage, RetrievalRagStage
    from griptape.tools import RagTool

    embedding = OllamaEmbeddingDriver(model="embed:1b", host=url)
    store = LocalVectorStoreDriver(embedding_driver=embedding)
    store.upsert(_text("Noon is at twelve."), namespace="facts")
    module = VectorStoreRetrievalRagModule(
        vector_store_driver=store, query_params={"namespace": "facts", "count": 1}
    )
    engine = RagEngine(
        retrieval_stage=RetrievalRagStage(retrieval_modules=[module]),
        response_stage=ResponseRagStage(response_modules=[TextChunksResponseRagModule()]),
    )
    return RagTool(description="Knows facts", rag_engine=engine), embedding


def test_an_embedding_driver_deep_in_a_tool(there: RecordedServer) -> None:
    from griptape.structures import Agent

    tool, embedding = _searching(there.url)
    there.requests.clear()
    call = {"function": {"name": "RagTool_search", "arguments": {"query": "noon"}}}
    answers = iter([chat(chunk(tool_calls=[call]), final()), chat(chunk("twelve"), final())])
    there.routes["/api/chat"] = lambda _: next(answers)
    asked = Agent(prompt_driver=driver(there.url, MODEL), tools=[tool])
    client = embedding._client
    run = lw.run(asked, "When is noon?", keep_alive={"embed:1b": "3m"})
    assert run.answer == "twelve"
    assert run.note is None
    [sent] = bodies(there, "/api/embeddings")
    assert sent == {"model": "embed:1b", "prompt": "noon", "keep_alive": 180}
    assert [(step.kind, step.model) for step in run.steps] == [
        ("chat", MODEL),
        ("embed", "embed:1b"),
        ("chat", MODEL),
    ]
    assert {step.task for step in run.steps} == {asked.task.id}
    assert embedding._client is client
    assert all("keep_alive" not in body for body in bodies(there))


def _looks_up(embedding: Any) -> Any:
    """A task that is no prompt task, and asks for an embedding."""
    from griptape.tasks import CodeExecutionTask

    code = CodeExecutionTask(id="look", on_run=lambda it: _text(str(len(it.embedding.embed("x")))))
    code.embedding = embedding
    return code


@pytest.mark.slow
def test_an_embedding_on_a_real_ollama(box: Sandbox, tmp_path: Path) -> None:
    from griptape.drivers.embedding.ollama import OllamaEmbeddingDriver
    from griptape.structures import Pipeline

    make_embedder(Server(box.url), tmp_path)
    embedding = OllamaEmbeddingDriver(model=EMBEDDER, host=box.url)
    code, first = _looks_up(embedding), task("{{ args[0] }}", short(box.url), "ask")
    run = lw.run(Pipeline(tasks=[code, first]), "hi", keep_alive="2m")
    assert [(step.kind, step.task) for step in run.steps] == [("embed", "look"), ("chat", "ask")]
    assert [str(step.keep_alive) for step in run.steps] == ["2m", "2m"]
    assert run.keep_alives == {EMBEDDER: "2m", SMALL: "2m"}
    assert run.parts["embeddings"] > 0
    assert sum(run.parts.values()) == pytest.approx(run.timings.total_s, rel=0.01)
    assert code.embedding is embedding
    assert int(code.output.to_text()) > 100
    resident = Server(box.url).resident(EMBEDDER)
    assert resident is not None
    assert 100 < (resident.expires_in_s() or 0) <= 120


def test_an_embedding_that_fails_is_not_asked_for_twice(there: RecordedServer) -> None:
    from griptape.drivers.embedding.ollama import OllamaEmbeddingDriver
    from griptape.structures import Pipeline

    there.routes["/api/embeddings"] = Answer({"error": "this model does not embed"}, 500)
    embedding = OllamaEmbeddingDriver(model="embed:1b", host=there.url, max_attempts=5)
    code, first = _looks_up(embedding), task("{{ args[0] }}", driver(there.url, MODEL), "ask")
    with pytest.raises((lw.ServerError, lw.RunFailed), match="does not embed"):
        lw.run(Pipeline(tasks=[code, first]), "hi")
    assert len(there.asked("/api/embeddings")) == 1
    assert embedding.max_attempts == 5


def test_a_store_with_many_vectors_is_not_looked_through(there: RecordedServer) -> None:
    from griptape.structures import Agent

    tool, _ = _searching(there.url)
    [module] = tool.rag_engine.retrieval_stage.retrieval_modules
    [entry] = module.vector_store_driver.entries.values()
    entry.vector.extend([0.0] * 2_000_000)
    tool.numbers = [0.0] * 2_000_000
    asked = Agent(prompt_driver=driver(there.url, MODEL), tools=[tool])
    began_s = time.monotonic()
    run = lw.StructureRun(asked, "hi")
    assert time.monotonic() - began_s < 0.1
    assert not run.is_started


def test_drivers_of_several_servers(there: RecordedServer) -> None:
    with RecordedServer(ollama(chat=chat(chunk("Good"), chunk("bye"), final()))) as other:
        two = pipeline(driver(there.url, MODEL), driver(other.url, MODEL))
        run = lw.run(two, "hi")
        assert [step.text for step in run.steps] == ["Hello", "Goodbye"]
        assert (run.answer, run.server_url) == ("Goodbye", other.url)
        there.routes["/api/chat"] = Answer({"error": "boom"}, 500)
        with pytest.raises(lw.ServerError, match="boom") as failed:
            lw.run(two, "hi")
        assert there.url in str(failed.value)


def test_a_structure_that_a_task_makes_is_said_not_to_be_measured(there: RecordedServer) -> None:
    from griptape.drivers.structure_run.local import LocalStructureRunDriver
    from griptape.structures import Agent, Pipeline
    from griptape.tasks import StructureRunTask

    def made() -> Any:
        return Agent(prompt_driver=driver(there.url, MODEL, stream=True))

    within = StructureRunTask(structure_run_driver=LocalStructureRunDriver(create_structure=made))
    first = task("{{ args[0] }}", driver(there.url, MODEL), "first")
    run = lw.run(Pipeline(tasks=[first, within]), "{{ x }}")
    assert run.answer == "Hello"
    assert len(run.steps) == 1
    assert len(there.asked("/api/chat")) == 2
    assert (
        run.note
        == "What LocalStructureRunDriver asked is not measured: it is no driver of Ollama's."
    )
