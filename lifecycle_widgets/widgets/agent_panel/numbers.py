"""The numbers among Ollama's options that have a field, and what may stand there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lifecycle_widgets.agent.options import LEAST_CONTEXT

_MOST_WHOLE = 2**31 - 1


@dataclass(frozen=True)
class Number:
    """One of Ollama's options: its name there, what it may be, and what it does."""

    name: str
    about: str
    may_be: str
    least: float
    most: float = _MOST_WHOLE
    is_whole: bool = True

    def read(self, text: str) -> float | None:
        """The number that was typed; None for none, which is not sent.

        Raises
        ------
        ValueError
            For anything else, in a sentence.

        Examples
        --------
        >>> TEMPERATURE.read("0.7"), NUM_CTX.read(" 8192 "), SEED.read("")
        (0.7, 8192, None)
        >>> NUM_CTX.read("8k")
        Traceback (most recent call last):
        ValueError: num_ctx is '8k'. Give a whole number of tokens, such as 8192; empty: not sent.
        """
        typed = text.strip()
        if not typed:
            return None
        try:
            value = int(typed) if self.is_whole else float(typed)
        except ValueError:
            value = math.nan
        if not self.least <= value <= self.most:  # as nothing is for what is no number
            raise ValueError(f"{self.name} is {typed!r}. Give {self.may_be}; empty: not sent.")
        return value

    def write(self, value: Any) -> str:
        """The value of an option as it stands in the field.

        Examples
        --------
        >>> TEMPERATURE.write(0), TEMPERATURE.write(None), NUM_CTX.write(8192)
        ('0', '', '8192')
        """
        return "" if value is None else str(value)


TEMPERATURE = Number(
    "temperature",
    "How much chance there is in the choice of each token; 0: none",
    "a number such as 0.7, 0 or more",
    least=0.0,
    is_whole=False,
)
SEED = Number(
    "seed",
    "The same seed gives the same answer to the same prompt; -1: another one each time",
    "a whole number, -1 or more",
    least=-1,
)
NUM_CTX = Number(
    "num_ctx",
    "How many tokens the model can see, prompt and answer together; another one needs a reload",
    "a whole number of tokens, such as 8192",
    least=LEAST_CONTEXT,
)
NUM_PREDICT = Number(
    "num_predict",
    "After how many tokens an answer is cut off; -1: not at all",
    "a whole number of tokens, such as 200, or -1",
    least=-2,
)
NUMBERS = (TEMPERATURE, SEED, NUM_CTX, NUM_PREDICT)
