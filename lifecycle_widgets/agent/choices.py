"""What a person can choose for a run, and what is wrong with a choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from lifecycle_widgets.runs import Think

_LEVELS = ("low", "medium", "high")
_SHOWN = 60  # characters of what is wrong that are worth a look
_ELSEWHERE = {
    "think": "give it as think=..., beside options",
    "keep_alive": "give it as keep_alive=..., beside options",
    "model": "give it as model=..., beside options",
    "prompt": "give it as the prompt",
    "messages": "give the prompt in their place",
    "tools": "give griptape's tools as tools=..., beside options",
    "stream": "leave it out: an answer is always streamed",
    "format": "leave it out: for structured output use griptape's own agent",
}


def checked_think(value: object) -> Think:
    """The value of ``think``, if it is one that Ollama takes.

    Raises
    ------
    ValueError
        For anything but None, False, True, "low", "medium" and "high".

    Examples
    --------
    >>> checked_think("low")
    'low'
    >>> checked_think("yes")
    Traceback (most recent call last):
    ValueError: think is 'yes'. Give True, False, 'low', 'medium' or 'high'; None: not sent.
    """
    if value is None or isinstance(value, bool) or (isinstance(value, str) and value in _LEVELS):
        return cast(Think, value)
    raise ValueError(
        f"think is {value!r}. Give True, False, 'low', 'medium' or 'high'; None: not sent."
    )


def checked_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Ollama's options, without what means nothing among them.

    Raises
    ------
    ValueError
        For what belongs to the request itself, where Ollama looks for it.

    Examples
    --------
    >>> checked_options({"num_predict": 8}), checked_options(None)
    ({'num_predict': 8}, {})
    >>> checked_options({"think": False})
    Traceback (most recent call last):
    ValueError: 'think' means nothing in options: give it as think=..., beside options.
    """
    if options is not None and not isinstance(options, Mapping):
        raise ValueError(f'options is {options!r}. Give a dict, such as {{"num_predict": 50}}.')
    given = dict(options or {})
    for name in given:
        if (where := _ELSEWHERE.get(str(name).lower())) is not None:
            raise ValueError(f"{name!r} means nothing in options: {where}.")
    return given


def checked_history(history: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The earlier turns of a conversation, if each is what was asked and what was answered.

    Raises
    ------
    ValueError
        For anything but pairs of texts.

    Examples
    --------
    >>> checked_history([("My name is Ada.", "Hello, Ada.")])
    (('My name is Ada.', 'Hello, Ada.'),)
    >>> checked_history(["My name is Ada."])
    Traceback (most recent call last):
    ValueError: history has 'My name is Ada.' as turn 1. Give (what was asked, what was answered).
    """
    if not isinstance(history, (list, tuple)):
        raise ValueError(
            f"history is {_briefly(history)}. Give a list of pairs: (what was asked, what was "
            "answered)."
        )
    for number, turn in enumerate(history, 1):
        is_pair = isinstance(turn, (list, tuple)) and len(turn) == len(("asked", "answered"))
        if not (is_pair and all(isinstance(text, str) for text in turn)):
            raise ValueError(
                f"history has {_briefly(turn)} as turn {number}. Give (what was asked, what was "
                "answered)."
            )
    return tuple((asked, answered) for asked, answered in history)


def _briefly(value: object) -> str:
    words = repr(value)
    return words if len(words) <= _SHOWN else words[: _SHOWN - 1] + "…"
