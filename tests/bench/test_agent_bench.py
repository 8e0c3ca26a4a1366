"""The agent's figures: each of what makes them works on a real Ollama, and gives what can be."""

from __future__ import annotations

import pytest

from lifecycle_widgets.server import Server
from tests.bench.agent import PARTS, bench_agent
from tests.bench.agent.arms import KEPT, MODEL
from tests.bench.agent.comm import sent_by_a_run
from tests.bench.agent.cost import PLAIN, SHORT_TOKENS, Cost, arms_of, measured, tell
from tests.bench.agent.stops import STAGES, ground, stopped

TOKENS = 8


@pytest.fixture
def warm(server: Server) -> Server:
    server.preload(MODEL, KEPT)
    return server


def test_each_arm_gets_the_same_text_by_a_clock_outside(warm: Server) -> None:
    cost = measured(arms_of(warm, TOKENS), TOKENS, times=2)
    assert cost.is_same_text
    for name in cost.asked:
        assert all(0 < one.first_s < one.last_s < one.total_s for one in cost.asked[name]), name
        assert min(cost.of(name, "cpu_s")) > 0
    said: dict[str, str] = {}
    tell(said.__setitem__, Cost(SHORT_TOKENS, cost.asked))
    goals = [name for name in said if f"/ {PLAIN} (at most 1)" in name]
    assert len(goals) == 4, "first text and in all, of both of ours"


def test_what_a_panel_sends_is_counted(warm: Server) -> None:
    sent = sent_by_a_run(warm, TOKENS)
    assert sent.tokens == TOKENS
    assert 1 <= sent.pieces < sent.messages
    assert 0 < sent.text < sent.pieces_bytes < sent.total_bytes


@pytest.mark.slow
def test_a_run_is_stopped_in_a_load_and_in_the_middle_of_its_answer() -> None:
    with ground() as made:
        for name in ("in a cold load", "mid-stream"):
            made.prepare(STAGES[name])
            one = stopped(made, STAGES[name])
            assert 0 <= one.ended_s < 30
            assert 0 <= one.idle_s < 30


def test_a_part_that_is_none_is_told() -> None:
    with pytest.raises(SystemExit, match=f"no part 'costs'; there are: {', '.join(PARTS)}"):
        bench_agent(lambda *_: None, ["costs"])
