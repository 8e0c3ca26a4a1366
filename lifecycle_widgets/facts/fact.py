"""Fact: one sentence about how Ollama treats a model, and the trial that shows whether it is so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lifecycle_widgets.facts.lab import Lab


@dataclass(frozen=True)
class Fact:
    """One sentence about Ollama, with its trial.

    Parameters
    ----------
    name:
        Short and unique; the key in `versions.HOLDS`.
    sentence:
        What is so, in one sentence.
    topic:
        The group it is printed in.
    trial:
        Tries it on a `Lab`. Returns when it is so, raises `NotSo` when not, `CannotTry` when
        that cannot be found out there.
    source:
        Where Ollama 0.32.15 does it: file and function.
    taught:
        Where this product teaches it: (file below the repository without its ending, exact words).
    is_slow:
        True when the trial takes some seconds: without these, all take about a minute.
    """

    name: str
    sentence: str
    topic: str
    trial: Callable[[Lab], None]
    source: str = ""
    taught: tuple[tuple[str, str], ...] = ()
    is_slow: bool = False


FACTS: dict[str, Fact] = {}
"""All facts by name, in the order in which they are printed."""


def add(fact: Fact) -> None:
    """Put a fact into `FACTS`; a name is given once."""
    if fact.name in FACTS:
        raise ValueError(f"There are two facts named {fact.name!r}.")
    FACTS[fact.name] = fact


def fact(
    topic: str,
    sentence: str,
    *,
    source: str = "",
    taught: tuple[tuple[str, str], ...] = (),
    slow: bool = False,
) -> Callable[[Callable[[Lab], None]], Callable[[Lab], None]]:
    """Make a function the trial of a fact; its name, in words, is the fact's."""

    def put(trial: Callable[[Lab], None]) -> Callable[[Lab], None]:
        name = trial.__name__.strip("_").replace("_", " ")
        add(Fact(name, sentence, topic, trial, source, taught, slow))
        return trial

    return put
