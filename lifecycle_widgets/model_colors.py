"""The colours of the models: the same model has the same one everywhere in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterable

# Okabe and Ito's first five, then those that differ most from all before them, also for the
# colour-blind (the least CIEDE2000 of any two is 8.6; for most people 11), and read on dark and
# light (lightness 42 to 78)
COLORS = (
    *("#2a8fd0", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#994580", "#85cc8c", "#39c3e6"),
    *("#994d45", "#3361cc", "#b23c09", "#85ccbe", "#b26e50", "#538077", "#e695a5", "#b29550"),
)


class ModelColors:
    """Gives each model of each server a colour, and never another one.

    A model that has one on another server has it here too, unless a model of this server was given
    it first: the models of one picture differ as long as there are colours.

    Examples
    --------
    >>> colors = ModelColors()
    >>> colors.of("a", ["smollm2:135m", "qwen3:4b"]) == colors.of("b", ["smollm2:135m", "qwen3:4b"])
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: dict[str, dict[str, str]] = {}  # by server, then by model

    def of(self, server: str, models: Iterable[str]) -> dict[str, str]:
        """The colours of a server's models, in the order in which they are named.

        Parameters
        ----------
        server:
            What the server is known by: its address; empty for a picture of several servers.
        models:
            Names, as in /api/ps.
        """
        with self._lock:
            given = self._given.setdefault(server, {})
            for model in models:
                if model not in given:
                    given[model] = self._free(given, model)
            return {model: given[model] for model in models}

    def _free(self, given: dict[str, str], model: str) -> str:
        """The one that it has elsewhere, else one that fewest models here have."""
        used = list(given.values())
        elsewhere = (other[model] for other in self._given.values() if model in other)
        wanted = next((color for color in elsewhere if color not in used), None)
        return wanted or min(COLORS, key=used.count)


MODEL_COLORS = ModelColors()
"""Those of this process: whatever draws models asks it."""
