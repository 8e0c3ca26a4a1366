"""Trouble on purpose: each kind does what it says, and without the variable there is none."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from sandbox_tools import SMALL, all_gone, ask, eventually, generate, runners, start_python, weights

from lifecycle_widgets.agent import RunFailed, run_agent
from lifecycle_widgets.sandbox import Sandbox, runner
from lifecycle_widgets.sandbox.trouble import TEMPLATE, VARIABLE, Trouble
from lifecycle_widgets.sandbox.trouble_proxy import free_port
from lifecycle_widgets.server import Server, ServerError

TALKER = "tool-talker"
ON_PURPOSE = "makes trouble on purpose"
Make = Callable[..., None]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the trouble is written to."""
    return tmp_path_factory.mktemp("trouble") / "trouble.json"


@pytest.fixture(scope="module")
def box(file: Path) -> Iterator[Sandbox]:
    """A sandbox whose runners read `file`, with a model that can call tools and think."""
    with Sandbox(
        models=[SMALL], runner_env={VARIABLE: str(file)}, OLLAMA_LOAD_TIMEOUT="4s"
    ) as started:
        Server(started.url).client.create(model=TALKER, from_=SMALL, template=TEMPLATE)
        yield started


@pytest.fixture
def server(box: Sandbox, file: Path) -> Iterator[Server]:
    """A Server on it; nothing in memory and no trouble before and after."""
    server = Server(box.url)
    yield server
    file.unlink(missing_ok=True)
    for resident in server.residents():
        server.unload(resident.name)
    server.close()
    assert eventually(lambda: not runners(box.pid))


@pytest.fixture
def make(file: Path) -> Make:
    """Write the trouble for the loads that follow."""

    def write(**keys: Any) -> None:
        file.write_text(json.dumps(keys))

    return write


def ports(process: psutil.Process) -> int:
    """How many ports a process listens on."""
    return sum(c.status == psutil.CONN_LISTEN for c in process.net_connections("tcp"))


# --- none -----------------------------------------------------------------------------------------


def test_without_a_file_nothing_of_it_is_active(box: Sandbox, server: Server) -> None:
    logged = box.log_tail(100_000).count(ON_PURPOSE)
    answer = generate(server.url)["response"]
    [process] = runners(box.pid)
    assert ports(process) == 1, "Ollama talks with the native server itself"
    assert box.log_tail(100_000).count(ON_PURPOSE) == logged
    assert answer


def test_a_persons_own_variable_makes_none(
    file: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(out_of_memory_at_load=True)
    monkeypatch.setenv(VARIABLE, str(file))
    with Sandbox(models=[SMALL]) as other:
        assert generate(other.url, tokens=1)["done"]
        assert ON_PURPOSE not in other.log_tail(100_000)
    file.unlink()


def test_it_says_so_in_ollamas_log(box: Sandbox, server: Server, make: Make) -> None:
    make(token_delay_s=0.001)
    generate(server.url, tokens=1)
    assert ON_PURPOSE in box.log_tail(100_000)
    assert "token_delay_s=0.001" in box.log_tail(100_000)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('{"crash_at": 4}', "unknown key 'crash_at'; known are load_delay_s,"),
        ('{"load_delay_s": "4"}', "key 'load_delay_s' takes a number from 0, not '4'"),
        ('{"load_delay_s": -1}', "key 'load_delay_s' takes a number from 0, not -1"),
        ('{"crash_at_token": 1.5}', "key 'crash_at_token' takes a whole number from 0, not 1.5"),
        ('{"load_stalls": 1}', "key 'load_stalls' takes true or false, not 1"),
        ('{"script": "Hello."}', "key 'script' takes a list, not 'Hello.'"),
        ('{"script": [{"txt": "Hello."}]}', "unknown key script[0].'txt'; known are text,"),
        ('{"script": ["Hello."]}', "expected an object for script[0]., not 'Hello.'"),
        ('{"script": [{"tool_calls": [{"name": "f"}]}]}', "script[0].tool_calls' takes objects"),
        ("[]", "expected an object, not []"),
        ("{", "Expecting property name"),
    ],
)
def test_what_is_no_trouble_is_refused_by_name(tmp_path: Path, content: str, named: str) -> None:
    (tmp_path / "trouble.json").write_text(content)
    with pytest.raises(RuntimeError) as refused:
        Trouble.read(tmp_path / "trouble.json")
    assert named in str(refused.value)
    assert VARIABLE in str(refused.value)


def test_a_runner_that_refuses_it_ends_and_the_reason_is_in_ollamas_answer(
    box: Sandbox, server: Server, make: Make
) -> None:
    make(crash_at=4)
    with pytest.raises(ServerError, match="unknown key 'crash_at'"):
        server.preload(SMALL)
    assert eventually(lambda: not runners(box.pid))


