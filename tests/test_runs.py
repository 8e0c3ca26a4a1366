"""Timings and Run: plain values."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Timings, host_name

FINAL = {
    "load_duration": 1_000_000_000,
    "prompt_eval_count": 30,
    "prompt_eval_duration": 200_000_000,
    "eval_count": 100,
    "eval_duration": 2_000_000_000,
}


def test_from_response() -> None:
    timings = Timings.from_response(FINAL, total_s=3.3, ttft_s=1.25)
    assert (timings.load_s, timings.prompt_eval_s, timings.eval_s) == (1.0, 0.2, 2.0)
    assert (timings.prompt_tokens, timings.output_tokens) == (30, 100)
    assert timings.tokens_per_s == pytest.approx(50)
    assert timings.tpot_s == pytest.approx(0.02)


def test_a_metric_that_ollama_left_out_is_zero() -> None:
    timings = Timings.from_response({"total_duration": 5}, total_s=1.0, ttft_s=None)
    assert timings.load_s == 0
    assert timings.output_tokens == 0
    assert timings.tokens_per_s is None


def test_where_no_metric_is_told_none_is_known() -> None:
    timings = Timings.from_response({"done": True}, total_s=1.0, ttft_s=None)
    assert timings == Timings(1.0)


@pytest.mark.parametrize("odd", ["8", -1, True, [1], {}, float("inf"), float("nan"), 1e300])
def test_a_metric_of_another_kind_is_not_known(odd: object) -> None:
    told = FINAL | {"load_duration": odd, "eval_count": odd, "done_reason": odd}
    timings = Timings.from_response(told, total_s=1.0, ttft_s=None)
    assert (timings.load_s, timings.output_tokens, timings.prompt_tokens) == (None, None, 30)
    assert timings.done_reason in (None, "8")


def test_no_final_chunk_means_not_known() -> None:
    timings = Timings.from_response(None, total_s=1.0, ttft_s=0.5)
    assert timings.load_s is None
    assert timings.tpot_s is None


def test_the_total_of_several_requests() -> None:
    first = Timings.from_response(FINAL, total_s=3.3, ttft_s=None)  # a tool call: no text
    second = Timings.from_response(FINAL, total_s=3.3, ttft_s=0.25)
    stopped = Timings.from_response(None, total_s=0.1, ttft_s=None)
    total = Timings.total([first, second, stopped], total_s=7.0)
    assert total == Timings(7.0, 0.25, 2.0, 0.4, 4.0, 60, 200)
    assert Timings.total([], total_s=1.0) == Timings(1.0)


def test_the_total_of_requests_that_think() -> None:
    call = Timings(2.0, ttft_s=1.0, thinking_s=0.5, done_reason="stop")
    text = Timings(3.0, ttft_s=0.1, first_text_s=0.4, thinking_s=0.3, done_reason="length")
    total = Timings.total([call, text], total_s=5.5)
    assert (total.ttft_s, total.first_text_s) == (1.0, 2.4)
    assert total.thinking_s == pytest.approx(0.8)
    assert total.done_reason == "length"


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


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://u:pw@ollama.com:443/x", "ollama.com"), ("[::1]:5", "::1"), ("", "another machine")],
)
def test_a_host_is_named_without_secrets(url: str, name: str) -> None:
    assert host_name(url) == name
