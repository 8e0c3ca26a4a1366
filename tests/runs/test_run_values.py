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
    ("url", "name"),
    [("https://u:pw@ollama.com:443/x", "ollama.com"), ("[::1]:5", "::1"), ("", "another machine")],
)
def test_a_host_is_named_without_secrets(url: str, name: str) -> None:
    assert host_name(url) == name
