"""DownstreamResult: how long the task took with the model never there, there, and gone."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pandas as pd

from lifecycle_widgets.experiments.result import Result
from lifecycle_widgets.experiments.statistics import Interval, median_interval, ratio_interval

if TYPE_CHECKING:
    import plotly.graph_objects as go

NEVER, RESIDENT = "never loaded", "resident, idle"
ZERO, STOP = "gone by keep_alive=0", "gone by ollama stop"
CONDITIONS = (NEVER, RESIDENT, ZERO, STOP)
_WORTH_SAYING = 1.1  # less than a tenth more is no slowdown that a person would look for


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
        interval ``low_s`` to ``high_s``; ``disk_gb`` (read in the second run), ``runner_gb``,
        ``page_cache_gb`` and ``used_gb`` (1 GB = 1e9 bytes).
        """
        conditions = [c for c in CONDITIONS if c in set(self.frame["condition"])]
        return pd.DataFrame([self._row(c) for c in conditions], index=conditions).rename_axis(
            "condition"
        )

    def _row(self, condition: str) -> dict[str, float]:
        rows, steady = self.frame[self.frame["condition"] == condition], self.seconds(condition)
        row = {"runs": len(rows), "first_s": rows["first_s"].median(), "steady_s": steady.median}
        row |= {"low_s": steady.low, "high_s": steady.high}
        sizes = {"disk_gb": "steady_disk_bytes", "runner_gb": "runner_bytes"}
        sizes |= {"page_cache_gb": "page_cache_bytes", "used_gb": "used_bytes"}
        # None where it is not told: the server is on another machine, or the system does not count
        return row | {n: rows[size].astype(float).quantile() / 1e9 for n, size in sizes.items()}

    def seconds(self, condition: str) -> Interval:
        """The task's steady run in a condition. Raises ValueError when it was not measured."""
        return median_interval(self._steady(condition))

    def slowdown(self, condition: str) -> Interval:
        """How many times as long as with the model never loaded. Raises ValueError as `seconds`."""
        return ratio_interval(self._steady(condition), self._steady(NEVER))

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
        s, model = self.slowdown(RESIDENT), self.facts["model"]
        never, resident = self.seconds(NEVER), self.seconds(RESIDENT)
        where = self._where()
        if s.low <= _WORTH_SAYING or never.overlaps(resident):
            return (
                f"Nothing slows down here because {model} is resident: the task takes {resident} s "
                f"with it and {never} s without, {s} times as long: not distinguishable from no "
                f"slowdown that matters.{where}"
            )
        return (
            f"With {model} resident and idle the task takes {resident} s instead of {never} s: "
            f"{s} times as long. {self._cure(ZERO)} {self._cure(STOP)} While such a task runs, a "
            f"second of the model in memory costs {self.price_of_a_second():.2f} s.{where}"
        )

    def _where(self) -> str:
        if not self.is_short:
            return f" {self.facts['why_no_shortage']}"
        if self.is_disk_slow:
            return ""
        return " The disk could not be slowed down here: on a slower one it would take longer."

    def _cure(self, condition: str) -> str:
        seconds, s = self.seconds(condition), self.slowdown(condition)
        if s.low <= _WORTH_SAYING or seconds.overlaps(self.seconds(NEVER)):
            return f"{condition.capitalize()}, it takes {seconds} s: cured."
        if not seconds.overlaps(self.seconds(RESIDENT)) and s.high < self.slowdown(RESIDENT).low:
            return f"{condition.capitalize()}, it takes {seconds} s: better, not cured ({s} times)."
        return f"{condition.capitalize()}, it takes {seconds} s: that does not cure it here."

    @property
    def figure(self) -> go.Figure:
        """Times, memory, page cache and disk reads of each condition, side by side."""
        from lifecycle_widgets.experiments.figures.downstream import draw

        model = html.escape(self.facts["model"])
        return draw(self.frame, model, conditions=CONDITIONS, is_short=self.is_short)
