"""What a reload costs on a server, measured in some seconds: the load, and reading again."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from lifecycle_widgets.facts.lab import Lab

_ROUNDS = 3
_LINES = 20  # some 300 tokens
_NS = 1e-9


@dataclass(frozen=True)
class Cost:
    """Medians of a few reloads of one model.

    ``load_s``; ``read_s`` and ``again_s``: prompt eval just after a load, and of nearly the same
    prompt while the model stays; ``tokens`` of that prompt; ``held_bytes`` (None: not told);
    ``n`` measurements of each.
    """

    model: str
    load_s: float
    read_s: float
    again_s: float
    tokens: int
    held_bytes: int | None
    n: int

    @property
    def reading_again_s(self) -> float:
        """What a reload costs beside the load."""
        return max(0.0, self.read_s - self.again_s)

    @property
    def reload_s(self) -> float:
        """L: all that it costs."""
        return self.load_s + self.reading_again_s

    def t_star_s(self, price_s_per_gb_min: float) -> float | None:
        """The break-even gap at a price; None where the memory is not told."""
        if not self.held_bytes:
            return None
        return 60 * self.reload_s / (self.held_bytes / 1e9 * price_s_per_gb_min)


def measured_cost(lab: Lab) -> Cost:
    """Measure it, with the smallest model.

    Raises
    ------
    CannotTry
        Where it may not be loaded.
    NotSo
        When the server answers with an error.
    """
    model, cold, warm = lab.model, [], []
    for number in range(_ROUNDS):
        lab.cold(model)
        cold.append(_read(lab, model, f"Number {number}: now?"))
        warm.append(_read(lab, model, f"Number {number}: and then?"))
    held_bytes = lab.entry(model).size_bytes
    lab.cold(model)
    return Cost(
        model,
        load_s=_median(cold, "load_duration"),
        read_s=_median(cold, "prompt_eval_duration"),
        again_s=_median(warm, "prompt_eval_duration"),
        tokens=int(cold[-1].get("prompt_eval_count", 0)),
        held_bytes=held_bytes,
        n=_ROUNDS,
    )


def _read(lab: Lab, model: str, end: str) -> dict[str, Any]:
    lines = (f"Line {number} of the log says that all is well." for number in range(_LINES))
    prompt = " ".join([*lines, end])
    return lab.answer(model, tokens=1, prompt=prompt, raw=True, keep_alive=60)


def _median(answers: list[dict[str, Any]], field: str) -> float:
    return float(median(answer.get(field, 0) * _NS for answer in answers))
