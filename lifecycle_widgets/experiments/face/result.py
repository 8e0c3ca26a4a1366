"""Result: what an experiment measured; a frame, a figure, a verdict; saved and loaded."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from lifecycle_widgets.experiments.face.enough import TooLittle
from lifecycle_widgets.experiments.ground.meanwhile import beside_sentence, much
from lifecycle_widgets.experiments.statistics import Interval
from lifecycle_widgets.terms import how_to_read
from lifecycle_widgets.whole_files import write_whole

if TYPE_CHECKING:
    import plotly.graph_objects as go

FRAME, FACTS = "frame.csv", "facts.json"
_FORMAT = 1


@dataclass(frozen=True)
class Result(ABC):
    """What an experiment measured. Each experiment has its own kind.

    Parameters
    ----------
    frame:
        One row per measurement, in order of time; units are in the columns' names.
    facts:
        What was measured where: plain JSON values. Always ``server_url``, ``server_kind``,
        ``ollama_version``, ``started_at`` (ISO, with time zone), ``seconds``, ``planned`` (how
        many rows there were to be), ``stopped``, ``error``, ``meanwhile`` (what other
        work the machine had, see `meanwhile_facts`), and the experiment's own settings.
    """

    frame: pd.DataFrame = field(repr=False)
    facts: Mapping[str, Any]

    kind: ClassVar[str] = ""
    kinds: ClassVar[dict[str, type[Result]]] = {}  #: all that have been imported, by `kind`

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        Result.kinds[cls.kind] = cls

    @property
    def is_complete(self) -> bool:
        """False when it was stopped or failed before its end; what there is, is good."""
        return not self.facts["stopped"] and self.facts["error"] is None

    @property
    def share_of_others(self) -> float | None:
        """The share of the CPU that other work took meanwhile, 0 to 1; None when it is not told."""
        share = self.facts.get("meanwhile", {}).get("cpu_of_others")
        return None if share is None else float(share)

    @property
    def undisturbed(self) -> pd.DataFrame:
        """The rows that nobody else's requests have touched: what the verdict rests on."""
        if "others" not in self.frame:
            return self.frame
        return self.frame[~self.frame["others"].astype(bool)]

    def _others_sentence(self) -> str:
        """How many rows are left out since somebody else used the model; empty for none."""
        touched = len(self.frame) - len(self.undisturbed)
        if not touched:
            return ""
        return (
            f" {touched} of {len(self.frame)} measurements are left out: somebody else has used "
            "the model, or unloaded it, meanwhile."
        )

    @property
    def verdict(self) -> str:
        """What the data say, in a sentence or two, computed from them."""
        if self.frame.empty:
            return f"Nothing was measured{self._how_it_ended()}."
        said = self._what_it_says() + self._others_sentence()
        return said + beside_sentence(self.share_of_others)

    def _what_it_says(self) -> str:
        if not self.is_complete:
            done, planned = len(self.frame), self.facts["planned"]
            head = f"Measured {done} of {planned}{self._how_it_ended()}."
            try:
                return f"{head} {self._verdict()}"
            except TooLittle as lacking:
                return f"{head} {lacking}"
            except (ValueError, KeyError, IndexError):  # too little for a verdict
                return head
        try:
            return self._verdict()
        except ValueError as lacking:
            return f"Measured {len(self.frame)}. {lacking}"

    @property
    def _taken(self) -> float:
        """The share of the CPU that others took, where that is worth a word; else 0."""
        return much(self.share_of_others)

    def _widened(self, interval: Interval) -> Interval:
        """The interval of a time, for whatever other work ran beside it (see `Interval.beside`)."""
        return interval.beside(self._taken) if self._taken else interval

    def _how_it_ended(self) -> str:
        if self.facts["error"]:
            return f", then it failed: {str(self.facts['error']).rstrip('.')}"
        return ", then it was stopped" if self.facts["stopped"] else ""

    @abstractmethod
    def _verdict(self) -> str:
        """The verdict on a frame with rows; ValueError when they are too few for one."""

    @property
    @abstractmethod
    def figure(self) -> go.Figure:
        """The data as a plotly figure (plotly is imported here and not before)."""

    def save(self, folder: str | Path) -> Path:
        """Write it to a folder (``frame.csv``, ``facts.json``), which is made if need be.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        OSError
            When it cannot be written. What was saved there before is untouched then.

        Examples
        --------
        >>> load_result(result.save("today")).verdict == result.verdict  # doctest: +SKIP
        True
        """
        place = Path(folder)
        types = {str(name): str(kind) for name, kind in self.frame.dtypes.items()}
        about = {"format": _FORMAT, "kind": self.kind, "types": types, "facts": dict(self.facts)}
        text = {
            FRAME: self.frame.to_csv(index=False),
            FACTS: json.dumps(about, indent=2) + "\n",
        }
        try:
            write_whole(place, text)
        except OSError as fault:
            raise type(fault)(
                fault.errno,
                f"The result was not saved ({fault.strerror}). It is still in memory: make room, "
                "or save it to another folder",
                str(place),
            ) from fault
        return place

    def _repr_markdown_(self) -> str:
        """The verdict, and how to read its first interval."""
        said = self.verdict
        reading = how_to_read(said)
        below = f"\n\n<small>{as_markdown(reading)}</small>" if reading else ""
        return as_markdown(said) + below


def as_markdown(text: str) -> str:
    """Markdown that shows the text as it is: names of models and errors are not markup.

    Examples
    --------
    >>> as_markdown("T* of <b>")
    'T\\\\* of \\\\<b\\\\>'
    """
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|!" else c for c in text)
