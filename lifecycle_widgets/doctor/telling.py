"""How diagnoses are told: as text for a terminal, as JSON for a program."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from lifecycle_widgets.doctor.diagnosis import GOOD, SEVERITIES, Diagnosis
from lifecycle_widgets.facts import FACTS

_WIDTH = 96
_PLURAL = {"fault": "faults", "warning": "warnings", "note": "notes", "good": "good"}


def in_order(diagnoses: Iterable[Diagnosis]) -> list[Diagnosis]:
    """The worst first; of one severity as they were found."""
    order = list(SEVERITIES)
    return sorted(diagnoses, key=lambda one: order.index(one.severity))


def because(diagnosis: Diagnosis) -> tuple[str, ...]:
    """The sentences of the facts that it rests on, each after its topic.

    Examples
    --------
    >>> because(Diagnosis("a name", "It is so.", facts=("option num_ctx reloads",)))[0]
    'What has a resident model loaded anew: Another num_ctx does, and so does the next request ...'
    """
    facts = (FACTS[name] for name in diagnosis.facts)
    return tuple(f"{fact.topic}: {fact.sentence}" for fact in facts)


def counts_text(diagnoses: Iterable[Diagnosis]) -> str:
    """How many there are of each severity, the worst first.

    Examples
    --------
    >>> counts_text([Diagnosis("a", "A.", severity="good"), Diagnosis("b", "B.")])
    '1 note, 1 good'
    >>> counts_text([])
    'nothing was looked at'
    """
    found = [one.severity for one in diagnoses]
    parts = [
        f"{found.count(s)} {s if found.count(s) == 1 else _PLURAL[s]}"
        for s in SEVERITIES
        if s in found
    ]
    return ", ".join(parts) or "nothing was looked at"


def show(diagnoses: Iterable[Diagnosis]) -> str:
    """The diagnoses as text, the worst first: what, the evidence, what to do, and why it is so.

    Examples
    --------
    >>> print(show([Diagnosis("a name", "It is so.", ("seen at noon",), "Change it.", "warning")]))
    warning  It is so.
             - seen at noon
             What to do: Change it.
    <BLANKLINE>
    1 warning
    """
    found = in_order(diagnoses)
    lines = [line for one in found for line in _lines(one)]
    return "\n".join([*lines, "", counts_text(found)])


def _lines(one: Diagnosis) -> Iterator[str]:
    yield from _wrapped(f"{one.severity:7}  ", one.sentence)
    if one.severity == GOOD:
        return
    for line in one.evidence:
        yield from _wrapped(f"{'':9}- ", line)
    if one.advice:
        yield from _wrapped(f"{'':9}What to do: ", one.advice, 9)
    for sentence in because(one):
        yield from _wrapped(f"{'':9}Because: ", sentence, 9)


def _wrapped(first: str, words: str, indent: int | None = None) -> list[str]:
    return textwrap.wrap(
        _printable(words),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * (len(first) if indent is None else indent),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def _printable(words: str) -> str:
    """In one line, and without what would move a terminal's cursor, or worse."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(words.split()))


def to_json(diagnoses: Iterable[Diagnosis]) -> list[dict[str, Any]]:
    """The diagnoses as values that JSON can hold, the worst first, an object each.

    Each has ``name``, ``severity``, ``sentence``, ``evidence``, ``advice``, ``because`` (the
    sentences of the facts it rests on) and ``unload`` (the model whose unloading cures it, or
    null).

    Examples
    --------
    >>> to_json([Diagnosis("a name", "It is so.")])[0]["severity"]
    'note'
    """
    return [
        {
            "name": one.name,
            "severity": one.severity,
            "sentence": one.sentence,
            "evidence": list(one.evidence),
            "advice": one.advice,
            "because": list(because(one)),
            "unload": one.unload,
        }
        for one in in_order(diagnoses)
    ]
