"""Claim: an advice that is copied widely; Verdict: whether it is so on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lifecycle_widgets.facts.claims.evidence import Evidence

TRUE, FALSE, DEPENDS, NOT_MEASURED = "true", "false", "it depends", "not measured here"


@dataclass(frozen=True)
class Verdict:
    """Whether a claim is so.

    Parameters
    ----------
    word:
        ``"true"``, ``"false"``, ``"it depends"`` or ``"not measured here"``.
    because:
        What was seen, or why it was not measured and what to do; in a sentence or two.
    is_measured:
        Whether that was seen on this machine, now or in a result that was given.
    """

    word: str
    because: str
    is_measured: bool = True

    def __str__(self) -> str:
        here = " here" if self.is_measured and self.word in (TRUE, FALSE) else ""
        return f"{self.word}{here}: {self.because}"


@dataclass(frozen=True)
class Claim:
    """An advice as people say it, and what is true.

    Parameters
    ----------
    words:
        As people say it.
    truth:
        What is so, in one sentence.
    lesson, cell:
        The notebook (without its ending) and the cell that measures it.
    measures:
        Words of that cell without which it would measure something else.
    judge:
        Says the verdict, from what can be tried and what was measured.
    said_in:
        Where it is said, or what makes people say it; empty: one hears it everywhere.
    """

    words: str
    truth: str
    lesson: str
    cell: str
    measures: str
    judge: Callable[[Evidence], Verdict]
    said_in: str = ""

    @property
    def lesson_number(self) -> int:
        """The number of the lesson that measures it."""
        return int(self.lesson[:2])
