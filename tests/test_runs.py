"""Timings and Run: plain values."""

from __future__ import annotations

import pytest

from lifecycle_widgets.runs import Timings

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
    timings = Timings.from_response({}, total_s=1.0, ttft_s=None)
    assert timings.load_s == 0
    assert timings.output_tokens == 0
    assert timings.tokens_per_s is None


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
