"""Plan and Step: what an experiment is going to do, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle_widgets.experiments.result import as_markdown


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
        how large its models are.
    models:
        The models that it loads and unloads on ``server``. Empty when it uses private servers
        only.
    notes:
        What the reader should know first: what cannot be measured here, and why.
    """

    what: str
    rows: int
    seconds: float
    memory_bytes: int | None = 0
    models: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def _repr_markdown_(self) -> str:
        """As a notebook shows it."""
        facts = f"{self.rows} measurements, about {self.seconds:.0f} s"
        if self.memory_bytes is None:
            facts += ", how much memory is not told"
        elif self.memory_bytes:
            facts += f", up to about {self.memory_bytes / 1e9:.1f} GB of memory"
        text = f"{self.what} {facts}."
        return "\n".join([as_markdown(text), "", *(f"- {as_markdown(n)}" for n in self.notes)])


@dataclass(frozen=True)
class Step:
    """How far an experiment is: ``done`` of ``total`` measurements, and what comes now."""

    done: int
    total: int
    what: str
