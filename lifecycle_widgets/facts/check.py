"""Tries facts on a server, and says for each whether it holds there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from dataclasses import dataclass
from itertools import groupby

import httpx

from lifecycle_widgets.facts.fact import FACTS, Fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.outcomes import CannotTry, NotSo
from lifecycle_widgets.facts.versions import holds_in, said_of
from lifecycle_widgets.server import NotTold, ServerError, ServerUnreachable, UnknownModel

# An answer of another shape than awaited, or none at all, is what was seen; no fault of ours.
_OTHER_ANSWERS = (
    ServerError, UnknownModel, TimeoutError, httpx.HTTPError,
    futures.TimeoutError, LookupError, TypeError, ValueError, StopIteration,
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """What the trial of one fact showed.

    ``holds`` is None when it could not be tried; ``seen`` then says why, and otherwise what was
    seen instead. ``expected`` is whether it should hold in this version.
    """

    fact: Fact
    version: str
    holds: bool | None
    seen: str
    expected: bool
    duration_s: float

    @property
    def is_surprise(self) -> bool:
        """True when this version was expected to behave otherwise."""
        return self.holds is not None and self.holds != self.expected

    @property
    def message(self) -> str:
        """One paragraph: the sentence, what was seen, and where it is taught."""
        outcome = {True: "holds", False: "does not hold", None: "was not tried"}[self.holds]
        lines = [f"On Ollama {self.version} this {outcome}: {self.fact.sentence}"]
        if self.seen:
            lines.append(f"Seen: {self.seen}.")
        if self.is_surprise:
            said = said_of(self.fact.name)
            lines.append(f"It was expected to {'' if self.expected else 'not '}hold"
                         f"{f' ({said})' if said else ''}.")  # fmt: skip
            lines += [f"{where} teaches: {words!r}" for where, words in self.fact.taught]
        return "\n".join(lines)


def try_fact(fact: Fact, lab: Lab) -> Finding:
    """Try one fact."""
    version, began = lab.server.version, time.monotonic()
    holds: bool | None = True
    seen = ""
    try:
        fact.trial(lab)
    except NotSo as other:
        holds, seen = False, str(other)
    except CannotTry as why:
        holds, seen = None, str(why)
    except NotTold as why:
        holds, seen = None, str(why)
    except _OTHER_ANSWERS as fault:
        holds, seen = False, f"{type(fault).__name__}: {fault}"
    expected = holds_in(fact.name, version)
    return Finding(fact, version, holds, seen, expected, time.monotonic() - began)


def check(
    lab: Lab, *, slow: bool = False, facts: Iterable[Fact] | None = None
) -> Iterator[Finding]:
    """Try facts one after the other; each finding comes when it is known.

    Parameters
    ----------
    lab:
        What they are tried on.
    slow:
        Also those that take long.
    facts:
        Which; None for all.

    Raises
    ------
    ServerUnreachable
        When the server goes away meanwhile.
    """
    for fact in FACTS.values() if facts is None else facts:
        if slow or not fact.is_slow:
            yield try_fact(fact, lab)
            if not lab.server.answers(5.0):
                raise ServerUnreachable(f"{lab.server.url} went away during: {fact.sentence}")


def show(findings: Iterable[Finding], write: Callable[[str], object] = print) -> None:
    """Write the table as the findings come: fact, holds here or not, since which version."""
    for topic, group in groupby(findings, key=lambda f: f.fact.topic):
        write(f"\n{topic}")
        for finding in group:
            write(_line(finding))


def _line(finding: Finding) -> str:
    said = said_of(finding.fact.name)
    outcome = {True: "holds", False: "does NOT", None: "not tried"}[finding.holds]
    line = f"  {outcome:9}  {finding.fact.sentence}"
    if said:
        line += f" ({said})"
    if finding.is_surprise:
        line += f"\n  {'':9}  UNEXPECTED in {finding.version}. {finding.seen}"
    elif finding.holds is None:
        line += f"\n  {'':9}  {finding.seen}"
    return line
