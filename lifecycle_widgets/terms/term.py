"""Term: a word of the lessons, tables and figures, and what it means."""

from __future__ import annotations

from dataclasses import dataclass

OURS = "measured here"
OLLAMA = "Ollama tells it"
FIELD = "a word of the field"


@dataclass(frozen=True)
class Term:
    """A word, and what it means in simple English.

    Parameters
    ----------
    name:
        The word.
    meaning:
        One or two short sentences.
    forms:
        How else it appears: written out, in the plural, as the column of a table.
    unit:
        What it is counted in; empty for what is no quantity.
    source:
        Where it comes from: a field of Ollama's, a clock of ours, the field.
    """

    name: str
    meaning: str
    forms: tuple[str, ...] = ()
    unit: str = ""
    source: str = FIELD

    @property
    def words(self) -> tuple[str, ...]:
        """The name and all other forms."""
        return (self.name, *self.forms)

    @property
    def tip(self) -> str:
        """What it means and in which unit, in one line: for a tooltip."""
        return f"{self.meaning} Unit: {self.unit}." if self.unit else self.meaning

    def __str__(self) -> str:
        also = f" (also: {', '.join(self.forms)})" if self.forms else ""
        return f"{self.name}{also}: {self.tip} From: {self.source}."
