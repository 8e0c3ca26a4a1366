"""Run: what it says of itself: notes, how cold it was, loads, and its pictures in a notebook."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Step, Timings, ToolCall, host_name


def run(answer: str = "", **more: Any) -> Run:
    timings = more.pop("timings", Timings(1.0, done_reason=more.pop("done_reason", "stop")))
    at = datetime.now().astimezone()
    return Run("m", KeepAlive(None), "p", answer, at, timings, **more)


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (run("x"), None),
        (run("x", thinking="hm"), None),
        (run(), "There was no text."),
        (run("\n"), "There was no text."),
        (run(stopped=True), None),
        (run(error="boom"), None),
        (
            run(thinking="hm", done_reason="length"),
            "It only thought: raise num_predict or set think=False.",
        ),
        (
            run("x", remote_host="https://ollama.com:443"),
            "It ran on ollama.com: the prompt left the server's machine, and keep_alive means "
            "nothing there.",
        ),
    ],
)
def test_what_a_reader_should_know_of_a_run(given: Run, note: str | None) -> None:
    assert given.note == note
    assert "hm" not in repr(given), "what it thought is long"


def cut(prompt: int = 20, output: int = 12, **more: Any) -> Run:
    ended = Timings(1.0, prompt_tokens=prompt, output_tokens=output, done_reason="length")
    return run("x", timings=ended, steps=(Step(0.0, ended),), **more)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (cut(options={"num_predict": 12}), "at num_predict (12 tokens)."),
        (cut(492, 20, context_length=512), "after 20 tokens: the context (512 tokens) was full."),
        (
            cut(11, 5120, context_length=512, options={"num_predict": -1}),
            "after 5,120 tokens: ten times the context, where Ollama ends any answer.",
        ),
        (cut(), "after 12 tokens: num_predict was reached, or the context was full."),
    ],
)
def test_an_answer_that_was_cut_off(given: Run, why: str) -> None:
    assert given.note == f"The answer was cut off {why}"


def test_a_prompt_that_was_not_seen_whole() -> None:
    seen = Timings(1.0, prompt_tokens=2050)
    steps = (Step(0.0, Timings(1.0)), Step(1.0, seen, whole_prompt_tokens=40_024))
    assert run("x", steps=steps, timings=Timings(2.0)).note == (
        "The model saw 2,050 of about 40,000 tokens: raise num_ctx, or shorten the prompt."
    )


# --- of structures --------------------------------------------------------------------------------

LLAMA, QWEN = "llama3", "qwen3:4b"


def of(model: str, start_s: float = 0.0, total_s: float = 1.0, **more: Any) -> Step:
    told = {n: more.pop(n) for n in ("prompt_tokens", "output_tokens", "done_reason") if n in more}
    return Step(start_s, Timings(total_s, **told), model=model, **more)


def test_models_are_in_the_order_of_their_first_requests() -> None:
    assert run(steps=(of(LLAMA), of(QWEN, 0.1), of(LLAMA, 2.0))).models == (LLAMA, QWEN)
    assert run(steps=(Step(0.0, Timings(1.0)),)).models == ("m",), "saved before that was told"
    assert run().models == ("m",)


def test_how_cold_it_was_is_of_the_first_request() -> None:
    steps = of(LLAMA, loaded=True), of(QWEN, 1.0, loaded=False)
    assert run("x", was_resident=False, steps=steps).heat == "cold: it was not in memory"
    anew = run("x", was_resident=True, steps=steps, options={"num_ctx": 8192})
    assert anew.heat == "in memory, but loaded anew", "whose options these are is not known"
    assert anew.loads == 1


def test_of_several_models_each_is_named_that_did_not_see_its_whole_prompt() -> None:
    steps = (
        of(LLAMA, prompt_tokens=2050, whole_prompt_tokens=3_000),
        of(LLAMA, prompt_tokens=2050, whole_prompt_tokens=40_024),
        of(QWEN, prompt_tokens=100, whole_prompt_tokens=618),
        of(QWEN, prompt_tokens=100),
    )
    assert run("x", steps=steps).note == (
        "llama3: the model saw 2,050 of about 40,000 tokens: raise num_ctx, or shorten the prompt. "
        "qwen3:4b: the model saw 100 of about 620 tokens: raise num_ctx, or shorten the prompt."
    )


def test_the_answer_of_each_task_that_was_cut_off() -> None:
    cut_off = {"output_tokens": 20, "done_reason": "length"}
    called = of(LLAMA, task="draft", output_tokens=9, done_reason="length")
    draft = of(LLAMA, task="draft", **cut_off)
    last = of(QWEN, task="review", output_tokens=5, done_reason="stop")
    summary = of(QWEN, **cut_off)  # the memory's
    told = "The answer of task draft was cut off after 20 tokens."
    assert run("x", steps=(called, draft, last, summary)).note == told
    embedding = Step(0.5, Timings(0.1), task="review", kind="embed")
    of_both = run("x", steps=(draft, of(QWEN, task="review", **cut_off), embedding)).note
    why = "num_predict was reached, or the context was full"
    assert of_both == f"{told} The answer was cut off after 20 tokens: {why}."


def raising(error: str, task: str = "", tools_s: float | None = 0.5) -> Step:
    calls = ToolCall("Clock_now", error=error), ToolCall("Other")
    return of("m", task=task, tool_calls=calls, tools_s=tools_s)


def test_what_a_tool_raised_is_said() -> None:
    raised = "The tool Clock_now raised ValueError: no clock."
    told, within = of("m", 1.6, 0.1), of("m", 1.1, 0.1)

    def note(*steps: Step, **more: Any) -> str | None:
        return run("x", timings=Timings(2.0), steps=steps, **more).note

    assert note(raising("ValueError: no clock"), told) == f"{raised} The model was told so."
    assert note(raising("ValueError:\n no clock.\n"), within) == raised, "it asked in its turn"
    assert note(raising("ValueError: no clock", tools_s=None), told, stopped=True) == raised
    assert note(raising("ValueError: no clock", "another"), told) == raised
    failed = note(raising("ValueError: no clock"), error="boom", said=("It was held.",))
    assert failed == f"{raised} It was held."


def test_what_tools_raise_again_and_again_is_short() -> None:
    many = [raising("OSError: none"), *(raising(f"KeyError: {n}" + "x" * 999) for n in range(9))]
    steps = (raising("OSError: none"), *many, of("m", 1.5, 0.1))
    note = run("x", timings=Timings(2.0), steps=steps).note
    assert note is not None
    assert note.startswith(
        "The tool Clock_now raised OSError: none (2 times). The model was told so."
    )
    assert note.endswith("Other calls raised, too.")
    assert len(note) < 800


def test_what_else_there_is_to_say() -> None:
    said = ("It was held for 20 s.", "The tool Clock_now still runs.")
    assert run("x", said=said).note == " ".join(said)


def test_a_server_whose_times_are_longer_than_the_run() -> None:
    told = Timings(1.0, load_s=3.0, prompt_eval_s=0.0, eval_s=0.0)
    note = run("x", timings=told, steps=(Step(0.0, told),)).note
    assert note is not None
    assert "2.00 s longer than the run itself" in note


# --- how cold it was ------------------------------------------------------------------------------


def heated(was_resident: bool | None, loaded: bool | None, **more: Any) -> str | None:
    return run("x", was_resident=was_resident, steps=(step(loaded), step(False)), **more).heat


def step(loaded: bool | None) -> Step:
    return Step(0.0, Timings(1.0), loaded=loaded)


@pytest.mark.parametrize(
    ("was_resident", "loaded", "words"),
    [
        (True, False, "warm: it was in memory"),
        (True, True, "in memory, but loaded anew"),
        (True, None, "it was in memory"),
        (False, True, "cold: it was not in memory"),
        (False, False, "warm: it had been loaded when the request came"),
        (False, None, "cold: it was not in memory"),
        (None, True, "cold: it was loaded for this"),
        (None, False, "warm: it was not loaded for this"),
        (None, None, None),
    ],
)
def test_how_cold_it_was(was_resident: bool | None, loaded: bool | None, words: str | None) -> None:
    assert heated(was_resident, loaded) == words


@pytest.mark.parametrize(
    ("more", "others"),
    [
        ({"options": {"num_ctx": 8192}}, True),
        ({"options": {"temperature": 0}}, False),
        ({"context_before": 4096, "context_length": 2048}, True),
        ({"context_before": 4096, "context_length": 4096}, False),
        ({"context_before": 4096}, False),
    ],
)
def test_other_options_are_named_where_there_are_any(more: Any, others: bool) -> None:
    words = "in memory, but loaded anew" + (": other options" if others else "")
    assert heated(True, True, **more) == words


def test_loads_are_counted() -> None:
    def loads(*loaded: bool | None) -> int | None:
        return run("x", steps=tuple(map(step, loaded))).loads

    assert [loads(), loads(True, True, True), loads(True, False)] == [0, 3, 1]
    assert loads(True, None) is None
    assert "requests=2, loads=1" in repr(run("x", steps=(step(True), step(False))))


# --- in a notebook --------------------------------------------------------------------------------


def test_it_shows_itself_with_everything_escaped() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    ended = Timings(2.5, ttft_s=0.5, load_s=1.0, prompt_eval_s=0.25, eval_s=1.0)
    call = ToolCall(hostile, {hostile: hostile})
    shown = Run(
        hostile, KeepAlive("5m"), hostile, hostile + "x" * 5000, datetime.now(), ended,
        (Step(0.0, ended, hostile, hostile, (call,), 0.2, True),),
        error=hostile, options={hostile: hostile}, history=((hostile, hostile),),
    )  # fmt: skip
    page = shown._repr_html_()
    assert "<img" not in page
    assert "&lt;img" in page
    for text in ("griptape and network", "1 request, 1 load", "1.00 s", "1 turn", "5m"):
        assert text in page
    assert len(page) < 4000, "of a long answer the beginning"


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({LLAMA: "0", QWEN: "0"}, "0 each"),
        ({QWEN: "5m", LLAMA: "0"}, "0, 5m"),
        ({}, "not told"),
    ],
)
def test_it_shows_its_models_and_what_was_chosen_for_each(chosen: Any, words: str) -> None:
    steps = (of(LLAMA), of(QWEN, 1.0))
    both = run("x", steps=steps, keep_alives=chosen, structure="Pipeline", held=True)
    page = both._repr_html_()
    for text in ("Pipeline", f"{LLAMA}, {QWEN}", f">{words}, held between its requests<"):
        assert text in page
    for text in ("structure='Pipeline'", f"models=('{LLAMA}', '{QWEN}')", "held=True"):
        assert text in repr(both)
    one = run("x", steps=(of("m"),))
    assert "structure" not in one._repr_html_() + repr(one)
    assert "held" not in one._repr_html_() + repr(one)


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://u:pw@ollama.com:443/x", "ollama.com"), ("[::1]:5", "::1"), ("", "another machine")],
)
def test_a_host_is_named_without_secrets(url: str, name: str) -> None:
    assert host_name(url) == name
