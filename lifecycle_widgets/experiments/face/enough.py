"""Whether there is enough for a verdict: two whole rounds, or two arms with all of their calls."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from lifecycle_widgets.experiments.statistics import Interval

LEAST_ROUNDS = 2
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class TooLittle(ValueError):
    """Too little was measured for a verdict; the text says what there is."""


def require_rounds(frame: pd.DataFrame, conditions: Collection[str], planned: int) -> None:
    """See that two rounds at least are whole; whatever was compared within one is one comparison.

    Parameters
    ----------
    frame:
        With the columns ``round`` and ``condition``.
    conditions:
        What belongs to a whole round.
    planned:
        How many rounds there were to be.

    Raises
    ------
    TooLittle
        With the sentence for the reader.

    Examples
    --------
    >>> frame = pd.DataFrame({"round": [1, 1, 2], "condition": ["there", "gone", "there"]})
    >>> require_rounds(frame, ("there", "gone"), planned=3)
    Traceback (most recent call last):
    lifecycle_widgets.experiments.face.enough.TooLittle: Too little measured ...: one of three ...
    """
    seen = frame.groupby("round")["condition"].agg(set)
    whole = sum(set(conditions) <= one for one in seen)
    if whole >= LEAST_ROUNDS:
        return
    rounds = "round" if planned == 1 else "rounds"
    advice = f" It takes {_word(LEAST_ROUNDS)}." if planned < LEAST_ROUNDS else ""
    raise TooLittle(
        f"Too little measured for a verdict: {_word(whole)} of {_word(planned)} {rounds}.{advice}"
    )


def require_reload(lost_s: Interval) -> None:
    """See that what a reload costs rests on more than one call of a kind. Raises TooLittle."""
    if not lost_s.has_ends:
        raise TooLittle("Too little is measured for what a reload costs: one call of a kind.")


def not_compared(whole: Sequence[str]) -> str:
    """The sentence that says why nothing is compared; empty where there are two arms or more.

    Parameters
    ----------
    whole:
        The arms with all of their calls: only these have had the same, and can be compared.

    Examples
    --------
    >>> not_compared(["5m"])
    'Nothing is compared: only 5m has had all of its calls.'
    >>> not_compared([])
    'Nothing is compared: no arm has had all of its calls.'
    """
    if len(whole) > 1:
        return ""
    who = f"only {whole[0]}" if whole else "no arm"
    return f"Nothing is compared: {who} has had all of its calls."


def _word(number: int) -> str:
    return _WORDS[number] if number < len(_WORDS) else str(number)
