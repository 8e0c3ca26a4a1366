"""Evidence: what verdicts rest on: facts that are tried, short measurements, results given."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Protocol

from lifecycle_widgets.facts.check import Finding, try_fact
from lifecycle_widgets.facts.claims.cost import Cost, measured_cost
from lifecycle_widgets.facts.fact import FACTS
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.server import chat_models

_MOST_MODELS = 3  # as many are kept at a time without a GPU


class Measured(Protocol):
    """What an experiment gave, as far as it is asked here."""

    kind: Any
    facts: Any

    @property
    def is_complete(self) -> bool:
        """Whether it ran to its end."""


class Evidence:
    """What can be known of one server. Each thing is tried or measured once, when it is asked for.

    Parameters
    ----------
    lab:
        The server under trial; None: no server, so nothing is measured.
    results:
        What experiments have measured on this machine.
    """

    def __init__(self, lab: Lab | None = None, results: Iterable[Measured] = ()) -> None:
        self.lab = lab
        self._results = {result.kind: result for result in results if result.is_complete}
        self._findings: dict[str, Finding] = {}

    def result(self, kind: str) -> Any:
        """The last complete result of a kind of experiment; None without one."""
        return self._results.get(kind)

    def finding(self, name: str) -> Finding | None:
        """What the trial of a fact showed; None without a server."""
        if self.lab is None:
            return None
        if name not in self._findings:
            self._findings[name] = try_fact(FACTS[name], self.lab)
        return self._findings[name]

    @cached_property
    def cost(self) -> Cost | None:
        """What a reload costs; None without a server. Raises as `measured_cost`."""
        return None if self.lab is None else measured_cost(self.lab)

    @cached_property
    def default_s(self) -> float | None:
        """The keep_alive that a model gets when it is loaded without one; None without a server.

        Raises
        ------
        CannotTry, NotSo
            Where a model may not be loaded, or the server does not tell until when it stays.
        """
        if self.lab is None:
            return None
        model = self.lab.cold(self.lab.model)
        self.lab.answer(model, tokens=1)
        if self.lab.server.resident(model) is None:
            return 0.0
        left_s = self.lab.left_s(model)
        self.lab.cold(model)
        return left_s if math.isinf(left_s) else float(round(left_s))

    @cached_property
    def room(self) -> tuple[int, float, float] | None:
        """How many models could be called in turn, the GB that they take, and the GB that are free.

        The smallest that can chat, three at most; None where it is not told.
        """
        if self.lab is None or not self.lab.server.is_local:
            return None
        models = chat_models(self.lab.server)[:_MOST_MODELS]
        monitor = Monitor(self.lab.server)  # read once, no thread
        try:
            sample = monitor.read()
        finally:
            monitor.stop()
        sizes = [model.size_bytes for model in models]
        if None in (*sizes, sample.ram_total_bytes, sample.ram_used_bytes) or sample.gpus:
            return None  # with a GPU it is its memory that counts
        free = (sample.ram_total_bytes or 0) - (sample.ram_used_bytes or 0)
        return len(models), sum(size or 0 for size in sizes) / 1e9, free / 1e9
