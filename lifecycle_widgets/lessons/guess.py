"""A guess that was written down before, beside what was seen."""

from __future__ import annotations

from typing import Any

_CLOSE = 0.25  # a number that is off by no more than this part is close


def guess_text(guess: Any, seen: Any, because: str, unit: str = "") -> str:
    """What to say of a guess.

    Parameters
    ----------
    guess:
        A number or a word; None: none was written down.
    seen:
        What it really was.
    because:
        Why it is so, in a sentence or two.
    unit:
        Of the numbers: "s", "times as long".

    Examples
    --------
    >>> print(guess_text(3, 9, "With 0 every call loads its model."))
    Your guess: 3. Seen: 9. With 0 every call loads its model.
    >>> print(guess_text(9, 9, "With 0 every call loads its model."))
    Your guess: 9. That is right. With 0 every call loads its model.
    >>> print(guess_text(2.2, 2.04, "The larger the file, the longer the load.", "s"))
    Your guess: 2.2 s. Seen: 2.0 s, so that was close. The larger the file, the longer the load.
    >>> print(guess_text(None, 9, "With 0 every call loads its model."))
    No guess was written down. Seen: 9. With 0 every call loads its model.
    """
    what, mine = _text(seen, unit), _text(guess, unit)
    if guess is None:
        told = f"No guess was written down. Seen: {what}."
    elif _is_same(guess, seen):
        told = f"Your guess: {mine}. That is right."
    elif _is_close(guess, seen):
        told = f"Your guess: {mine}. Seen: {what}, so that was close."
    else:
        told = f"Your guess: {mine}. Seen: {what}."
    return f"{told} {because}"


def _is_same(guess: Any, seen: Any) -> bool:
    if isinstance(guess, str) and isinstance(seen, str):
        return guess.strip().casefold() == seen.strip().casefold()
    return bool(guess == seen)


def _is_close(guess: Any, seen: Any) -> bool:
    try:
        return abs(float(guess) - float(seen)) <= _CLOSE * abs(float(seen))
    except (TypeError, ValueError):
        return False


def _text(value: Any, unit: str) -> str:
    """A number to a tenth, or to two digits that count; anything else as it is.

    Examples
    --------
    >>> _text(0.0199, "s"), _text(49.3, "times"), _text(3, "")
    ('0.0 s', '49 times', '3')
    """
    if isinstance(value, float):
        value = f"{value:.1f}" if abs(value) < 10 else f"{value:.0f}"
    return f"{value} {unit}".rstrip()
