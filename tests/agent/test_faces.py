"""The faces of a run: iterated, awaited, by callbacks. Who leaves one stops run and server."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import lifecycle_widgets as lw
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.agent.structures.structure_tools import SMALL, STORY, driver, idles, our_threads, until

LONG = {"num_predict": 2000, "temperature": 0}


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    until(lambda: not our_threads(), 5.0)


@pytest.fixture(scope="module")
def server(sandbox: Sandbox) -> Iterator[Server]:
    """The models stay in memory from test to test."""
    yield Server(sandbox.url)
    for resident in Server(sandbox.url).residents():
        Server(sandbox.url).unload(resident.name)


@pytest.fixture
def asked(server: Server) -> Any:
    """An agent that tells a long story."""
    from griptape.structures import Agent

    return Agent(prompt_driver=driver(server.url, options=dict(LONG)))


def is_over(agent: Any, sandbox: Sandbox) -> None:
    """The server has stopped; nothing of it is remembered; the next run works, and at once."""
    assert agent.conversation_memory.runs == []
    agent.task.prompt_driver.options["num_predict"] = 3
    assert lw.run(agent, "Say hello.").answer
    until(lambda: idles(sandbox), 5.0)
    assert len(agent.conversation_memory.runs) == 1


# --- a whole run ----------------------------------------------------------------------------------


def test_all_faces_tell_the_same(asked: Any) -> None:
    asked.task.prompt_driver.options["num_predict"] = 4
    called: list[Any] = []
    texts: list[str] = []
    done: list[Any] = []
    run = lw.StructureRun(
        asked, "Say hello.", on_event=called.append, on_text=texts.append, on_done=done.append
    )
    events = list(run)
    assert events == called
    assert [type(e) for e in events if not isinstance(e, lw.Text)] == [
        lw.StepBegan,
        lw.StepEnded,
        lw.RunEnded,
    ]
    assert events[-1].run is run.wait()
    until(lambda: done)
    assert done == [run.wait()]
    assert "".join(texts) == run.answer == run.wait().answer
    assert "".join(e.text for e in events if isinstance(e, lw.Text)) == run.answer
    assert list(run) == events[-1:], "a run that is over tells its end"

    async def main() -> None:
        events = [event async for event in lw.stream(asked, "Say hello.")]
        assert isinstance(events[-1], lw.RunEnded)
        assert "".join(e.text for e in events if isinstance(e, lw.Text)) == events[-1].run.answer
        ended = await lw.stream(asked, "Say hello.")
        assert ended.timings.output_tokens == 4
        begun = lw.stream(asked, "Say hello.").start()
        assert (await begun).answer == begun.answer
        assert await begun is await begun

    asyncio.run(main())
    assert len(asked.conversation_memory.runs) == 4


def test_a_run_begins_with_the_first_event_that_is_asked_for(asked: Any) -> None:
    run = lw.stream(asked, "Say hello.")
    events = iter(run)
    assert not run.is_started
    assert isinstance(next(events), lw.StepBegan)
    assert run.running
    events.close()  # type: ignore[attr-defined]
    until(lambda: not run.running)
    assert run.wait().stopped


def test_what_went_wrong_is_raised_after_the_last_event(server: Server) -> None:
    from griptape.structures import Agent

    asked = Agent(prompt_driver=driver(server.url, "nobody:1b"))
    seen: list[Any] = []
    with pytest.raises(lw.UnknownModel, match="nobody:1b"):
        seen.extend(lw.stream(asked, "hi", on_event=seen.append))
    assert isinstance(seen[-1], lw.RunEnded)
    assert "nobody:1b" in (seen[-1].run.error or "")

    async def main() -> None:
        with pytest.raises(lw.UnknownModel):
            await lw.stream(asked, "hi")
        with pytest.raises(lw.UnknownModel):
            async for _ in lw.stream(asked, "hi"):
                pass

    asyncio.run(main())


# --- leaving --------------------------------------------------------------------------------------


def test_break(asked: Any, sandbox: Sandbox) -> None:
    run = lw.stream(asked, STORY)
    for event in run:
        if isinstance(event, lw.Text):
            break
    assert run.wait(5).stopped
    assert run.answer
    is_over(asked, sandbox)


def test_an_error_in_the_loop(asked: Any, sandbox: Sandbox) -> None:
    run = lw.stream(asked, STORY)
    try:
        for event in run:
            if isinstance(event, lw.Text):
                raise ZeroDivisionError
    except ZeroDivisionError as kept:  # with its traceback, and the loop in it
        is_over(asked, sandbox)
        assert kept.__traceback__ is not None
    assert run.wait(5).stopped


def test_break_of_an_async_for(asked: Any, sandbox: Sandbox) -> None:
    async def main() -> None:
        run = lw.stream(asked, STORY)
        async for event in run:
            if isinstance(event, lw.Text):
                break
        gc.collect()  # PyPy would need it
        await asyncio.sleep(0.1)
        assert not run.running
        assert run.wait(0).stopped

    asyncio.run(main())
    is_over(asked, sandbox)


def test_aclose(asked: Any, sandbox: Sandbox) -> None:
    async def main() -> None:
        run = lw.stream(asked, STORY)
        events = aiter(run)
        while not isinstance(await anext(events), lw.Text):
            pass
        await events.aclose()  # type: ignore[attr-defined]
        assert not run.running, "it waits for the end"

    asyncio.run(main())
    is_over(asked, sandbox)


@pytest.mark.parametrize("how", ["await", "async for"])
def test_a_cancelled_task(asked: Any, sandbox: Sandbox, how: str) -> None:
    run = lw.stream(asked, STORY)

    async def consume() -> None:
        if how == "await":
            await run
        else:
            async for _ in run:
                pass

    async def main() -> None:
        task = asyncio.create_task(consume())
        while not run.answer:
            await asyncio.sleep(0.01)
        began_s = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - began_s < 0.5
        assert not run.running, "it waits for the end"

    asyncio.run(main())
    assert run.wait(0).stopped
    is_over(asked, sandbox)


def test_wait_for(asked: Any, sandbox: Sandbox) -> None:
    async def main() -> None:
        run = lw.stream(asked, STORY)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(run, 0.7)
        assert not run.running
        short = lw.AgentRun(STORY, model=SMALL, server=sandbox, options=LONG)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(short, 0.3)
        assert not short.running

    asyncio.run(main())
    is_over(asked, sandbox)


def test_the_loop_goes_on_meanwhile(asked: Any) -> None:
    async def main() -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        asked.task.prompt_driver.options["num_predict"] = 20
        run = await lw.stream(asked, STORY)
        ticking.cancel()
        assert ticks > run.timings.total_s / 0.05

    asyncio.run(main())


def test_gather(server: Server) -> None:
    from griptape.structures import Agent

    agents = [Agent(prompt_driver=driver(server.url, options={"num_predict": 3})) for _ in range(3)]

    async def main() -> None:
        runs = await asyncio.gather(*(lw.stream(agent, "hi") for agent in agents))
        assert all(run.answer for run in runs)

    asyncio.run(main())


def test_an_interrupt(asked: Any, sandbox: Sandbox) -> None:
    def press(piece: str) -> None:
        if len(pieces) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        pieces.append(piece)

    pieces: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        lw.run(asked, STORY, on_text=press)
    assert len(pieces) < 100
    is_over(asked, sandbox)
    pieces.clear()
    asked.conversation_memory.runs.clear()
    asked.task.prompt_driver.options["num_predict"] = 2000
    texts = (event.text for event in lw.stream(asked, STORY) if isinstance(event, lw.Text))
    with pytest.raises(KeyboardInterrupt):
        list(map(press, texts))
    texts.close()
    is_over(asked, sandbox)


def test_an_interrupt_of_a_wait_stops_it(asked: Any, sandbox: Sandbox) -> None:
    run = lw.StructureRun(asked, STORY).start()
    until(lambda: run.answer)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        run.wait()
    assert run.wait(5).stopped
    is_over(asked, sandbox)


def test_timeout_s(asked: Any, sandbox: Sandbox) -> None:
    with pytest.raises(lw.RunTimedOut, match=r"longer than timeout_s = 0.8 s") as failed:
        lw.run(asked, STORY, timeout_s=0.8)
    assert isinstance(failed.value, TimeoutError)
    kept = failed.value.run
    assert kept is not None
    assert kept.answer
    assert kept.error == str(failed.value)
    assert kept.timings.total_s == pytest.approx(0.8, abs=0.4)
    is_over(asked, sandbox)


def test_more_time_than_there_is(asked: Any) -> None:
    asked.task.prompt_driver.options["num_predict"] = 3
    assert lw.run(asked, "hi", timeout_s=float("inf")).answer


def test_stopped_before_its_time_is_up_is_stopped(asked: Any) -> None:
    run = lw.StructureRun(asked, STORY, timeout_s=0.5).start()
    run.stop()
    assert run.wait(5).stopped
    time.sleep(0.6)
    assert run.wait(0).error is None


@pytest.mark.parametrize("given", [0, -1, "5", True, float("nan")])
def test_a_time_limit_that_is_none(asked: Any, given: Any) -> None:
    with pytest.raises(ValueError, match="timeout_s"):
        lw.stream(asked, "hi", timeout_s=given)


@pytest.mark.parametrize(
    "leave", [lambda run: run.stop(), lambda run: run.stop() or run.wait(5)], ids=["stop", "wait"]
)
def test_the_next_run_need_not_wait_for_the_one_that_was_stopped(
    asked: Any, sandbox: Sandbox, leave: Callable[[Any], Any]
) -> None:
    run = lw.StructureRun(asked, STORY).start()
    until(lambda: run.answer)
    leave(run)
    is_over(asked, sandbox)
