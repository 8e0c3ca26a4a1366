"""What a reload takes: the load, and the prompt that is read again; never a guess."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lifecycle_widgets.advisor.recommend.evidence.reload_cost import ReloadCost, given, reload_cost
from lifecycle_widgets.history import History
from tests.advisor.recommend.chats import HELD_BYTES, chat, keep
from tests.history.history_tools import A, B


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history.sqlite") as history:
        yield history


def test_the_prompt_that_is_read_again_is_a_part_of_it(history: History) -> None:
    """1,000 tokens take 10 s from the beginning, and 0.5 s where the runner has them."""
    cold = [chat(ago_s, is_cold=True) for ago_s in (900.0, 600.0, 300.0)]
    warm = [chat(ago_s) for ago_s in (890.0, 590.0, 290.0)]
    cost = reload_cost(keep(history, *cold, *warm), A)
    assert cost.load_s is not None
    assert cost.prompt_s is not None
    assert cost.load_s.median == pytest.approx(2.0)
    assert cost.prompt_s.median == pytest.approx(9.5)
    assert cost.seconds == pytest.approx(11.5)
    assert (cost.n, cost.held_bytes) == (3, HELD_BYTES)
    assert cost.told.startswith("A reload takes 11.5 s: 2 s of load (3 loads) and 9.5 s to read")


def test_a_prompt_that_was_read_whole_anyway_is_not(history: History) -> None:
    """A new conversation has nothing in the prompt cache that could be lost."""
    cold, warm = chat(900.0, is_cold=True), chat(600.0, prompt_eval_s=10.0)
    cost = reload_cost(keep(history, cold, warm), A)
    assert cost.prompt_s is not None
    assert cost.prompt_s.median == 0.0


def test_where_prompts_are_not_told_it_is_the_least_that_it_takes(history: History) -> None:
    some = [chat(ago_s, is_cold=True, prompt_eval_s=None) for ago_s in (900.0, 600.0)]
    cost = reload_cost(keep(history, *some), A)
    assert cost.prompt_s is None
    assert cost.seconds == pytest.approx(2.0)
    assert "at least" in cost.told


def test_one_load_has_no_interval(history: History) -> None:
    cost = reload_cost(keep(history, chat(900.0, is_cold=True)), A)
    assert cost.load_s is not None
    assert not cost.load_s.has_ends


def test_what_was_never_loaded_here_is_not_known(history: History) -> None:
    cost = reload_cost(keep(history, chat(900.0)), B)
    nothing = ReloadCost(None, None, None, 0, None, cost.told)
    assert cost == nothing
    assert cost.seconds is None
    assert cost.told.endswith(f"measured here: lw.ColdAndWarm('{B}').run() does.")


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, "2 s"])
def test_what_is_no_time_and_no_size_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^The reload is .*: give seconds above 0\.$"):
        given(value, None)
    with pytest.raises(ValueError, match=r"^The memory held is .*: give bytes above 0\.$"):
        given(1.0, value)