# --- loading --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_slow_load_is_longer_than_the_timeout_of_a_stall(server: Server, make: Make) -> None:
    make(load_delay_s=5.0)
    began_s = time.monotonic()
    server.preload(SMALL)  # OLLAMA_LOAD_TIMEOUT is 4 s here
    assert time.monotonic() - began_s > 5.0
    assert server.resident(SMALL) is not None


@pytest.mark.slow
def test_a_load_that_stalls_is_given_up_and_the_next_one_works(
    box: Sandbox, server: Server, make: Make, file: Path
) -> None:
    make(load_stalls=True)
    with pytest.raises(ServerError, match="timed out waiting for llama-server to start"):
        server.preload(SMALL)
    assert eventually(lambda: not runners(box.pid))
    file.unlink()
    server.preload(SMALL)


def test_out_of_memory_is_recognised_by_ollama(
    box: Sandbox, server: Server, make: Make, file: Path
) -> None:
    make(out_of_memory_at_load=True)
    with pytest.raises(ServerError, match="failed to allocate buffer"):
        server.preload(SMALL)
    assert server.residents() == ()
    assert eventually(lambda: not runners(box.pid))
    file.unlink()
    server.preload(SMALL)


def test_extra_memory_is_really_taken_and_not_counted_by_ollama(
    box: Sandbox, server: Server, make: Make
) -> None:
    def loaded() -> tuple[int, int]:
        server.preload(SMALL)
        [process], resident = runners(box.pid), server.resident(SMALL)
        assert resident is not None
        rss_bytes = process.memory_info().rss
        server.unload(SMALL)
        return rss_bytes, resident.size_bytes

    usual_bytes, listed_bytes = loaded()
    make(extra_memory_bytes=200_000_000)
    more_bytes, listed_again_bytes = loaded()
    assert more_bytes - usual_bytes > 190_000_000
    assert listed_again_bytes == listed_bytes


# --- answers --------------------------------------------------------------------------------------


def test_answers_are_passed_on_unchanged_but_slower(
    box: Sandbox, server: Server, make: Make
) -> None:
    usual = generate(server.url, tokens=12)
    server.unload(SMALL)
    make(token_delay_s=0.1)
    slow = generate(server.url, tokens=12)
    [process] = runners(box.pid)
    assert ports(process) == 2, "the native server's, and the proxy's"
    assert slow["response"] == usual["response"]
    assert slow["eval_count"] == usual["eval_count"] == 12
    assert (slow["total_duration"] - slow["load_duration"]) / 1e9 > 12 * 0.1
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert generate(server.url, tokens=5, format=schema)["response"].lstrip().startswith("{")


def test_whoever_goes_in_mid_answer_frees_the_runner(server: Server, make: Make) -> None:
    make(token_delay_s=0.5)
    for _ in range(2):  # one at a time: the second waits until the first one's answer has ended
        stream = server.client.generate(
            model=SMALL, prompt="Tell a story.", stream=True, options={"num_predict": 1000}
        )
        assert next(stream)
        stream.close()


def test_a_crash_at_a_token_keeps_those_before(server: Server, make: Make, file: Path) -> None:
    make(crash_at_token=4, script=[{"text": "one two three four five"}])
    with pytest.raises(RunFailed, match="middle of its answer") as failed:
        run_agent("Count.", model=SMALL, server=server)
    assert failed.value.run is not None
    assert failed.value.run.answer == "one two three"
    file.unlink()
    assert run_agent("Count.", model=SMALL, server=server, options={"num_predict": 4}).answer


def test_a_crash_at_a_token_of_the_models_own_answer(
    box: Sandbox, server: Server, make: Make
) -> None:
    make(crash_at_token=1)
    with pytest.raises(ServerError):
        run_agent("Count.", model=SMALL, server=server)
    assert eventually(lambda: not runners(box.pid))


def test_a_crash_while_idle_waits_for_the_answer_to_end(
    box: Sandbox, server: Server, make: Make
) -> None:
    make(crash_idle_after_s=1.0, token_delay_s=0.3, script=[{"text": "one two three four five"}])
    assert generate(server.url)["response"] == "one two three four five"
    [process] = runners(box.pid)
    assert all_gone([process.pid])


# --- scripted answers -----------------------------------------------------------------------------

ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds.",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    },
}


def test_text_is_streamed_and_measured_like_the_models(server: Server, make: Make) -> None:
    make(script=[{"text": "A scripted\n\nanswer. "}])
    run = run_agent("Anything.", model=SMALL, server=server)
    assert run.answer == "A scripted\n\nanswer. "
    assert run.timings.output_tokens == 4
    assert run.timings.ttft_s is not None
    assert run.timings.eval_s is not None
    assert run.timings.prompt_tokens


