"""What a run of several requests was: its steps, first token, tools, loads and final answer."""

from __future__ import annotations

import time

import pytest

from lifecycle_widgets.agent import AgentRun, RunFailed, run_agent
from lifecycle_widgets.runs import ToolCall
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.griptape_tools import CLOCK, clock
from tests.recorded import Answer, RecordedServer, chat, chunk, final, ollama
from tests.scripted import SCRIPTED, SMALL, Script

TURNS = (
    {"text": "Let me see.", "tool_calls": [CLOCK]},
    {"tool_calls": [CLOCK]},
    {"text": "It is noon."},
)


# --- on a real Ollama ---------------------------------------------------------------------------


def test_where_the_time_of_a_run_with_tools_went(box: Sandbox, script: Script) -> None:
    script(*TURNS)
    run = run_agent("Time?", model=SCRIPTED, server=box, tools=[clock(0.7)], keep_alive="1m")
    t = run.timings
    assert t.tools_s == pytest.approx(1.4, abs=0.3)
    assert run.parts["tools"] == t.tools_s
    assert sum(run.parts.values()) == pytest.approx(t.total_s, abs=1e-9)
    assert all(seconds >= 0 for seconds in run.parts.values())
    assert [step.tools_s is None for step in run.steps] == [False, False, True]
    assert (run.loads, len(run.requests)) == (1, 3), "a load each counts"
    assert [step.loaded for step in run.steps] == [True, False, False]
    assert run.heat == "cold: it was not in memory"


def test_the_answer_is_the_final_output_and_the_steps_are_apart(
    box: Sandbox, script: Script
) -> None:
    script(*TURNS)
    heard: list[str] = []
    run = run_agent("Time?", model=SCRIPTED, server=box, tools=[clock()], on_text=heard.append)
    assert run.answer == "It is noon."
    assert [step.text for step in run.steps] == ["Let me see.", "", "It is noon."]
    assert "".join(heard) == "Let me see.It is noon."
    assert [step.tool_calls for step in run.steps] == [
        (ToolCall("Clock_now", {}),),
        (ToolCall("Clock_now", {}),),
        (),
    ]


def test_the_first_token_counts_from_the_runs_start(box: Sandbox, script: Script) -> None:
    script(TURNS[1], TURNS[2])  # cold, and a bare tool call first
    run = run_agent("Time?", model=SCRIPTED, server=box, tools=[clock(0.5)], keep_alive="1m")
    first, last = run.steps
    t = run.timings
    assert first.timings.load_s is not None
    assert first.timings.ttft_s is not None
    assert first.timings.ttft_s > first.timings.load_s
    assert t.ttft_s == pytest.approx(first.start_s + first.timings.ttft_s)
    assert last.timings.first_text_s is not None
    assert last.start_s > first.start_s + first.timings.total_s + 0.5
    assert t.first_text_s == pytest.approx(last.start_s + last.timings.first_text_s)
    assert first.timings.load_s + 0.5 < t.first_text_s < t.total_s


def test_with_keep_alive_zero_each_request_loads(box: Sandbox, script: Script) -> None:
    script(*TURNS, token_delay_s=0.05)
    tools = [clock(0.3)]
    run = run_agent("Time?", model=SCRIPTED, server=box, tools=tools, keep_alive=0, hold=False)
    assert (run.loads, len(run.steps), run.held) == (3, 3, False)
    assert "requests=3, loads=3" in repr(run)
    assert run.context_length, "it was asked while the answer came"


def test_a_run_that_stops_keeps_the_last_text_there_was(box: Sandbox, script: Script) -> None:
    script(TURNS[0], TURNS[2], token_delay_s=0.2)
    run = AgentRun(
        "Time?", model=SCRIPTED, server=box, tools=[clock(0.3)], on_text=lambda _: stop()
    )

    def stop() -> None:
        if "noon" in run.answer or "is" in run.answer:
            run.stop()

    stopped = run.start().wait(60)
    assert stopped.stopped
    assert stopped.answer.startswith("It is")
    assert stopped.steps[0].text == "Let me see."
    assert stopped.loads is None, "the last request did not reach its end"
    assert "not told" in stopped.parts


def test_loaded_anew_for_other_options(server: Server) -> None:
    few = {"num_predict": 2}
    warm, anew, again = (
        run_agent("Hi", model=SMALL, server=server, keep_alive="1m", options=few | more)
        for more in ({}, {"num_ctx": 1024}, {"num_ctx": 1024})
    )
    assert (warm.loads, anew.loads, again.loads) == (1, 1, 0)
    assert anew.was_resident
    assert anew.heat == "in memory, but loaded anew: other options"
    assert (anew.context_before, anew.context_length) == (warm.context_length, 1024)
    assert again.heat == "warm: it was in memory"
    assert anew.options == few | {"num_ctx": 1024}


