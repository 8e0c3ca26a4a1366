"""InALoopResult: reloads, seconds and GB-seconds of the same runs, plain, held and kept."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from lifecycle_widgets.experiments.face.enough import require_rounds
from lifecycle_widgets.experiments.face.result import Result
from lifecycle_widgets.experiments.ground.held import RSS, gb_seconds
from lifecycle_widgets.experiments.statistics import (
    Interval,
    difference_interval,
    digits,
    median_interval,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

_RUN = ["structure", "way", "round"]
_COLUMNS = (
    "runs", "requests", "loads", "reloads", "total_s", "low_s", "high_s", "waiting_s", "gb_s",
    "low_gb_s", "high_gb_s", "left_gb",
)  # fmt: skip


class InALoopResult(Result):
    """The same runs in three ways.

    ``frame``: ``structure``, ``way``, ``round``; ``requests``, ``loads`` (those that had to load
    their model), ``reloads`` (those of them whose model this run had loaded before), ``total_s``,
    ``load_s`` and ``waiting_s`` (for the first tokens of all requests), ``gone_s`` (from the run's
    start until its models had left; NaN: they stay), ``others`` (somebody else has used a model, or
    unloaded it, meanwhile). Only rounds count in which a structure was run in all ways undisturbed.
    """

    kind = "in_a_loop"

    @property
    def structures(self) -> tuple[str, ...]:
        """What was run, in the order that was given."""
        return tuple(self.facts["structures"])

    @property
    def ways(self) -> tuple[str, ...]:
        """The three ways, by their keep_alive: plain, held, kept."""
        return tuple(self.facts["ways"])

    @property
    def table(self) -> pd.DataFrame:
        """One row per structure and way; medians over the whole rounds.

        ``runs``; ``requests``, ``loads``, ``reloads``; ``total_s`` with its interval ``low_s`` to
        ``high_s``; ``waiting_s`` for all first tokens; ``gb_s`` (memory held x seconds, see
        `gb_s`) with its interval; ``left_gb``: what is held at the window's end, and stays until
        the keep_alive has run out (1 GB = 1e9 bytes).
        """
        rows = {(s, w): self._row(s, w) for s in self.structures for w in self.ways}
        known = {key: row for key, row in rows.items() if row["runs"]}
        index = pd.MultiIndex.from_tuples(list(known), names=_RUN[:2])
        return pd.DataFrame(list(known.values()), index=index, columns=list(_COLUMNS))

    def total_s(self, structure: str, way: str) -> Interval:
        """How long a run takes, in seconds. Raises ValueError when that was not measured."""
        return self._widened(median_interval(self._values("total_s", structure, way)))

    def waiting_s(self, structure: str, way: str) -> Interval:
        """How long one waits for the first tokens of all its requests together, in seconds.

        Raises ValueError as `total_s`.
        """
        return self._widened(median_interval(self._values("waiting_s", structure, way)))

    def gb_s(self, structure: str, way: str) -> Interval:
        """Memory held x seconds, in GB x s, of all models of a run.

        From the run's start on, for as long as the slowest of the three ways took in that round
        until its models had left: the same time for each, and whatever is held after it is not in
        it (``left_gb`` in the table). What is still in memory when the last look was taken is taken
        to stay as it is until the window's end.

        Raises
        ------
        ValueError
            When it was not measured, or the server does not tell how much memory is held.
        """
        held = [self._held_gb_s(run) for run in self._memory(structure, way)]
        return self._widened(median_interval(held))

    def saved_s(self, structure: str) -> Interval:
        """How many seconds a run takes less when its models are held than plain.

        Above 0 at its lower end: the two can be told apart. Raises ValueError as `total_s`.
        """
        return self._less("total_s", structure)

    def _less(self, column: str, structure: str) -> Interval:
        plain, held, _ = (self._values(column, structure, way) for way in self.ways)
        return self._widened(difference_interval(plain, held))

    # --- whole rounds ----------------------------------------------------------------------------

    def _whole(self) -> pd.DataFrame:
        """The runs of rounds in which their structure was run in all ways, undisturbed."""
        own = self.undisturbed
        if own.empty:
            return own
        ways = own.groupby(["structure", "round"])["way"].transform("nunique")
        return own[ways == len(self.ways)]

    def _runs(self, structure: str, way: str) -> pd.DataFrame:
        whole = self._whole()
        if whole.empty:
            return whole
        return whole[(whole["structure"] == structure) & (whole["way"] == way)]

    def _values(self, column: str, structure: str, way: str) -> list[float]:
        runs = self._runs(structure, way)
        return [] if runs.empty else list(runs[column].astype(float))

    def _row(self, structure: str, way: str) -> dict[str, Any]:
        runs, row = self._runs(structure, way), dict.fromkeys(_COLUMNS, math.nan)
        if runs.empty:
            return row | {"runs": 0}
        counts = {name: runs[name].median() for name in ("requests", "loads", "reloads")}
        total, gb_s = self.total_s(structure, way), self._told_gb_s(structure, way)
        return row | counts | {
            "runs": len(runs),
            "total_s": total.median, "low_s": total.low, "high_s": total.high,
            "waiting_s": runs["waiting_s"].median(),
            "gb_s": gb_s.median, "low_gb_s": gb_s.low, "high_gb_s": gb_s.high,
            "left_gb": self._left_gb(structure, way),
        }  # fmt: skip

    # --- memory ----------------------------------------------------------------------------------

    def _memory(self, structure: str, way: str) -> Iterator[Mapping[str, Any]]:
        """What was held in each of the runs that count."""
        rounds = set(self._values("round", structure, way))
        for run in self.facts.get("memory", ()):
            if (run["structure"], run["way"]) == (structure, way) and run["round"] in rounds:
                yield run

    def _left_gb(self, structure: str, way: str) -> float:
        """What is still held at the end, in the middle of the runs that tell it."""
        ends = [_last_gb(run, self._window_s(run)) for run in self._memory(structure, way)]
        told = [gb for gb in ends if not math.isnan(gb)]
        return statistics.median(told) if told else math.nan

    def _window_s(self, run: Mapping[str, Any]) -> float:
        """The time that counts in its round: of the slowest way, until its models had left."""
        frame = self._whole()
        same = frame[(frame["structure"] == run["structure"]) & (frame["round"] == run["round"])]
        return float(same[["total_s", "gone_s"]].max(axis=None))

    def _held_gb_s(self, run: Mapping[str, Any]) -> float:
        if not self._is_told(run):
            return math.nan
        return sum(gb_seconds(p, 0.0, self._window_s(run)) for p in run["held"].values())

    def _is_told(self, run: Mapping[str, Any]) -> bool:
        """Whether it is told of each of its models: a part of them is not the sum."""
        return set(run["held"]) == set(self.facts["models"][run["structure"]])

    def _told_gb_s(self, structure: str, way: str) -> Interval:
        try:
            return self.gb_s(structure, way)
        except ValueError:
            return Interval(math.nan, math.nan, math.nan, 0)

    @property
    def memory_source(self) -> str:
        """Where the figures of memory come from: the runners' RSS where they can be seen."""
        sources = {run["source"] for run in self.facts.get("memory", ()) if run["held"]}
        return " and ".join(sorted(sources)) or "not told"

    def typical(self, structure: str) -> dict[str, Mapping[str, Any]]:
        """What was held in the three ways in one round: the one whose plain run took the median.

        ``held``: model -> [[seconds since the run's start, bytes], ...]; ``window_s``; ``total_s``.
        Empty where no round is whole.
        """
        plain = self._runs(structure, self.ways[0])
        if plain.empty:
            return {}
        number = plain.sort_values("total_s")["round"].iloc[(len(plain) - 1) // 2]
        found: dict[str, Mapping[str, Any]] = {}
        for way in self.ways:
            for run in self._memory(structure, way):
                if run["round"] == number:
                    runs = self._runs(structure, way)
                    total_s = float(runs.loc[runs["round"] == number, "total_s"].iloc[0])
                    found[way] = {
                        "held": run["held"], "window_s": self._window_s(run), "total_s": total_s,
                    }  # fmt: skip
        return found

    # --- in words and as a picture ---------------------------------------------------------------

    def __repr__(self) -> str:  # the memory of each run is long
        return f"InALoopResult({len(self.frame)} of {self.facts['planned']} runs)"

    def _verdict(self) -> str:
        frame = self.undisturbed.assign(condition=lambda f: f["structure"] + f["way"])
        whole = [s for s in self.structures if s in set(self._whole().get("structure", ()))]
        conditions = [s + w for s in whole or self.structures for w in self.ways]
        require_rounds(frame, conditions, self.facts["rounds"])
        said = " ".join(sentence for name in whole for sentence in self._of(name))
        source = self.memory_source
        said += f" Memory is the {source}." if source not in (RSS, "not told") else ""
        scripted = self.facts.get("scripted")
        return said + (f" What {' and '.join(scripted)} said was set." if scripted else "")

    def _of(self, structure: str) -> Iterator[str]:
        plain, held, kept = self.ways
        table = self.table.loc[structure]
        reloads = {way: digits(table.loc[way, "reloads"]) for way in self.ways}
        yield (
            f"{structure[:1].upper()}{structure[1:]}: with keep_alive {plain} a run reloads "
            f"{reloads[plain]} times plain and {reloads[held]} times held; with {kept}, "
            f"{reloads[kept]} times."
        )
        seconds = {way: self.total_s(structure, way) for way in self.ways}
        saved = self.saved_s(structure)
        if saved.low > 0:
            yield f"It takes {seconds[held]} s held, {saved} s less than plain."
        else:
            yield (
                f"It takes {seconds[held]} s held and {seconds[plain]} s plain: not "
                "distinguishable here."
            )
        if table[["gb_s", "left_gb"]].notna().all(axis=None):
            gb_s = {way: digits(table.loc[way, "gb_s"], 2) for way in self.ways}
            yield (
                f"In the same time {gb_s[plain]} GB x s of memory are held plain, {gb_s[held]} "
                f"held, and {gb_s[kept]} with {kept}, after which "
                f"{digits(table.loc[kept, 'left_gb'], 2)} GB stay on."
            )

    @property
    def figure(self) -> go.Figure:
        """Memory of one round over time, reloads, seconds and GB x s, of each structure and way."""
        from lifecycle_widgets.experiments.figures.in_a_loop import draw

        known = [s for s in self.structures if self.typical(s)]
        if not known:
            raise ValueError("No round is whole yet.")
        columns = {
            name: {
                "reloads": {w: self._values("reloads", name, w) for w in self.ways},
                "total_s": {w: self._values("total_s", name, w) for w in self.ways},
                "gb_s": {w: [*map(self._held_gb_s, self._memory(name, w))] for w in self.ways},
            }
            for name in known
        }
        ends = {
            name: {
                "total_s": {w: self.total_s(name, w) for w in self.ways},
                "gb_s": {w: self._told_gb_s(name, w) for w in self.ways},
            }
            for name in known
        }
        return draw({name: self.typical(name) for name in known}, columns, ends)


def _last_gb(run: Mapping[str, Any], window_s: float) -> float:
    """What is held at the end of the window, of all models that are told of."""
    if not run["held"]:
        return math.nan
    last = [[size for t_s, size in points if t_s <= window_s] for points in run["held"].values()]
    return sum(sizes[-1] if sizes else 0.0 for sizes in last) / 1e9