def test_thinking_and_tool_calls_reach_api_chat(server: Server, make: Make) -> None:
    calls = [{"name": "add", "arguments": {"a": 1}}, {"name": "add", "arguments": {"a": 2}}]
    make(script=[{"thinking": "Let me see.", "text": "I add.", "tool_calls": calls}])
    asked = {"role": "user", "content": "Add."}
    body = {"model": TALKER, "messages": [asked], "tools": [ADD], "stream": False}
    message = ask(server.url, "/api/chat", body)["message"]
    assert message["thinking"].strip() == "Let me see."
    assert message["content"].strip() == "I add."
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["add", "add"]
    assert [call["function"]["arguments"] for call in message["tool_calls"]] == [
        {"a": 1},
        {"a": 2},
    ]


def test_the_next_answer_is_for_who_brings_the_one_before(server: Server, make: Make) -> None:
    make(script=[{"text": "First."}, {"text": "Second."}])

    def say(*answers: str) -> str:
        turns = [{"role": "user", "content": "Go on."}]
        for answer in answers:
            turns += [{"role": "assistant", "content": answer}, turns[0]]
        reply = server.client.chat(model=TALKER, messages=turns, keep_alive=0)
        return reply.message.content or ""

    assert say() == "First."  # and it leaves memory after each
    assert say("First.") == "Second."
    assert say() == "First."
    assert say("First.", "Second.", "Second.") == "Second."


@pytest.mark.parametrize("keep_alive", ["1m", 0])
def test_an_agent_calls_a_real_tool_and_then_answers(
    server: Server, make: Make, keep_alive: str | int
) -> None:
    from griptape.artifacts import TextArtifact
    from griptape.tools import BaseTool
    from griptape.utils.decorators import activity
    from schema import Schema

    called: list[int] = []

    class Calculator(BaseTool):
        @activity(
            config={
                "description": "Doubles a number.",
                "schema": Schema({"number": int}),
            }
        )
        def double(self, params: dict[str, Any]) -> TextArtifact:
            called.append(params["values"]["number"])
            return TextArtifact(str(2 * called[-1]))

    call = {"name": "Calculator_double", "arguments": {"number": 21}}
    make(script=[{"text": "I calculate. ", "tool_calls": [call]}, {"text": "It is 42."}])
    run = run_agent(
        "What is twice 21?", model=TALKER, server=server, keep_alive=keep_alive,
        tools=[Calculator()], hold=False,
    )  # fmt: skip
    assert called == [21]
    assert run.answer.endswith("It is 42.")
    assert run.error is None
    assert len(run.requests) == 2
    assert run.timings.output_tokens == sum(r.output_tokens or 0 for r in run.requests)
    if keep_alive == 0:
        assert all((r.load_s or 0) > 0.1 for r in run.requests), "each request loaded the model"


def test_where_llama_cpp_renders_the_prompt_scripts_work_too(file: Path, make: Make) -> None:
    make(script=[{"thinking": "Hm.", "text": "Hello there."}], crash_at_token=4)
    settings = {"OLLAMA_GO_TEMPLATE": False}
    with Sandbox(models=[SMALL], runner_env={VARIABLE: str(file)}, **settings) as native:
        server = Server(native.url)
        say = [{"role": "user", "content": "Hi."}]
        reply = server.client.chat(model=SMALL, messages=say)
        assert reply.message.content == "Hello there."
        assert reply.message.thinking == "Hm."
        server.close()
    file.unlink()


# --- and its end ----------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="while it loads: the parent-death signal")
@pytest.mark.parametrize(
    "keys", [{"load_delay_s": 60}, {"load_stalls": True}, {"script": [{"text": "Hello."}]}]
)
def test_a_runner_ends_with_its_parent_in_every_trouble(
    tmp_path: Path, keys: dict[str, Any]
) -> None:
    (tmp_path / "trouble.json").write_text(json.dumps(keys))
    command = [sys.executable, runner.__file__, "llama-server"]
    command += ["--model", str(weights()), "--port", str(free_port()), "--host", "127.0.0.1"]
    parent = start_python(
        f"import subprocess, sys; p = subprocess.Popen({command}); print('pid', p.pid); p.wait()",
        **{VARIABLE: str(tmp_path / "trouble.json")},
    )
    assert parent.stdout is not None
    pid, said = 0, ""
    ready = "slots" if "script" in keys else ON_PURPOSE
    for line in parent.stdout:
        said += line
        pid = int(line.split()[1]) if line.startswith("pid ") else pid
        if pid and ready in said:
            break
    parent.kill()
    parent.wait(10)
    parent.stdout.close()
    assert all_gone([pid])
