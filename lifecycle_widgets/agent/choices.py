"""What a person can choose for a run, and what is wrong with a choice."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from lifecycle_widgets.agent.options import checked_options as checked_options
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Think
from lifecycle_widgets.server import same_name
from lifecycle_widgets.short_texts import shortened

_LEVELS = ("low", "medium", "high")
_SHOWN = 60  # characters of what is wrong that are worth a look


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


def checked_hold(hold: bool | None, chosen: Iterable[KeepAlive]) -> bool | None:
    """Whether models are to be held, if there is a keep_alive that is to apply afterwards.

    Parameters
    ----------
    chosen:
        The keep_alive of each model.

    Raises
    ------
    ValueError
        For True, where none is chosen.

    Examples
    --------
    >>> checked_hold(True, [KeepAlive(0)])
    True
    """
    if hold and all(keep_alive.is_default for keep_alive in chosen):
        raise ValueError(
            "hold=True needs a keep_alive: the one that is to apply when the last step has "
            "ended. Choose one, or leave hold out."
        )
    return hold


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


def checked_rules(rules: Iterable[str] | str) -> tuple[str, ...]:
    """The rules of an agent, if each is a text; one text alone is one rule.

    Raises
    ------
    ValueError
        For anything but texts.

    Examples
    --------
    >>> checked_rules("Answer in one sentence.")
    ('Answer in one sentence.',)
    >>> checked_rules([3])
    Traceback (most recent call last):
    ValueError: rules has 3 as rule 1. Give texts, such as ["Answer in one sentence."].
    """
    advice = 'Give texts, such as ["Answer in one sentence."].'
    if isinstance(rules, (Mapping, bytes)) or not isinstance(rules, Iterable):
        raise ValueError(f"rules is {_briefly(rules)}. {advice}")
    given = (rules,) if isinstance(rules, str) else tuple(rules)
    for number, rule in enumerate(given, 1):
        if not isinstance(rule, str):
            raise ValueError(f"rules has {_briefly(rule)} as rule {number}. {advice}")
    return tuple(rule for rule in given if rule.strip())


def checked_keep_alives(keep_alive: Any, models: Iterable[str]) -> dict[str, KeepAlive]:
    """What was chosen for each model of a structure.

    Parameters
    ----------
    keep_alive:
        One value for all of them, or a mapping from a model's name, in any spelling that Ollama
        takes for it, to a value. Each is what `KeepAlive` takes; None: nothing was chosen, so that
        the structure's own applies (`KeepAlive(None)` and "default": the server's is chosen).
    models:
        The names of the structure's models, as it has them.

    Returns
    -------
    dict
        By these names; without those for which nothing was chosen.

    Raises
    ------
    ValueError
        For a name that is no model of the structure, with the one that is near it; for a model
        that is named twice; for what is no keep_alive.

    Examples
    --------
    >>> checked_keep_alives({"Llama3.2": 0}, ["llama3.2:latest", "qwen3:4b"])
    {'llama3.2:latest': KeepAlive('0')}
    >>> checked_keep_alives({"qwen3": 0}, ["llama3.2:latest", "qwen3:4b"])
    Traceback (most recent call last):
    ValueError: keep_alive names 'qwen3', which is no model of this structure. Did you mean \
'qwen3:4b'?
    """
    names = tuple(dict.fromkeys(models))
    if not isinstance(keep_alive, Mapping):
        return {} if keep_alive is None else dict.fromkeys(names, KeepAlive.of(keep_alive))
    chosen: dict[str, KeepAlive] = {}
    for given, value in keep_alive.items():
        meant = [n for n in names if isinstance(given, str) and same_name(n, given)]
        if not meant:
            raise ValueError(
                f"keep_alive names {given!r}, which is no model of this structure. "
                f"{_near_model(str(given), names)}"
            )
        if twice := chosen.keys() & meant:
            raise ValueError(f"keep_alive names {min(twice)!r} twice. Give one value for it.")
        if value is not None:
            chosen |= dict.fromkeys(meant, _keep_alive_of(given, value))
    return chosen


def _keep_alive_of(model: str, value: Any) -> KeepAlive:
    try:
        return KeepAlive.of(value)
    except ValueError as fault:
        raise ValueError(f"{model}: {fault}") from None


def _near_model(given: str, models: Sequence[str]) -> str:
    by_letters = {model.lower().partition(":")[0]: model for model in models}
    by_letters |= {model.lower(): model for model in models}
    if near := difflib.get_close_matches(given.lower(), by_letters, 1, 0.5):
        return f"Did you mean {by_letters[near[0]]!r}?"
    return f"It has {', '.join(map(repr, models))}." if models else "It has no model at all."


def _briefly(value: object) -> str:
    return shortened(repr(value), _SHOWN)
