"""ArmsResult: what the results of experiments with arms share."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from lifecycle_widgets.experiments.face.enough import TooLittle, not_compared
from lifecycle_widgets.experiments.face.result import Result
from lifecycle_widgets.experiments.ground.held import RSS
from lifecycle_widgets.experiments.statistics import (
    Interval,
    generator,
    interval_of_draws,
    median_and_draws,
)

_COLUMNS = (
    "calls", "others", "loads", "reloads", "waiting_s", "measured_s", "peak_gb", "gb_s", "span_s",
    "late_s",
)  # fmt: skip
_KIND = ["model", "loaded"]  # of a call
_STAY = ["model", "start_s", "end_s", "why", "loads", "requests"]


class ArmsResult(Result, ABC):
    """Calls under several arms. ``facts["arms"]`` has what each arm's monitor saw."""

    @property
    def table(self) -> pd.DataFrame:
        """One row per arm, in the order they were given.

        ``calls``; ``others``: those of them that somebody else's requests have touched;
        ``loads``: calls for which the model was loaded; ``reloads``: those of
        them whose model had been in memory before; ``waiting_s``: for the first tokens of all
        calls, each counted at the median of its kind (see `waiting_s`); ``measured_s``: the same,
        as it was in this run; ``peak_gb`` and ``gb_s``: the most that was held, and memory held x
        seconds, from the start of the first call to the end of the last (1 GB = 1e9 bytes);
        ``span_s``: how long that was, less ``late_s``: the seconds in which a call was due and had
        to wait for another arm's to end. They count nowhere, so that all arms have the same
        schedule.
        """
        return (
            pd.DataFrame(
                [self._row(arm) for arm in self.facts.get("arms", ())],
                columns=["arm", *_COLUMNS],
            )
            .set_index("arm")
            .astype({"gb_s": float, "peak_gb": float})
        )

    @property
    def residencies(self) -> pd.DataFrame:
        """Who was in memory when: ``arm``, ``model``, ``start_s``, ``end_s`` and so on.

        Seconds since the start of the arm's first call; to half a second, as the monitor looks.
        ``end_s`` is NaN for a model that was still in memory when the arm's last call had ended.
        ``why`` it left, ``loads`` and ``requests`` are those of `Residency`.
        """
        rows = [
            {"arm": arm["arm"], **stay}
            for arm in self.facts.get("arms", ())
            for stay in arm["residencies"]
        ]
        frame = pd.DataFrame(rows, columns=["arm", *_STAY])
        return frame.astype({"start_s": float, "end_s": float})

    @property
    def memory_source(self) -> str:
        """Where the figures of memory come from: the runners' RSS where they can be seen."""
        sources = {arm["memory_source"] for arm in self.facts.get("arms", ())}
        return " and ".join(sorted(sources)) or "nothing was measured"

    @property
    def is_memory_told(self) -> bool:
        """Whether it is known how much memory was held; a server need not tell."""
        table = self.table
        return not table.empty and bool(table[["gb_s", "peak_gb"]].notna().all(axis=None))

    def calls(self, arm: str) -> pd.DataFrame:
        """The rows of the frame of one arm. Raises KeyError for an unknown arm."""
        names = [a["arm"] for a in self.facts.get("arms", ())]
        if arm not in names:
            raise KeyError(f"There is no arm {arm!r}. There are: {', '.join(names)}.")
        return self.frame[self.frame["arm"].astype(str) == arm]

    @property
    def whole_arms(self) -> tuple[str, ...]:
        """The arms that can be compared: with all of their calls, none touched by somebody else."""
        return tuple(
            arm["arm"]
            for arm in self.facts.get("arms", ())
            if len(self._own_calls(arm["arm"])) >= arm.get("planned", 1)
        )

    def require_comparable(self) -> tuple[str, ...]:
        """`whole_arms`, when these are two or more.

        Raises
        ------
        ValueError
            When nothing can be compared, as no two arms have had the same calls.
        """
        whole = self.whole_arms
        if why := not_compared(whole):
            raise TooLittle(why)
        return whole

    def waiting_s(self, arm: str) -> Interval:
        """How long one waits for first tokens under an arm, all calls together, in seconds.

        Each call counts at the median of its kind: the calls of all arms to the same model, with a
        load or without one as it was (those that somebody else has touched are left out). Which
        calls had to load their model is the arm's doing; how long each load took is not. That
        differs more than any keep_alive explains: Ollama looks every quarter of a second whether a
        load has ended, and a virtual machine hands out memory that it has not used for some seconds
        more slowly (seen: 2 s more per GB), whichever arm is next. With a bootstrap interval of
        those medians.

        Raises
        ------
        KeyError
            For an unknown arm.
        """
        of_this_run = interval_of_draws(self.waiting_draws(arm), len(self._own_calls(arm)))
        return self._widened(of_this_run)

    def extra_waiting_s(self, arm: str, than: str) -> Interval:
        """How much longer one waits under one arm than under another, in seconds.

        Not below 0 at its lower end: the two can be told apart. Raises KeyError as `waiting_s`.

        Examples
        --------
        >>> result.extra_waiting_s("0", than="5m").low > 0  # doctest: +SKIP
        True
        """
        # the same redrawn medians on both sides: how long a load takes is not known well; that
        # one more of them makes one wait longer is
        row = self.waiting_draws(arm) - self.waiting_draws(than)
        return interval_of_draws(row, min(len(self.calls(arm)), len(self.calls(than))))

    def waiting_draws(self, arm: str) -> NDArray[Any]:
        """`waiting_s` as one row: the sum of medians, then those of bootstrap resamples.

        See `median_and_draws`. Rows of two arms belong together, place by place.
        """
        rng = generator()
        kinds = self._own().groupby(_KIND)["ttft_s"]
        medians = {kind: median_and_draws(list(values), rng) for kind, values in kinds}
        self.calls(arm)  # raises for an arm that is none
        counts = self._own_calls(arm).groupby(_KIND).size()
        if counts.empty:
            return median_and_draws([], rng)
        total: NDArray[Any] = sum(count * medians[kind] for kind, count in counts.items())
        return total

    def _own(self) -> pd.DataFrame:
        """The calls that nobody else has touched, and whether the model was ``loaded`` for each."""
        own = self.undisturbed
        if "loaded" in own:
            return own
        return own.assign(loaded=~own["was_resident"].astype(bool))  # saved before that was told

    def _own_calls(self, arm: str) -> pd.DataFrame:
        own = self._own()
        return own[own["arm"].astype(str) == arm]

    def _row(self, arm: Mapping[str, Any]) -> dict[str, Any]:
        calls, own = self.calls(arm["arm"]), self._own_calls(arm["arm"])
        loads = own[own["loaded"].astype(bool)]
        again = calls.duplicated("model")
        return {
            "arm": arm["arm"],
            "calls": len(calls),
            "others": len(calls) - len(own),
            "loads": len(loads),
            "reloads": int(again[loads.index].sum()),
            "waiting_s": round(self.waiting_s(arm["arm"]).median, 3),
            "measured_s": round(float(calls["ttft_s"].sum()), 3),
            **{name: arm[name] for name in ("peak_gb", "gb_s", "span_s", "late_s")},
        }

    def _source_note(self) -> str:
        """A sentence where the figures of memory are not the runners' own."""
        if self.memory_source == RSS or not self.is_memory_told:
            return ""
        return f" Memory is the {self.memory_source}."
