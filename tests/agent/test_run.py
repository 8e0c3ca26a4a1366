"""AgentRun and run_agent on a real Ollama: answers, traps of the framework, stops and faults."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest

from lifecycle_widgets.agent import AgentRun, RunFailed, run_agent
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server, ServerError, ServerUnreachable, UnknownModel

MODEL = "smollm2:135m"
SHORT = {"num_predict": 12, "temperature": 0}
LONG = {"num_predict": 2000, "temperature": 0}
STORY = "Write a long story about a lighthouse."


def gone(server: Server, model: str = MODEL, timeout_s: float = 5.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while server.resident(model) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def until(condition: object, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    until(lambda: not [t for t in threading.enumerate() if t.name == "lifecycle-agent-run"], 10)


# --- answers ------------------------------------------------------------------------------------


def test_a_run_and_what_it_cost(server: Server) -> None:
    pieces: list[str] = []
    run = run_agent(
        "Say hello.", model=MODEL, keep_alive="1m", server=server, options=SHORT,
        on_text=pieces.append,
    )  # fmt: skip
    assert run.answer == "".join(pieces) != ""
    assert (run.model, run.keep_alive, run.server_url) == (MODEL, KeepAlive("1m"), server.url)
    assert run.error is None
    assert not run.stopped
    assert run.was_resident is False
    assert run.started_at.tzinfo is not None
    t = run.timings
    assert t.output_tokens == 12
    assert t.prompt_tokens
    assert t.load_s
    assert t.ttft_s
    assert t.load_s + (t.prompt_eval_s or 0) <= t.ttft_s + 0.1 <= t.total_s + 0.1
    assert len(run.requests) == 1
    resident = server.resident(MODEL)
    assert resident is not None
    assert 50 < resident.expires_in_s() <= 60
    again = run_agent("Say hello.", model=MODEL, server=server, options=SHORT)
    assert again.was_resident is True
    assert again.timings.load_s is not None
    assert again.timings.load_s < t.load_s / 2


def test_keep_alive_zero_leaves_nothing_in_memory(server: Server) -> None:
    run_agent("Say hello.", model=MODEL, keep_alive=0, server=server, options=SHORT)
    assert gone(server)


def test_no_keep_alive_is_sent_unless_chosen(server: Server) -> None:
    server.preload(MODEL, "2h")
    run_agent("Say hello.", model=MODEL, server=server, options=SHORT)
    until(lambda: (r := server.resident(MODEL)) is not None and r.expires_in_s() > 7000)


@pytest.mark.parametrize(
    "prompt", ["What is {{ 1 + 1 }}?", "{% foo", "{{ args[0] }} {{", "{# lost #} hello", "{%"]
)
def test_templates_in_a_prompt_go_through_verbatim(server: Server, prompt: str) -> None:
    """Seen from outside: the same number of prompt tokens as when Ollama is asked directly."""
    run = run_agent(prompt, model=MODEL, server=server, options=SHORT)
    asked = [{"role": "user", "content": prompt}]
    direct = server.client.chat(MODEL, asked, options={"num_predict": 1})
    assert run.timings.prompt_tokens == direct.prompt_eval_count


def test_two_runs_at_once_do_not_hear_each_other(server: Server) -> None:
    heard: dict[str, list[str]] = {"one": [], "two": []}
    runs = [
        AgentRun(f"Say {n}.", model=MODEL, server=server, options=SHORT, on_text=heard[n].append)
        for n in heard
    ]
    done = [run.wait(60) for run in [run.start() for run in runs]]
    for run, name in zip(done, heard, strict=True):
        assert run.answer == "".join(heard[name])
        assert run.timings.output_tokens == 12


def test_a_persons_own_listeners_and_logger_are_left_alone(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    from griptape.events import EventBus, EventListener

    mine: list[object] = []
    root_handlers = list(logging.getLogger().handlers)
    with EventListener(mine.append):
        listeners = list(EventBus.event_listeners)
        run_agent("Say hello.", model=MODEL, server=server, options=SHORT)
        assert list(EventBus.event_listeners) == listeners
    assert mine == []
    assert logging.getLogger().handlers == root_handlers
    captured = capfd.readouterr()
    assert captured.out + captured.err == "", "griptape printed into the notebook"
    logging.getLogger("griptape").warning("my own agent speaks")
    assert "my own agent speaks" in "".join(capfd.readouterr())


# --- stopping -----------------------------------------------------------------------------------


def test_stop_keeps_what_came_and_the_next_run_works(server: Server) -> None:
    run = AgentRun(STORY, model=MODEL, server=server, options=LONG).start()
    until(lambda: len(run.answer) > 20)
    assert run.running
    assert not run.waiting_for_first_token
    run.stop()
    stopped = run.wait(5)
    assert stopped.stopped
    assert stopped.error is None
    assert len(stopped.answer) > 20
    assert not run.running
    run.stop()  # harmless
    assert run_agent("Hi", model=MODEL, server=server, options=SHORT).timings.output_tokens


def test_stop_during_a_cold_load(server: Server) -> None:
    run = AgentRun(STORY, model="smollm2:135m-f32", server=server, options=LONG).start()
    until(lambda: run.asked is not None)
    time.sleep(0.3)
    assert run.waiting_for_first_token
    run.stop()
    stopped = run.wait(2)
    assert stopped.stopped
    assert stopped.answer == ""
    assert gone(server, "smollm2:135m-f32")


def test_stop_before_it_has_begun(server: Server) -> None:
    run = AgentRun(STORY, model=MODEL, server=server, options=LONG)
    run.stop()
    assert run.start().wait(20).stopped


def test_an_interrupt_stops_the_servers_generating(sandbox: Sandbox, server: Server) -> None:
    code = (
        "import lifecycle_widgets as lw\n"
        f"lw.run_agent({STORY!r}, model={MODEL!r}, server=lw.Server({server.url!r}),\n"
        f"             options={LONG!r}, on_text=lambda t: print('token', flush=True))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "token\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert "Interrupted: the run was stopped" in err
    family = psutil.Process(sandbox.pid).children(recursive=True)
    before = sum(sum(p.cpu_times()[:2]) for p in family)
    time.sleep(0.5)
    assert sum(sum(p.cpu_times()[:2]) for p in family) - before < 0.1


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", ["", "   ", "\n"])
def test_an_empty_prompt(server: Server, prompt: str) -> None:
    with pytest.raises(ValueError, match="prompt is empty"):
        run_agent(prompt, model=MODEL, server=server)


def test_no_model(server: Server) -> None:
    with pytest.raises(ValueError, match="No model is chosen"):
        run_agent("Hi", model="", server=server)


def test_a_keep_alive_that_ollama_would_reject(server: Server) -> None:
    with pytest.raises(ValueError, match="Did you mean '5s' or '5m'"):
        run_agent("Hi", model=MODEL, keep_alive="5", server=server)


def test_an_unknown_model(server: Server) -> None:
    with pytest.raises(UnknownModel, match="Did you mean smollm2:135m"):
        run_agent("Hi", model="smollm:135m", server=server)


def test_nobody_there() -> None:
    with pytest.raises(ServerUnreachable, match="No Ollama answers"):
        run_agent("Hi", model=MODEL, server=Server("127.0.0.1:1"))


def test_an_error_of_the_server(server: Server) -> None:
    with pytest.raises(ServerError, match="penalty_repeat"):
        run_agent("Hi", model=MODEL, server=server, options={"repeat_penalty": 0})


def test_on_done_comes_once_whatever_happens(server: Server) -> None:
    done: list[Run] = []
    run = AgentRun("Hi", model="nope", server=server, on_done=done.append).start()
    with pytest.raises(UnknownModel):
        run.wait(20)
    until(lambda: done)
    assert done[0].error is not None
    assert "nope" in done[0].error
    assert len(done) == 1


def test_the_runner_dies_mid_answer(sandbox: Sandbox, server: Server) -> None:
    run = AgentRun(STORY, model=MODEL, server=server, options=LONG).start()
    until(lambda: len(run.answer) > 20)
    for process in psutil.Process(sandbox.pid).children(recursive=True):
        os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(RunFailed, match="middle of"):
        run.wait(20)
    with pytest.raises(RunFailed) as failed:
        run.wait()
    assert failed.value.run is not None
    assert len(failed.value.run.answer) > 20
    assert failed.value.run.error == str(failed.value)
    assert run_agent("Hi", model=MODEL, server=server, options=SHORT).answer


@pytest.mark.slow
def test_the_server_dies_mid_answer(sandbox: Sandbox) -> None:
    with Sandbox(models=[MODEL]) as mine:
        server = Server(mine.url)
        run = AgentRun(STORY, model=MODEL, server=server, options=LONG).start()
        until(lambda: len(run.answer) > 20)
        os.kill(mine.pid, signal.SIGKILL)
        with pytest.raises(RunFailed, match="went away in the middle") as failed:
            run.wait(20)
        assert failed.value.run is not None
        assert len(failed.value.run.answer) > 20
        with pytest.raises(ServerUnreachable):
            run_agent("Hi", model=MODEL, server=server)
    with Sandbox(models=[MODEL]) as other:
        assert run_agent("Hi", model=MODEL, server=Server(other.url), options=SHORT).answer


def test_waiting_with_a_limit(server: Server) -> None:
    run = AgentRun(STORY, model=MODEL, server=server, options=LONG).start()
    with pytest.raises(TimeoutError, match="it goes on"):
        run.wait(0.1)
    assert run.running
    run.stop()
    run.wait(5)


def test_griptape_sends_it_as_a_top_level_number(server: Server) -> None:
    """-1 as a text would be refused; as sent by us it is forever."""
    run_agent("Hi", model=MODEL, keep_alive="forever", server=server, options=SHORT)
    resident = server.resident(MODEL)
    assert resident is not None
    assert resident.is_forever
    assert httpx.get(f"{server.url}/api/ps").json()["models"][0]["expires_at"] > "2200"
