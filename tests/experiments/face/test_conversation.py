"""What is said before a prompt: about so many tokens, or a person's own conversation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_widgets.experiments.face.conversation import (
    Conversation,
    conversations,
    options_for,
    require_whole,
)


@given(st.integers(1, 20_000))
def test_as_long_as_it_was_asked_for(tokens: int) -> None:
    talk = Conversation.of(tokens)
    size = sum(len(text) for turn in talk.turns for text in turn)
    assert talk.tokens == tokens
    assert abs(size / 4 - tokens) < 0.1 * tokens + 60
    assert all(asked and answered for asked, answered in talk.turns)


def test_several_lengths_the_shortest_first() -> None:
    assert [talk.tokens for talk in conversations((4000, 0, 1000))] == [0, 1000, 4000]
    assert conversations([("Who?", "Me.")])[0].turns == (("Who?", "Me."),)


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (-1, "history has -1; give a number of tokens"),
        ((), "history is empty"),
        ((5, 5), "each length once"),
        ("long", "history is 'long'"),
        ([("a", "b"), "c"], "turn 2"),
        ([("a", "b", "c")], "turn 1"),
    ],
)
def test_what_is_no_history(history: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        conversations(history)


def test_the_context_is_made_longer_only_where_it_must_be() -> None:
    assert options_for(Conversation.of(2000), {"seed": 0}) == {"seed": 0}
    assert options_for(Conversation.of(4000), {"seed": 0}) == {"seed": 0, "num_ctx": 8192}


def test_a_prompt_that_was_cut_is_no_measurement() -> None:
    require_whole(Conversation.of(1000), 900)
    require_whole(Conversation.of(1000), None)
    with pytest.raises(ValueError, match="saw 258 of about 1,000 tokens"):
        require_whole(Conversation.of(1000), 258)
