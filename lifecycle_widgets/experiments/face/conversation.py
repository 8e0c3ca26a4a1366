"""What a model is asked in an experiment: a prompt, and the conversation that came before it.

How long that conversation is decides what a reload costs. While the model stays, its runner keeps
what it has read (the prompt cache) and reads only what is new; unloading throws that away, so that
the next request loads the model *and* reads the whole conversation again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from lifecycle_widgets.agent import checked_history

Turns: TypeAlias = Sequence[tuple[str, str]]
"""Earlier turns: what was asked, and what was answered."""

PROMPT = "Say hello."
READ_TOKENS_PER_S = 250  # prompt eval of a small model on two cores, about: for plans
_BYTES_PER_TOKEN = 4  # of English, about; how many it really were, the run tells
_TURN_TOKENS = 80  # about, of one of our own turns
_LEAST_CONTEXT = 4096  # Ollama's own num_ctx, at least
FRUGAL_CONTEXT = 512  # enough for a short prompt and a short answer
_ROOM_TOKENS = 512  # for the prompt and the answer
_TOLERANCE = 0.5  # a prompt of fewer tokens than this part of what was sent was cut

_TOPICS = ("the harbour", "the library", "the bakery", "the old mill", "the market", "the tower")
_NEWS = ("has a new roof", "opens an hour later", "was painted blue", "looks for two helpers")


@dataclass(frozen=True)
class Conversation:
    """What came before the prompt.

    Parameters
    ----------
    turns:
        What was asked and what was answered, in order.
    tokens:
        How many tokens that is, about.

    Examples
    --------
    >>> Conversation.of(0)
    Conversation(turns=(), tokens=0)
    >>> talk = Conversation.of(1000)
    >>> len(talk.turns), talk.tokens
    (12, 1000)
    >>> Conversation.of([("What is 2 + 2?", "4."), ("And 3 + 3?", "6.")]).tokens
    7
    """

    turns: tuple[tuple[str, str], ...]
    tokens: int

    @classmethod
    def of(cls, history: int | Turns) -> Conversation:
        """One of about so many tokens (made up), or a person's own.

        Raises
        ------
        ValueError
            For a number below 0, or what is no list of (asked, answered).
        """
        if isinstance(history, int) and not isinstance(history, bool):
            if history < 0:
                raise ValueError(f"history has {history}; give a number of tokens, 0 or more.")
            return cls(_made_up(history), history)
        turns = checked_history(history)  # type: ignore[arg-type]
        size = sum(len(text.encode()) for turn in turns for text in turn)
        return cls(turns, round(size / _BYTES_PER_TOKEN))

    @property
    def spoken(self) -> str:
        """In words, such as ``"a history of about 1,000 tokens"``."""
        return f"a history of about {self.tokens:,} tokens" if self.tokens else "no history"


def conversations(history: int | Sequence[int] | Turns) -> tuple[Conversation, ...]:
    """One conversation, or one for each of several lengths, the shortest first.

    Raises
    ------
    ValueError
        As `Conversation.of`; for no length at all, and for one twice.

    Examples
    --------
    >>> [talk.tokens for talk in conversations((1000, 0))]
    [0, 1000]
    """
    if isinstance(history, int):
        return (Conversation.of(history),)
    if isinstance(history, (str, bytes)) or not isinstance(history, Sequence):
        raise ValueError(
            f"history is {history!r}. Give a number of tokens, several, or a conversation: "
            "[(asked, answered), ...]."
        )
    listed: list[Any] = list(history)
    if not listed:
        raise ValueError("history is empty; give 0 for none, or lengths such as (0, 1000).")
    if not all(isinstance(value, int) for value in listed):
        return (Conversation.of(listed),)
    if len(set(listed)) < len(listed):
        raise ValueError(f"history is {tuple(listed)}; give each length once.")
    return tuple(Conversation.of(tokens) for tokens in sorted(listed))


def numbered(prompt: str, number: int) -> str:
    """The prompt with a number: no request is the same as the one before, as in any conversation.

    Of the very same one the runner would read a single token.
    """
    return f"{prompt} ({number})"


def options_for(
    longest: Conversation, options: dict[str, Any], *, least: int = _LEAST_CONTEXT
) -> dict[str, Any]:
    """The options, with a ``num_ctx`` where a conversation would not fit into Ollama's own.

    One for all lengths of an experiment: with another one the model is loaded anew.

    Parameters
    ----------
    least:
        The server's own, in tokens.

    Examples
    --------
    >>> options_for(Conversation.of(1000), {}), options_for(Conversation.of(4000), {})
    ({}, {'num_ctx': 8192})
    """
    needed = 1.25 * longest.tokens + _ROOM_TOKENS
    if needed <= least:
        return options
    num_ctx = least
    while num_ctx < needed:
        num_ctx *= 2
    return {**options, "num_ctx": num_ctx}


def require_whole(sent: Conversation, prompt_tokens: int | None) -> None:
    """Raise ValueError when the model cannot have seen all of what was sent.

    Its cost would be taken for that of a longer conversation.

    Examples
    --------
    >>> require_whole(Conversation.of(4000), 258)
    Traceback (most recent call last):
    ValueError: The model saw 258 of about 4,000 tokens: its context is too short. Give a shorter \
history.
    """
    if prompt_tokens is not None and prompt_tokens < _TOLERANCE * sent.tokens:
        raise ValueError(
            f"The model saw {prompt_tokens:,} of about {sent.tokens:,} tokens: its context is too "
            "short. Give a shorter history."
        )


def _made_up(tokens: int) -> tuple[tuple[str, str], ...]:
    """Turns of about so many tokens in all; a longer one begins as a shorter one does."""
    count = max(1, tokens // _TURN_TOKENS) if tokens else 0
    each = tokens * _BYTES_PER_TOKEN // count if count else 0
    return tuple(_made_up_turn(number, each) for number in range(count))


def _made_up_turn(number: int, size: int) -> tuple[str, str]:
    topic, news = _TOPICS[number % len(_TOPICS)], _NEWS[number % len(_NEWS)]
    asked = f"Note this down for later, please: {topic} {news}."
    said = line = f"Noted: {topic} {news}, and I will remember it for later. "
    while len(asked) + len(said) < size:
        said += line
    return asked, said[: max(7, size - len(asked))].rstrip()
