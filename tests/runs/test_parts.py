"""Parts on the clock: what goes on at once shares its time, and all of it adds up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_widgets.runs import Step, Timings, was_loaded
from lifecycle_widgets.runs.parts import exceeds_s, parts_of
from lifecycle_widgets.runs.phases import phases_of

TOLD = Timings(2.0, load_s=1.0, prompt_eval_s=0.25, eval_s=0.5)  # 0.25 are the network's
LONG = Timings(4.0, load_s=0.0, prompt_eval_s=0.0, eval_s=4.0)


def embedding(start_s: float, total_s: float, task: str = "") -> Step:
    return Step(start_s, Timings(total_s), task=task, kind="embed")


def told(parts: dict[str, float]) -> dict[str, float]:
    return {name: round(seconds, 9) for name, seconds in parts.items() if seconds}


def test_branches_at_once_share_the_time() -> None:
    branches = [Step(0.5, TOLD, task="a"), Step(0.5, TOLD, task="b")]
    assert parts_of(branches, 3.0) == parts_of(branches[:1], 3.0), "each has half of it"
    beside = [Step(0.0, LONG, task="a"), Step(1.0, TOLD, task="b")]
    assert told(parts_of(beside, 4.5)) == {
        "load": 0.5, "prompt eval": 0.125, "eval": 0.25 + 4.0 - 1.75 / 2,
        "griptape and network": 0.5,
    }  # fmt: skip


def test_tools_beside_the_request_of_another_branch() -> None:
    steps = [Step(0.0, TOLD, tools_s=2.0, task="a"), Step(2.0, LONG, task="b")]
    assert told(parts_of(steps, 6.0))["tools"] == 1.0
    assert told(parts_of(steps, 6.0))["eval"] == 0.5 + 1.0 + 2.0


@pytest.mark.parametrize("task", ["a", ""])
def test_what_a_tool_asks_for_is_not_counted_twice(task: str) -> None:
    """Of two seconds of tools 0.5 were an embedding, and what a tool asked a model for 1.75."""
    caller = Step(0.0, TOLD, tools_s=3.0, task="a")
    assert told(parts_of([caller, embedding(3.0, 0.5, task)], 6.0)) == {
        "load": 1.0, "prompt eval": 0.25, "eval": 0.5, "tools": 2.5, "embeddings": 0.5,
        "griptape and network": 1.25,
    }  # fmt: skip
    within = [caller, Step(2.5, TOLD, task=task)]
    assert told(parts_of(within, 5.0)) == {
        "load": 2.0, "prompt eval": 0.5, "eval": 1.0, "tools": 1.25, "griptape and network": 0.25,
    }  # fmt: skip


def test_an_embedding_of_another_branch_shares_with_the_tools() -> None:
    steps = [Step(0.0, TOLD, tools_s=2.0, task="a"), embedding(3.0, 1.0, "b")]
    assert told(parts_of(steps, 4.0))["embeddings"] == 0.5
    assert told(parts_of(steps, 4.0))["tools"] == 1.5


def test_an_embedding_is_no_time_that_is_not_told() -> None:
    assert told(parts_of([embedding(0.5, 1.0)], 2.0)) == {
        "embeddings": 1.0,
        "griptape and network": 1.0,
    }
    split = Step(0.0, Timings(1.0, load_s=0.75), kind="embed")  # should one be told some day
    assert told(parts_of([split], 1.0)) == {"load": 0.75, "embeddings": 0.25}


@pytest.mark.parametrize(("total_s", "loaded"), [(0.1, False), (0.19, False), (0.3, None)])
def test_an_embedding_shorter_than_any_load_had_none(total_s: float, loaded: bool | None) -> None:
    assert was_loaded(Timings(total_s), kind="embed") is loaded
    assert was_loaded(Timings(total_s), False, kind="embed") is loaded
    assert was_loaded(Timings(total_s, ttft_s=0.1), False) is True, "a text was streamed"
    assert was_loaded(Timings(0.1, load_s=0.5), kind="embed") is True, "if it is told"


def test_numbers_that_are_too_long_exceed_the_run_whatever_goes_on_beside_them() -> None:
    wrong = Timings(1.0, load_s=5.0, prompt_eval_s=0.0, eval_s=0.0)
    beside = [Step(0.0, wrong, task="a"), Step(1.0, LONG, task="b")]
    assert exceeds_s(parts_of(beside, 5.0), 5.0) == pytest.approx(4.0)
    at_once = [Step(0.0, LONG, task="a"), Step(0.0, LONG, task="b")]
    assert exceeds_s(parts_of(at_once, 4.0), 4.0) == 0


# --- whatever goes on ----------------------------------------------------------------------------

RUN_S = 30.0
lengths = st.floats(0, 3)
shares = st.one_of(st.none(), st.floats(0, 1))
tasks = st.sampled_from(["", "a", "b", "c"])


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """A step of a run of 30 s; what the server tells of it lies within it."""
    total_s = draw(lengths)
    split = [draw(shares) for _ in range(3)]
    whole = max(1.0, sum(share or 0 for share in split))
    load, prompt_eval, answer = (None if x is None else total_s * x / whole for x in split)
    timings = Timings(total_s, None, load, prompt_eval, answer)
    kind = draw(st.sampled_from(["chat", "chat", "embed"]))
    tools_s = draw(st.one_of(st.none(), lengths)) if kind == "chat" else None
    starts_s = st.floats(0, RUN_S - total_s - (tools_s or 0))
    return Step(draw(starts_s), timings, tools_s=tools_s, task=draw(tasks), kind=kind)


@given(st.lists(steps(), max_size=12), st.randoms())
def test_they_add_up_and_their_order_does_not_matter(made: list[Step], luck: object) -> None:
    parts = parts_of(made, RUN_S)
    assert sum(parts.values()) == pytest.approx(RUN_S, abs=1e-6)
    assert all(seconds >= 0 for seconds in parts.values())
    assert exceeds_s(parts, RUN_S) == 0
    luck.shuffle(made)  # type: ignore[attr-defined]
    assert parts_of(made, RUN_S) == pytest.approx(parts, abs=1e-6)
    assert RUN_S - parts["griptape and network"] == pytest.approx(covered_s(made), abs=1e-6)


@given(st.lists(steps(), max_size=8))
def test_one_after_another_they_are_sums(made: Sequence[Step]) -> None:
    """But for the last digit, which `sum` rounds better from Python 3.12 on."""
    later = [
        Step(RUN_S * n, s.timings, tools_s=s.tools_s, task=s.task, kind=s.kind)
        for n, s in enumerate(made)
    ]
    parts = parts_of(later, RUN_S * 9)
    assert parts["load"] == close(s.timings.load_s for s in later)
    assert parts["prompt eval"] == close(s.timings.prompt_eval_s for s in later)
    assert parts["eval"] == close(s.timings.eval_s for s in later)
    assert parts["tools"] == close(s.tools_s for s in later)


def close(seconds: Iterable[float | None]) -> Any:
    return pytest.approx(math.fsum(s or 0.0 for s in seconds), rel=1e-12)


def covered_s(made: Sequence[Step]) -> float:
    """How long anything went on, counted the other way: over the union of the phases."""
    phases = sorted((p.start_s, p.end_s) for step in made for p in phases_of(step))
    covered, until_s = 0.0, 0.0
    for start_s, end_s in phases:
        covered += max(0.0, end_s - max(start_s, until_s))
        until_s = max(until_s, end_s)
    return covered
