"""A run always ends, and whoever waits is told why: whatever kills its thread, or the answer."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lifecycle_widgets.agent import AgentRun, RunFailed, run_agent
from lifecycle_widgets.runs import Run
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import NotTold, Server, ServerError, ServerUnreachable, UnknownModel
from tests.recorded import Answer, RecordedServer, chat, chunk, final, ollama

MODEL = "tiny:1b"
CALL = {"function": {"name": "nameless", "arguments": {}}}
OURS = (RunFailed, ServerError, ServerUnreachable, UnknownModel)
PAGE = b"<html><head><title>504 Gateway Time-out</title></head>" + b"<p>sorry</p>" * 300


def until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def recorded() -> Iterator[RecordedServer]:
    with RecordedServer(ollama(chat=chat(chunk("kept "), chunk("too"), final()))) as server:
        yield server


# --- the server ---------------------------------------------------------------------------------


def test_an_address_and_a_sandbox_are_servers_too(sandbox: Sandbox, server: Server) -> None:
    for given in (sandbox.url, sandbox, server, None):
        run = run_agent("Hi", model="smollm2:135m", server=given, options={"num_predict": 2})
        assert run.server_url == server.url


@pytest.mark.parametrize("given", ["localhost:99999", "http://[::1", "ftp://x:y"])
def test_an_address_that_is_none_is_told_at_once(given: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        AgentRun("Hi", model=MODEL, server=given)


@pytest.mark.parametrize("given", [5, object(), ["localhost"]])
def test_what_is_no_server_is_told_at_once(given: Any) -> None:
    with pytest.raises(TypeError, match="Give a Server, an address"):
        AgentRun("Hi", model=MODEL, server=given)


# --- what can go wrong in the thread --------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [ZeroDivisionError("oh"), SystemExit(3), KeyboardInterrupt(), MemoryError(), ValueError],
)
@pytest.mark.parametrize("where", ["on_text", "on_thinking"])
def test_a_function_that_raises_ends_the_run_and_is_named(where: str, fault: Any) -> None:
    def fail(_: str) -> None:
        raise fault

    answer = chat(chunk(thinking="hm"), chunk("kept"), chunk("lost"), final())
    with RecordedServer(ollama(chat=answer)) as recorded:
        run = AgentRun("Hi", model=MODEL, server=recorded.url, **{where: fail})  # type: ignore[arg-type]
        with pytest.raises(RunFailed, match=f"ended by {where}, which raised \\w+") as failed:
            run.start().wait(20)
    kept = failed.value.run
    assert kept is not None
    assert kept.thinking == "hm"
    assert kept.answer == ("kept" if where == "on_text" else "")
    assert kept.error == str(failed.value)


def test_an_on_done_that_raises_holds_up_nobody(
    recorded: RecordedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", said.append)
    run = AgentRun("Hi", model=MODEL, server=recorded.url, on_done=lambda _: 1 / 0)  # type: ignore[arg-type,return-value]
    assert run.start().wait(20).answer == "kept too"
    until(lambda: said)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, MemoryError, RuntimeError])
def test_whatever_kills_the_thread_is_told(kind: type[BaseException]) -> None:
    done: list[Run] = []
    slow = chat(chunk("kept"), *[chunk(" on")] * 200, final(), pause_s=0.05)
    with RecordedServer(ollama(chat=slow)) as recorded:
        run = AgentRun("Hi", model=MODEL, server=recorded.url, on_done=done.append).start()
        until(lambda: run.answer)
        [thread] = [t for t in threading.enumerate() if t.name == "lifecycle-agent-run"]
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(kind)
        )
        with pytest.raises(RunFailed, match=r"The run failed|memory of this process") as failed:
            run.wait(20)
    until(lambda: done)
    assert failed.value.run is done[0]
    assert done[0].answer.startswith("kept")
    assert not run.running


def test_waiting_for_what_was_never_started_and_starting_twice(recorded: RecordedServer) -> None:
    run = AgentRun("Hi", model=MODEL, server=recorded.url)
    with pytest.raises(RuntimeError, match="was not started"):
        run.wait()
    run.start().wait(20)
    with pytest.raises(RuntimeError, match="was started before"):
        run.start()


# --- what a server can send -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces", "match"),
    [
        ([chunk("kept")], "went away in the middle of the answer .*final chunk"),
        ([chunk("kept"), {"error": "boom"}], r"middle of its answer \(boom\)"),
        ([chunk("kept"), {"error": {"message": "boom"}}], r"middle of its answer \(boom\)"),
        ([chunk("kept"), {"error": ["boom"]}], r"middle of its answer \(\[\"boom"),
        ([chunk("kept"), {"error": "5"}], r"middle of its answer \(5\)"),
        (
            [chunk("kept"), chunk(tool_calls=[CALL]), final()],
            "called a tool in a form that griptape",
        ),
        ([chunk("kept"), PAGE.decode()], "is no answer to a prompt .*504 Gateway"),
        ([chunk("kept"), '{"half": '], "is no answer to a prompt"),
        ([chunk("kept"), "[]"], "is no answer to a prompt"),
    ],
)
def test_what_had_arrived_is_kept(pieces: list[Any], match: str) -> None:
    with RecordedServer(ollama(chat=chat(*pieces))) as recorded:
        with pytest.raises(RunFailed, match=match) as failed:
            run_agent("hi", model=MODEL, server=recorded.url)
        assert failed.value.run is not None
        assert failed.value.run.answer == "kept"
        assert len(str(failed.value)) < 400
        assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        (Answer(PAGE, kind="text/html"), "is no answer to a prompt"),
        (Answer(PAGE, 504, "text/html"), "504.*before Ollama gave up waiting"),
        (Answer(PAGE, 502, "text/html"), "502"),
        (Answer({"error": "boom"}, 500), "boom"),
        (Answer({"error": {"message": "boom"}}, 400), "boom"),
        (Answer(b""), "ended before the first token"),
        (Answer([]), "is no answer to a prompt"),
        (chat("", cut=True), "ended before the first token"),
    ],
)
def test_no_answer_at_all_is_one_line(answer: Answer, match: str) -> None:
    with (
        RecordedServer(ollama(chat=answer)) as recorded,
        pytest.raises(OURS, match=match) as failed,
    ):
        run_agent("hi", model=MODEL, server=recorded.url)
    assert "\n" not in str(failed.value)
    assert "<p>" not in str(failed.value)
    assert len(str(failed.value)) < 400


def test_a_server_that_tells_no_residents_still_answers() -> None:
    with RecordedServer(ollama(ps=None, chat=chat(chunk("x"), final()))) as recorded:
        server = Server(recorded.url)
        with pytest.raises(NotTold):
            server.residents()
        run = run_agent("hi", model=MODEL, server=server, keep_alive=0)
    assert (run.answer, run.was_resident) == ("x", None)


def test_a_run_with_keep_alive_zero_is_noted_under_the_name_in_memory(
    sandbox: Sandbox, server: Server
) -> None:
    server.client.copy("smollm2:135m", "mine")
    try:
        server.preload("smollm2:135m", "5m")
        few = {"num_predict": 2}
        run = run_agent("Hi", model="mine", server=server, keep_alive=0, options=few)
        assert run.was_resident
        assert run.model == "mine"
        assert server.zeroed[-1][0] == "smollm2:135m"
        run_agent("Hi", model="SmolLM2:135M", server=server, keep_alive=0, options=few)
        assert server.zeroed[-1][0] == "smollm2:135m"
    finally:
        server.client.delete("mine")


def test_stop_need_not_wait_for_what_comes_before_the_request() -> None:
    """A server whose /api/ps hangs is asked first; Stop ends the run all the same."""
    routes = ollama(ps=Answer({"models": []}, delay_s=8.0))
    with RecordedServer(routes) as recorded:
        run = AgentRun("hi", model="tiny:1b", server=recorded.url).start()
        until(lambda: recorded.asked("/api/ps"))
        began_s = time.monotonic()
        run.stop()
        assert run.wait(5.0).stopped
        assert time.monotonic() - began_s < 2.0
        assert not recorded.asked("/api/chat")
