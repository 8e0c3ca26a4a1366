"""Diagnosis: one finding about a server, what it rests on, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

GOOD, NOTE, WARNING, FAULT = "good", "note", "warning", "fault"

SEVERITIES = {
    FAULT: "something does not work",
    WARNING: "it costs time or memory, or may fail",
    NOTE: "good to know, or could not be looked at",
    GOOD: "looked at, and nothing found",
}
"""Every value of `Diagnosis.severity`, the worst first, with its sentence."""


@dataclass(frozen=True)
class Diagnosis:
    """One finding about a server.

    Parameters
    ----------
    name:
        Short; the same for the same kind of finding.
    sentence:
        What was found, in one sentence.
    evidence:
        What was seen that says so, a line each.
    advice:
        What to do; empty where there is nothing to do.
    severity:
        One of `SEVERITIES`.
    facts:
        The names, in ``facts.FACTS``, of what Ollama does that it rests on.
    unload:
        The model whose unloading cures it; None where unloading is no cure. Nothing unloads it
        unasked.

    Examples
    --------
    >>> found = Diagnosis("two names over one blob", "a and b share one runner.", severity=NOTE)
    >>> found.severity, SEVERITIES[found.severity]
    ('note', 'good to know, or could not be looked at')
    """

    name: str
    sentence: str
    evidence: tuple[str, ...] = ()
    advice: str = ""
    severity: str = NOTE
    facts: tuple[str, ...] = ()
    unload: str | None = None

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"{self.severity!r} is none of {', '.join(SEVERITIES)}.")


def unseen(name: str, what: str, why: str, advice: str = "") -> Diagnosis:
    """What could not be looked at, and why.

    Examples
    --------
    >>> unseen("variables", "the server's variables", "Its process cannot be seen.").sentence
    "Not looked at: the server's variables. Its process cannot be seen."
    """
    return Diagnosis(name, f"Not looked at: {what}. {why}", advice=advice)
