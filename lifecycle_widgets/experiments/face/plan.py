"""Plan and Step: what an experiment is going to do, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lifecycle_widgets.experiments.face.result import as_markdown
from lifecycle_widgets.experiments.statistics import digits


@dataclass(frozen=True)
class Plan:
    """What an experiment is going to do.

    Parameters
    ----------
    what:
        In a sentence or two: what will be run.
    rows:
        How many measurements.
    seconds:
        How long it will take, about.
    memory_bytes:
        The memory that will be in use at once, about; None: not known, as the server does not tell
        how large its models are. Whether there is room is judged by it: a machine that runs out
        of memory costs more than an experiment that was refused, and one refused by
        ``memory_high_bytes`` would have run most of the time.
    models:
        The models that it loads and unloads on ``server``. Empty when it uses private servers
        only.
    notes:
        What the reader should know first: what cannot be measured here, and why.
    memory_low_bytes, memory_high_bytes:
        Between which it lies; None where there is nothing to tell of that.
    memory_source:
        Where the figures are from: measured here before, told, or an estimate; may be empty.
    """

    what: str
    rows: int
    seconds: float
    memory_bytes: int | None = 0
    models: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    memory_low_bytes: int | None = None
    memory_high_bytes: int | None = None
    memory_source: str = ""

    @property
    def memory_text(self) -> str:
        """How much memory, in words; empty for none.

        Examples
        --------
        >>> Plan("", 1, 1, 310_000_000, (), (), 250_000_000, 430_000_000, "estimated").memory_text
        'up to about 0.31 GB of memory (0.25 to 0.43, estimated)'
        """
        if self.memory_bytes is None:
            return "how much memory is not told"
        if not self.memory_bytes:
            return ""
        text = f"up to about {digits(self.memory_bytes / 1e9, 2)} GB of memory"
        ends = (self.memory_low_bytes, self.memory_high_bytes)
        low, high = (digits(end / 1e9, 2) if end else "" for end in ends)
        between = f"{low} to {high}" if low and high and low != high else ""
        told = ", ".join(part for part in (between, self.memory_source) if part)
        return f"{text} ({told})" if told else text

    def _repr_markdown_(self) -> str:
        """As a notebook shows it."""
        facts = [f"{self.rows} measurements", f"about {about_text(self.seconds)}", self.memory_text]
        text = f"{self.what} {', '.join(fact for fact in facts if fact)}."
        return "\n".join([as_markdown(text), "", *(f"- {as_markdown(n)}" for n in self.notes)])


def about_text(seconds: float) -> str:
    """A duration that is only a guess: rounded up, to 5 s or to half minutes.

    Examples
    --------
    >>> about_text(72), about_text(199)
    ('75 s', '3.5 min')
    """
    if seconds <= 90:
        return f"{max(5, -(-round(seconds) // 5) * 5)} s"
    return f"{-(-round(seconds) // 30) / 2:g} min"


def quoted(names: Iterable[str]) -> str:
    """Names that have commas and blanks in them, so that each can be told from the next.

    Examples
    --------
    >>> quoted(["5m", "5m, at most 2", "server default"])
    "'5m', '5m, at most 2', 'server default'"
    """
    return ", ".join(f"'{name}'" for name in names)


@dataclass(frozen=True)
class Step:
    """How far an experiment is: ``done`` of ``total`` measurements, and what comes now."""

    done: int
    total: int
    what: str
