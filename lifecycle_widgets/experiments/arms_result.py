"""ArmsResult: what the results of experiments with arms share."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lifecycle_widgets.experiments.held import RSS
from lifecycle_widgets.experiments.result import Result
from lifecycle_widgets.experiments.statistics import (
    RESAMPLES,
    Interval,
    generator,
    quantiles,
)

_COLUMNS = (
    "calls", "loads", "reloads", "waiting_s", "peak_gb", "gb_s", "span_s", "late_s",
)  # fmt: skip


class ArmsResult(Result, ABC):
    """Calls under several arms. ``facts["arms"]`` has what each arm's monitor saw."""

    @property
    def table(self) -> pd.DataFrame:
        """One row per arm, in the order they were given.

        ``calls``; ``loads``: calls that found their model not in memory; ``reloads``: those of
        them whose model had been in memory before; ``waiting_s``: the sum of the times to first
        token; ``peak_gb`` and ``gb_s``: the most that was held, and memory held x seconds, from
        the start of the first call to the end of the last (1 GB = 1e9 bytes); ``span_s``: how
        long that was, less ``late_s``: the seconds in which a call was due and had to wait for
        another arm's to end. They count nowhere, so that all arms have the same schedule.
        """
        return pd.DataFrame(
            [self._row(arm) for arm in self.facts.get("arms", ())],
            columns=["arm", *_COLUMNS],
        ).set_index("arm")

    @property
    def residencies(self) -> pd.DataFrame:
        """Who was in memory when: ``arm``, ``model``, ``start_s``, ``end_s``, ``why``.

        Seconds since the start of the arm's first call; to half a second, as the monitor looks.
        ``end_s`` is NaN for a model that was still in memory when the arm's last call had ended.
        ``why`` it left: "expired", "evicted", "requested" (see `Residency`).
        """
        rows = [
            {"arm": arm["arm"], **stay}
            for arm in self.facts.get("arms", ())
            for stay in arm["residencies"]
        ]
        frame = pd.DataFrame(rows, columns=["arm", "model", "start_s", "end_s", "why"])
        return frame.astype({"start_s": float, "end_s": float})

    @property
    def memory_source(self) -> str:
        """Where the figures of memory come from: the runners' RSS where they can be seen."""
        sources = {arm["memory_source"] for arm in self.facts.get("arms", ())}
        return " and ".join(sorted(sources)) or "nothing was measured"

    def calls(self, arm: str) -> pd.DataFrame:
        """The rows of the frame of one arm. Raises KeyError for an unknown arm."""
        names = [a["arm"] for a in self.facts.get("arms", ())]
        if arm not in names:
            raise KeyError(f"There is no arm {arm!r}. There are: {', '.join(names)}.")
        return self.frame[self.frame["arm"].astype(str) == arm]

    def waiting_s(self, arm: str) -> Interval:
        """The sum of an arm's times to first token, and how far chance might have moved it.

        Which calls had to load their model is a matter of the schedule; how long each took is
        partly chance. So the interval is a percentile bootstrap (Efron and Tibshirani 1993) within
        kinds of call: each is drawn anew from the calls of all arms to the same model, with a load
        or without one as it was. Raises KeyError for an unknown arm.
        """
        rng, mine = generator(), self.calls(arm)
        alike = dict(iter(self._kinds_of_call(self.frame)))
        drawn = np.zeros(RESAMPLES)
        for kind, calls in self._kinds_of_call(mine):
            ttft_s = alike[kind]["ttft_s"].to_numpy()
            drawn += rng.choice(ttft_s, (RESAMPLES, len(calls))).sum(axis=1)
        low, high = (float(end) for end in quantiles(drawn))
        total = float(mine["ttft_s"].sum())
        return Interval(min(low, total), total, max(high, total), len(mine))

    @staticmethod
    def _kinds_of_call(calls: pd.DataFrame) -> Any:
        return calls.groupby(["model", "was_resident"])

    def _row(self, arm: Mapping[str, Any]) -> dict[str, Any]:
        calls = self.calls(arm["arm"])
        loads = calls[~calls["was_resident"].astype(bool)]
        again = calls.duplicated("model")
        return {
            "arm": arm["arm"],
            "calls": len(calls),
            "loads": len(loads),
            "reloads": int(again[loads.index].sum()),
            "waiting_s": round(float(calls["ttft_s"].sum()), 3),
            **{name: arm[name] for name in ("peak_gb", "gb_s", "span_s", "late_s")},
        }

    def _source_note(self) -> str:
        """A sentence where the figures of memory are not the runners' own."""
        return "" if self.memory_source == RSS else f" Memory is the {self.memory_source}."
