"""A number of ours beside a second witness: what was compared, and how far apart they were."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

HEAD = (
    "| number | witness | compared | median difference | largest | at most | because |",
    "|---|---|---|---|---|---|---|",
)

EXACT = "counts that nothing can blur"
CLOCK_MS = 250.0
"""Between a socket and our clock are a client, griptape, and Python's threads, which wait for their
turn on a busy machine: for 107 ms at most, on two cores that four others used."""


@dataclass
class Comparison:
    """One number, held against one witness as often as there was an occasion.

    Parameters
    ----------
    number, witness:
        What is compared, in words.
    unit:
        Of the differences; ``""`` for a count, ``"words"`` for what agrees or does not.
    at_most:
        The largest difference that is no fault. A deterministic number agrees exactly: 0.
    because:
        Why there may be a difference, or why there may be none.
    is_least:
        Ours says "at least": it may be smaller by any number, and is never larger.
    since:
        Ollama tells it from this version on; None: it always does.
    """

    number: str
    witness: str
    unit: str
    at_most: float
    because: str
    is_least: bool = False
    since: str | None = None
    differences: list[tuple[float, str]] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)

    def hold(self, ours: float | None, theirs: float, where: str) -> None:
        """Ours, which may be not told, against the witness's; ``where`` finds the case again."""
        if ours is None:
            self.untold.append(where)
        else:
            said = f"{where}: {ours:.6g}, the witness says {theirs:.6g}"
            self.differences.append((ours - theirs, said))

    def hold_ms(self, ours_s: float | None, theirs_s: float | None, where: str) -> None:
        """The same of seconds, told in milliseconds; None of the witness: it never came."""
        if theirs_s is not None:
            self.hold(None if ours_s is None else ours_s * 1e3, theirs_s * 1e3, where)
        elif ours_s is not None:
            self.hold(math.inf, 0, f"{where}, {ours_s:.3f} s of what never came")

    def hold_word(self, ours: str | None, right: Collection[str], where: str) -> None:
        """A word of ours against those that are right; None: ours says that it is not known."""
        if ours is None:
            self.untold.append(where)
        else:
            said = f"{where}: {ours!r}, the witness says {' or '.join(sorted(right))!r}"
            self.differences.append((float(ours not in right), said))

    @property
    def largest(self) -> float | None:
        """The largest difference, with its sign (ours less the witness's); None for none."""
        return max((d for d, _ in self.differences), key=abs, default=None)

    @property
    def median(self) -> float | None:
        """The difference in the middle; None for none."""
        return statistics.median(d for d, _ in self.differences) if self.differences else None

    @property
    def faults(self) -> list[str]:
        """The cases that are beyond what is allowed; and that there was no case at all."""
        if not self.differences:
            return [] if self.untold and self.since is not None else ["nothing was compared"]
        return [said for d, said in self.differences if not self._is_allowed(d)]

    def _is_allowed(self, difference: float) -> bool:
        return difference <= self.at_most and (self.is_least or difference >= -self.at_most)

    def row(self) -> str:
        """A line of the table."""
        compared = str(len(self.differences))
        if self.untold:
            until = f" before {self.since}" if self.since is not None else ""
            compared += f" ({len(self.untold)} not told{until})"
        median = "" if self.unit == "words" else self._shown(self.median)
        cells = (
            self.number, self.witness, compared, median,
            self._shown(self.largest), self._shown(self.at_most, is_bound=True), self.because,
        )  # fmt: skip
        return f"| {' | '.join(cells)} |"

    def _shown(self, value: float | None, is_bound: bool = False) -> str:
        if self.unit == "words":
            wrong = sum(d != 0 for d, _ in self.differences)
            return "none differs" if is_bound or not wrong else f"{wrong} differ"
        if value is None:
            return "none compared"
        if not self.unit:
            counted = f"{value:+g}" if value else "0"
            return "never more" if is_bound and self.is_least else counted
        return f"{value:g} {self.unit}" if is_bound else f"{value:+.3g} {self.unit}"


def told(comparisons: Iterable[Comparison]) -> tuple[str, bool]:
    """The table, with what is wrong below it; and whether all is right."""
    rows, wrong = list(HEAD), []
    for comparison in comparisons:
        rows.append(comparison.row())
        wrong += [f"{comparison.number}: {fault}" for fault in comparison.faults]
    below = ["", "Beyond what is allowed:", *wrong] if wrong else []
    return "\n".join([*rows, *below]), not wrong
