"""Timings and Step: plain values; what a final chunk tells, and what a run of several is."""

from __future__ import annotations

import pytest

from lifecycle_widgets.runs import Step, Timings, was_loaded
from lifecycle_widgets.runs.parts import exceeds_s, parts_of

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


@pytest.mark.parametrize(
    ("told", "known"), [({}, None), ({"prompt_eval_cached_count": 0}, 0), ({"x": 1}, None)]
)
def test_cached_tokens_are_known_only_where_they_are_told(
    told: dict[str, int], known: int | None
) -> None:
    """Of these Ollama (since 0.34) sends a 0, so that a missing number is not one."""
    final = FINAL | {"total_duration": 5} | told
    assert Timings.from_response(final, total_s=1.0, ttft_s=None).cached_tokens == known


def test_where_no_metric_is_told_none_is_known() -> None:
    timings = Timings.from_response({"done": True}, total_s=1.0, ttft_s=None)
    assert timings == Timings(1.0)


@pytest.mark.parametrize("odd", ["8", -1, True, [1], {}, float("inf"), float("nan"), 1e300])
def test_a_metric_of_another_kind_is_not_known(odd: object) -> None:
    told = FINAL | {"load_duration": odd, "eval_count": odd, "done_reason": odd}
    told["prompt_eval_cached_count"] = odd
    timings = Timings.from_response(told, total_s=1.0, ttft_s=None)
    assert (timings.load_s, timings.output_tokens, timings.prompt_tokens) == (None, None, 30)
    assert timings.cached_tokens is None
    assert timings.done_reason in (None, "8")


def test_no_final_chunk_means_not_known() -> None:
    timings = Timings.from_response(None, total_s=1.0, ttft_s=0.5)
    assert timings.load_s is None
    assert timings.tpot_s is None


def test_the_total_of_several_requests() -> None:
    first = Timings.from_response(FINAL, total_s=3.3, ttft_s=None)
    second = Timings.from_response(FINAL, total_s=3.3, ttft_s=0.25)
    stopped = Timings.from_response(None, total_s=0.1, ttft_s=None)
    total = Timings.total([first, second, stopped], total_s=7.0)
    assert total == Timings(7.0, 3.55, 2.0, 0.4, 4.0, 60, 200)
    assert Timings.total([], total_s=1.0) == Timings(1.0)


def test_a_runs_first_token_counts_from_its_start() -> None:
    """With what lies between the requests: tools, and griptape."""
    call = Timings(2.0, ttft_s=1.0, thinking_s=0.5, done_reason="stop", cached_tokens=0)
    text = Timings(3.0, ttft_s=0.1, first_text_s=0.4, thinking_s=0.3, done_reason="length")
    total = Timings.total([call, text], total_s=5.5, starts_s=[0.1, 2.8], tools_s=0.7)
    assert (total.ttft_s, total.first_text_s) == (1.1, pytest.approx(3.2))
    assert total.thinking_s == pytest.approx(0.8)
    assert (total.done_reason, total.tools_s, total.cached_tokens) == ("length", 0.7, 0)
    late = Timings.total([Timings(2.0), text], total_s=5.5, starts_s=[0.1, 2.8])
    assert late.ttft_s == pytest.approx(2.9), "not that of the second request alone"


def test_the_first_token_of_branches_is_that_of_whichever_came_first() -> None:
    """The one that began first can be the one that has to load."""
    fast, slow = Timings(3.0, 0.9, first_text_s=0.9), Timings(1.0, 0.2, first_text_s=0.4)
    total = Timings.total([fast, slow], total_s=3.5, starts_s=[0.1, 0.1])
    assert (total.ttft_s, total.first_text_s) == (pytest.approx(0.3), pytest.approx(0.5))


def test_it_shows_itself_rounded() -> None:
    timings = Timings(2.478923720002058, ttft_s=0.0009338, output_tokens=1234567, eval_s=2.0)
    assert eval(repr(timings), {"Timings": Timings}).ttft_s == 0.0009338
    assert repr(timings).startswith("Timings(total_s=2.479, ttft_s=0.0009338, eval_s=2.0")
    page = timings._repr_html_()
    for text in ("2.48 s", "1 ms", "1,234,567", "617283.5"):
        assert text in page
    assert "None" not in page


# --- loaded or not --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timings", "was_resident", "loaded"),
    [
        (Timings(1.0, load_s=0.001), True, False),
        (Timings(1.0, load_s=0.025), None, False),
        (Timings(1.0, load_s=0.004), False, False),  # somebody loaded it meanwhile
        (Timings(1.0, load_s=0.55), True, True),  # for other options
        (Timings(1.0, load_s=0.26), None, True),
        (Timings(1.0, ttft_s=0.5), False, True),  # stopped: no load_s
        (Timings(1.0, ttft_s=0.5), True, None),
        (Timings(1.0), False, None),  # stopped before it was loaded
        (Timings(1.0), None, None),
    ],
)
def test_whether_it_was_loaded(
    timings: Timings, was_resident: bool | None, loaded: bool | None
) -> None:
    assert was_loaded(timings, was_resident) is loaded


# --- parts ----------------------------------------------------------------------------------------

TOLD = Timings(2.5, load_s=1.0, prompt_eval_s=0.3, eval_s=0.7)


def test_the_parts_add_up() -> None:
    steps = [Step(0.1, TOLD, tools_s=0.7), Step(3.4, TOLD)]
    parts = parts_of(steps, 6.2)
    assert list(parts) == ["load", "prompt eval", "eval", "tools", "griptape and network"]
    assert parts["load"], parts["tools"] == (2.0, 0.7)
    assert parts["griptape and network"] == pytest.approx(1.5)
    assert sum(parts.values()) == pytest.approx(6.2, abs=1e-12)
    assert exceeds_s(parts, 6.2) == 0


def test_what_is_not_told_is_a_part_of_its_own() -> None:
    stopped, no_load = Timings(2.0, ttft_s=1.0), Timings(3.0, prompt_eval_s=0.5, eval_s=1.0)
    parts = parts_of([Step(0.0, TOLD), Step(2.5, stopped), Step(4.5, no_load)], 8.0)
    assert parts["not told"] == pytest.approx(2.0 + 1.5)
    assert sum(parts.values()) == pytest.approx(8.0, abs=1e-12)
    assert parts_of([], 0.5) | {"griptape and network": 0.5} == parts_of([], 0.5)


def test_parts_that_exceed_the_run_are_said_to() -> None:
    parts = parts_of([Step(0.0, Timings(1.0, load_s=5.0, prompt_eval_s=0.0, eval_s=0.0))], 1.0)
    assert parts["griptape and network"] == 0
    assert exceeds_s(parts, 1.0) == pytest.approx(4.0)
    assert exceeds_s({"load": 1.004}, 1.0) == 0, "two clocks"
