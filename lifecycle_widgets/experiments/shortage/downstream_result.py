"""DownstreamResult: how long the task took with the model never there, there, and gone."""

from __future__ import annotations

import html
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from lifecycle_widgets.experiments.face.enough import require_rounds
from lifecycle_widgets.experiments.face.result import Result
from lifecycle_widgets.experiments.statistics import (
    Interval,
    difference_interval,
    median_interval,
    ratio_interval,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

NEVER, RESIDENT = "never loaded", "resident, idle"
ZERO, STOP = "gone by keep_alive=0", "gone by ollama stop"
CONDITIONS = (NEVER, RESIDENT, ZERO, STOP)
# less than a tenth more, or a twentieth of a second, is no slowdown that a person would look for
_WORTH_SAYING, _WORTH_SAYING_S = 1.1, 0.05
_TINY_S = 0.25  # of a shorter time nobody would say how many times as long another one is


class DownstreamResult(Result):
    """How long the task took in each condition.

    ``frame``: ``round``, ``condition``, ``first_s`` and ``steady_s`` (the task's first and second
    run), ``first_disk_bytes`` and ``steady_disk_bytes`` (read from the disk), and when it had ended
    ``runner_bytes`` (RSS), ``page_cache_bytes`` and ``used_bytes`` (of the budget; without a
    shortage, of the whole machine).
    """

    kind = "downstream"

    @property
    def is_short(self) -> bool:
        """Whether a shortage was made."""
        return bool(self.facts.get("shortage"))

    @property
    def is_disk_slow(self) -> bool:
        """Whether the disk was slowed down, too; users of systemd are seldom given that right."""
        return bool(self.is_short and self.facts["shortage"]["disk_bytes_per_s"])

    @property
    def table(self) -> pd.DataFrame:
        """One row per condition, medians: what the figure shows.

        ``runs``; ``first_s`` and ``steady_s``, the task's first and second run, the latter with its
        interval ``low_s`` to ``high_s`` (NaN of a single run); ``disk_gb`` (read in the second
        run), ``runner_gb``, ``page_cache_gb`` and ``used_gb`` (1 GB = 1e9 bytes).
        """
        conditions = [c for c in CONDITIONS if c in set(self.frame["condition"])]
        return pd.DataFrame([self._row(c) for c in conditions], index=conditions).rename_axis(
            "condition"
        )

    def _row(self, condition: str) -> dict[str, float]:
        rows, steady = self.frame[self.frame["condition"] == condition], self.seconds(condition)
        row = {"runs": len(rows), "first_s": rows["first_s"].median(), "steady_s": steady.median}
        row |= {"low_s": math.nan, "high_s": math.nan}
        if steady.has_ends:
            row |= {"low_s": steady.low, "high_s": steady.high}
        sizes = {"disk_gb": "steady_disk_bytes", "runner_gb": "runner_bytes"}
        sizes |= {"page_cache_gb": "page_cache_bytes", "used_gb": "used_bytes"}
        # None where it is not told: the server is on another machine, or the system does not count
        return row | {n: rows[size].astype(float).quantile() / 1e9 for n, size in sizes.items()}

    def seconds(self, condition: str) -> Interval:
        """The task's steady run in a condition. Raises ValueError when it was not measured."""
        return self._widened(median_interval(self._steady(condition)))

    def slowdown(self, condition: str) -> Interval:
        """How many times as long as with the model never loaded. Raises ValueError as `seconds`.

        Where other work ran beside it, it may have slowed down either of the two.
        """
        ratio, taken = ratio_interval(self._steady(condition), self._steady(NEVER)), self._taken
        return replace(ratio, low=ratio.low * (1 - taken), high=ratio.high / (1 - taken))

    def extra_s(self, condition: str) -> Interval:
        """How many seconds longer than with the model never loaded. Raises as `seconds`."""
        return self._widened(difference_interval(self._steady(condition), self._steady(NEVER)))

    def price_of_a_second(self) -> float:
        """c = 1 - 1/s: what a resident second costs while this task runs, in seconds of waiting.

        In a second of a task that is slowed down s times, 1/s of a second of work is done. 0 when
        no slowdown can be told.
        """
        s = self.slowdown(RESIDENT)
        return 1 - 1 / s.median if s.low > 1 else 0.0

    def _steady(self, condition: str) -> list[float]:
        return list(self.frame.loc[self.frame["condition"] == condition, "steady_s"])

    def _verdict(self) -> str:
        require_rounds(self.frame, CONDITIONS, self.facts["rounds"])
        model, never, resident = self.facts["model"], self.seconds(NEVER), self.seconds(RESIDENT)
        if not self._is_slower(RESIDENT):
            return (
                f"Nothing slows down here because {model} is resident: the task takes {resident} s "
                f"with it and {never} s without, {self._longer(RESIDENT)}: not distinguishable "
                f"from no slowdown that matters.{self._where()}"
            )
        return (
            f"With {model} resident and idle the task takes {resident} s instead of {never} s: "
            f"{self._longer(RESIDENT)}. {self._cure(ZERO)} {self._cure(STOP)} While such a task "
            f"runs, a second of the model in memory costs {self.price_of_a_second():.2f} s."
            f"{self._where()}"
        )

    def _is_slower(self, condition: str) -> bool:
        """Whether it can be told that it takes longer there, by so much that somebody cares."""
        if self.seconds(condition).overlaps(self.seconds(NEVER)):
            return False
        is_worth_it = self.extra_s(condition).low > _WORTH_SAYING_S
        return is_worth_it and self.slowdown(condition).low > _WORTH_SAYING

    def _longer(self, condition: str) -> str:
        if self.seconds(NEVER).median < _TINY_S:
            return f"{self.extra_s(condition)} s longer"
        return f"{self.slowdown(condition)} times as long"

    def _where(self) -> str:
        if not self.is_short:
            return f" {self.facts['why_no_shortage']}"
        if self.is_disk_slow:
            return ""
        return " The disk could not be slowed down here: on a slower one it would take longer."

    def _cure(self, condition: str) -> str:
        seconds = self.seconds(condition)
        it_takes = f"{condition.capitalize()}, it takes {seconds} s"
        is_better = not seconds.overlaps(self.seconds(RESIDENT))
        if not self._is_slower(condition):
            return f"{it_takes}: {'cured' if is_better else 'not distinguishable from either'}."
        if is_better and self.extra_s(condition).high < self.extra_s(RESIDENT).low:
            return f"{it_takes}: better, not cured ({self._longer(condition)})."
        return f"{it_takes}: that does not cure it here."

    @property
    def figure(self) -> go.Figure:
        """Times, memory, page cache and disk reads of each condition, side by side."""
        from lifecycle_widgets.experiments.figures.downstream import draw

        model = html.escape(self.facts["model"])
        seconds = {c: self.seconds(c) for c in CONDITIONS if self._steady(c)}
        return draw(self.frame, model, seconds, conditions=CONDITIONS, is_short=self.is_short)