def test_two_names_over_one_weights_are_loaded_once(server: Server) -> None:
    server.client.create(model="other", from_=SMALL, parameters={"temperature": 0.1})
    few = {"num_predict": 2}
    try:
        one, two = (
            run_agent("Hi", model=name, server=Server(server.url), keep_alive="1m", options=few)
            for name in (SMALL, "other")
        )
    finally:
        server.client.delete("other")
    assert (one.loads, two.loads) == (1, 0)
    assert two.heat == "warm: it was in memory"


# --- of recorded shapes -------------------------------------------------------------------------


def test_cached_tokens_are_told_where_the_server_tells() -> None:
    for told, known in ((0, 0), (27, 27), (..., None), (None, None), ("many", None)):
        answer = chat(chunk("x"), final(prompt_eval_cached_count=told))
        with RecordedServer(ollama(chat=answer)) as recorded:
            run = run_agent("hi", model="tiny:1b", server=recorded.url)
        assert (run.timings.cached_tokens, run.timings.prompt_tokens) == (known, 3)


def test_a_server_of_openais_form_tells_them_too() -> None:
    timings = {"cache_n": 12, "prompt_n": 5, "prompt_ms": 10, "predicted_n": 2, "predicted_ms": 20}
    lines = [
        {"choices": [{"delta": {"content": "x"}, "finish_reason": None}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "timings": timings},
    ]
    with RecordedServer(ollama(chat=chat(*lines))) as recorded:
        run = run_agent("hi", model="tiny:1b", server=recorded.url)
    assert (run.timings.prompt_tokens, run.timings.cached_tokens) == (17, 12)
    assert run.loads is None, "that server does not tell how long a load took"


def test_where_nothing_of_a_load_is_told_nothing_is_said() -> None:
    answer = chat(chunk("x"), {"done": True})
    with RecordedServer(ollama(ps=None, chat=answer)) as recorded:
        run = run_agent("hi", model="tiny:1b", server=recorded.url)
    assert (run.loads, run.heat, run.context_length) == (None, None, None)
    assert run.parts["not told"] > 0


def test_a_list_that_hangs_does_not_hold_up_the_end() -> None:
    """Of what is in memory, asked while the answer comes."""
    ps = [Answer({"models": []}), Answer({"models": []}, delay_s=5.0)]
    with RecordedServer(ollama(ps=lambda _: ps.pop(0))) as recorded:
        run = AgentRun("hi", model="tiny:1b", server=recorded.url).start().wait(3.0)
    assert run.context_length is None
    assert run.timings.total_s < 2.0


def test_the_context_that_was_chosen_counts_where_none_is_told() -> None:
    with RecordedServer(ollama(ps=None)) as recorded:
        chosen = {"num_ctx": 2048}
        run = run_agent("hi", model="tiny:1b", server=recorded.url, options=chosen)
    assert run.context_length == 2048


def test_a_failed_run_keeps_its_steps() -> None:
    with RecordedServer(ollama(chat=chat(chunk("kept"), {"error": "boom"}))) as recorded:
        with pytest.raises(RunFailed) as failed:
            run_agent("hi", model="tiny:1b", server=recorded.url)
        run = failed.value.run
    assert run is not None
    [step] = run.steps
    assert (step.text, run.answer, step.loaded) == ("kept", "kept", None)


def test_an_answer_that_repeats_itself_is_broken_off_by_ollama(
    box: Sandbox, script: Script
) -> None:
    script({"text": "So " + "na " * 60})
    run = run_agent("Sing.", model=SMALL, server=box, options={"num_predict": 200})
    assert run.answer.startswith("So na na")
    assert run.timings.done_reason == "repeats"
    assert run.note is not None
    assert "repeated itself" in run.note


def test_a_hold_lets_go_what_an_earlier_run_of_ours_had_kept(box: Sandbox, script: Script) -> None:
    script(*TURNS)
    server = Server(box.url)
    run_agent("Time?", model=SCRIPTED, server=server, tools=[clock()], keep_alive="5m")
    run = run_agent("Time?", model=SCRIPTED, server=server, tools=[clock()], keep_alive=0)
    assert (run.held, run.loads, run.said) == (True, 0, ())
    deadline_s = time.monotonic() + 5
    while server.resident(SCRIPTED) is not None:
        assert time.monotonic() < deadline_s, "keep_alive 0 did not apply"
        time.sleep(0.02)
