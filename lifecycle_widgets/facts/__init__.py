"""Every fact about Ollama's treatment of models that this product builds on, each with a trial.

`FACTS` has them by name; `check` tries them on a `Lab`; `versions.HOLDS` says in which versions
of Ollama they hold. ``lifecycle-lab facts`` prints them for the reader's own server.
"""

from __future__ import annotations

# each registers its facts
from lifecycle_widgets.facts import (
    answers,
    doors,
    environment,
    errors,
    grammar,
    limits,
    listings,
    loading,
    prompt_cache,
    races,
    reloading,
    timer,
    unloading,
)
from lifecycle_widgets.facts.check import Finding, check, show, try_fact
from lifecycle_widgets.facts.fact import FACTS, Fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.outcomes import CannotTry, NotSo
from lifecycle_widgets.facts.versions import HOLDS, holds_in

__all__ = [
    "FACTS",
    "HOLDS",
    "TOPICS",
    "CannotTry",
    "Fact",
    "Finding",
    "Lab",
    "NotSo",
    "check",
    "holds_in",
    "show",
    "try_fact",
]

_PARTS = (grammar, environment, timer, unloading, loading, reloading, limits, listings, answers)
TOPICS = tuple(part.TOPIC for part in (*_PARTS, prompt_cache, errors, doors, races))
"""The groups of facts, in the order in which they are printed."""

_in_order = sorted(FACTS.items(), key=lambda item: TOPICS.index(item[1].topic))
FACTS.clear()
FACTS.update(_in_order)
