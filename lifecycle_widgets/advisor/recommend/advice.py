"""Advice: what `advise` gives, for each model and for the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.advisor.price import Price
from lifecycle_widgets.advisor.recommend.telling.plain import plain
from lifecycle_widgets.advisor.recommend.telling.shown import advice_html, advice_text, frame_of
from lifecycle_widgets.advisor.recommend.values import ModelAdvice, ServerAdvice
from lifecycle_widgets.keep_alive import KeepAlive

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Advice:
    """What to set, per model and for the server; each with its reasons.

    Parameters
    ----------
    models:
        One of each model there is evidence of, the most asked first.
    server:
        For the server; None where there is no model to advise on.
    price:
        What it was made for.
    source:
        What it was made from: "the history of the last 3 days", "trace.csv".
    notes:
        What a reader has to know: models without an advice and why, what was left out.
    """

    models: tuple[ModelAdvice, ...]
    server: ServerAdvice | None
    price: Price
    source: str
    notes: tuple[str, ...] = ()

    def model(self, name: str) -> ModelAdvice:
        """The advice for that model. Raises KeyError, which names those that there are."""
        for one in self.models:
            if one.model == name:
                return one
        known = ", ".join(one.model for one in self.models) or "none"
        raise KeyError(f"There is no advice for {name!r}; there is for {known}.")

    @property
    def keep_alives(self) -> dict[str, KeepAlive]:
        """The recommended value by model: as `run` and `TuningLab` take it."""
        return {one.model: one.keep_alive for one in self.models}

    @property
    def frame(self) -> pd.DataFrame:
        """A row per model: values, cost, waiting, reloads, savings, evidence; in plain numbers."""
        return frame_of(self.models)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: what `lifecycle-lab advise --json` prints."""
        return {
            "source": self.source,
            "price": plain(self.price),
            "models": [one.to_dict() for one in self.models],
            "server": None if self.server is None else plain(self.server),
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        return advice_text(self)

    def _repr_html_(self) -> str:
        return advice_html(self)
