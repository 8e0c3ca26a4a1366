"""InARow: one model, calls with pauses: waiting against memory held, and the break-even T*."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecycle_widgets.experiments.arm_costs import arm_costs, checked_price
from lifecycle_widgets.experiments.arms import (
    Arm,
    ArmsExperiment,
    Call,
    keep_alives_checked,
    seconds_checked,
)
from lifecycle_widgets.experiments.arms_result import ArmsResult
from lifecycle_widgets.experiments.break_even import break_even_interval, reload_interval
from lifecycle_widgets.experiments.plan import Plan
from lifecycle_widgets.experiments.statistics import Interval
from lifecycle_widgets.runs import Think
from lifecycle_widgets.server import AnyServer, smallest_chat_models

if TYPE_CHECKING:
    import plotly.graph_objects as go


class InARow(ArmsExperiment["InARowResult"]):
    """One model, called with short and long pauses, under several keep_alives.

    Parameters
    ----------
    model:
        An installed model; by default the smallest that can chat.
    keep_alives:
        What `KeepAlive` takes; None: not sent.
    gaps_s:
        The pauses between the calls, in seconds: one call more than pauses. One longer than 30 s
        and some shorter show the difference between 0, 30 s and 5 m.
    price_s_per_gb_min:
        What one GB held in memory for one minute is worth to you, in seconds of your waiting. It
        is used for the verdict; any other price can be asked for afterwards.
    server:
        The Ollama to measure: a `Server`, its address, or a `Sandbox`. Without one, `Server.find`
        looks for it.
    think:
        Whether models that can think do so first; None: not sent.
    seed:
        Of the random order of the arms.

    Raises
    ------
    ValueError
        For a setting that makes no sense, or a keep_alive that Ollama would reject.

    Examples
    --------
    >>> result = InARow("smollm2:135m").run()  # doctest: +SKIP
    >>> print(result.break_even(price_s_per_gb_min=1.0), "s")  # doctest: +SKIP
    175 (155 to 183, n=9) s
    """

    columns = (
        "arm", "call", "model", "start_s", "gap_s", "was_resident", "load_s", "ttft_s", "total_s",
        "held_bytes", "expires_in_s",
    )  # fmt: skip

    def __init__(
        self,
        model: str | None = None,
        *,
        keep_alives: Sequence[Any] = (0, "30s", "5m", "forever"),
        gaps_s: Sequence[float] = (1, 3, 33, 1),
        price_s_per_gb_min: float = 1.0,
        server: AnyServer = None,
        think: Think = None,
        seed: int = 0,
    ) -> None:
        self.keep_alives = keep_alives_checked(keep_alives)
        seconds_checked("gaps_s", *gaps_s)
        if not gaps_s:
            raise ValueError("gaps_s is empty; give the pauses between the calls, in seconds.")
        checked_price(price_s_per_gb_min)
        super().__init__(server, think=think)
        self.model = model or smallest_chat_models(self.server)[0]
        self.gaps_s, self.price_s_per_gb_min = tuple(gaps_s), float(price_s_per_gb_min)
        self.seed = seed

    def plan(self) -> Plan:
        gaps = ", ".join(f"{gap:g}" for gap in self.gaps_s)
        return self._plan_of_arms(
            f"Call {self.model} {len(self.gaps_s) + 1} times, with pauses of {gaps} s, under "
            f"keep_alive {', '.join(map(str, self.keep_alives))}.",
            notes=("A load is from the page cache: the model's file has just been read.",),
        )

    def _settings(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "keep_alives": [str(value) for value in self.keep_alives],
            "gaps_s": list(self.gaps_s),
            "price_s_per_gb_min": self.price_s_per_gb_min,
            "think": self.think,
            "seed": self.seed,
        }

    def _models(self) -> tuple[str, ...]:
        return (self.model,)

    def _arms(self) -> tuple[Arm, ...]:
        calls = tuple(Call(self.model, gap) for gap in (0.0, *self.gaps_s))
        return tuple(Arm(str(value), value, calls) for value in self.keep_alives)


class InARowResult(ArmsResult):
    """Calls of one model.

    ``frame``: ``arm``, ``call``, ``model``, ``start_s`` (since the arm's first call), ``gap_s``
    (since the end of the last call), ``was_resident``, ``load_s``, ``ttft_s``, ``total_s``; and
    when the answer had ended (and the model, with keep_alive 0, had left): ``held_bytes``,
    ``expires_in_s`` (NaN: gone, inf: forever).
    """

    kind = "in_a_row"

    @property
    def reload_s(self) -> Interval:
        """L: how much later the first token comes when the model has to be loaded, in seconds.

        Raises
        ------
        ValueError
            When no call had to load it, or none found it in memory.
        """
        resident = self.frame["was_resident"].astype(bool)
        ttft_s = self.frame["ttft_s"]
        return reload_interval(list(ttft_s[~resident]), list(ttft_s[resident]))

    @property
    def held_bytes(self) -> float:
        """The memory that the model takes while it is resident: the median over the calls.

        Raises
        ------
        ValueError
            When it was never resident after a call (keep_alive 0 only), or the server does not
            tell how much memory it takes.
        """
        told = self.frame["held_bytes"].astype(float).dropna()
        held = told[told > 0]
        if not held.empty:
            return float(held.median())
        if len(told) < len(self.frame) or self.frame["expires_in_s"].notna().any():
            raise ValueError("How much memory the model takes is not told by this server.")
        raise ValueError("The model never stayed in memory, so its size there is not known.")

    def break_even(self, price_s_per_gb_min: float | None = None) -> Interval:
        """T*, the pause at which holding the model costs as much as loading it again, in seconds.

        A longer pause is cheaper with the model gone, a shorter one with the model held. See
        `lifecycle_widgets.experiments.break_even`.

        Parameters
        ----------
        price_s_per_gb_min:
            One GB in memory for one minute, in seconds of waiting; by default the experiment's.

        Raises
        ------
        ValueError
            For a price below 0, or when what is needed was not measured.
        """
        price = self._price(price_s_per_gb_min)
        return break_even_interval(self.reload_s, self.held_bytes, price)

    def costs(self, price_s_per_gb_min: float | None = None) -> pd.DataFrame:
        """What these calls cost in each arm: the waiting, and the memory at that price.

        One row per arm: ``waiting_s`` (as in `waiting_s`), ``memory_s`` (the
        GB-seconds at that price), ``cost_s``, their sum, with ``low_s`` and ``high_s``; and
        ``is_best``: not distinguishable from the cheapest. The intervals are bootstrap intervals of
        the medians, and half a second per load for the memory.

        Parameters
        ----------
        price_s_per_gb_min:
            As in `break_even`.

        Raises
        ------
        ValueError
            For a price below 0, or when nothing was measured.
        """
        table = self.table
        if table.empty:
            raise ValueError("No arm was measured, so there is nothing to compare.")
        if not self.is_memory_told:
            raise ValueError("How much memory was held is not told by this server.")
        if table["waiting_s"].isna().any():
            raise ValueError("No first token came in some calls, so the waiting is not known.")
        waiting_s = np.stack([self.waiting_draws(arm) for arm in table.index])
        return arm_costs(waiting_s, table, self._price(price_s_per_gb_min))

    def best(self, price_s_per_gb_min: float | None = None) -> tuple[str, ...]:
        """The cheapest arm at a price, and those that are not distinguishable from it."""
        table = self.costs(price_s_per_gb_min)
        return tuple(table[table["is_best"]].sort_values("cost_s").index)

    def best_text(self, price_s_per_gb_min: float | None = None) -> str:
        """The same in words, such as ``"5m and forever (not distinguishable here)"``."""
        best = self.best(price_s_per_gb_min)
        text = " and ".join([", ".join(best[:-1]), best[-1]] if len(best) > 1 else best)
        return text + (" (not distinguishable here)" if len(best) > 1 else "")

    def _price(self, price_s_per_gb_min: float | None) -> float:
        if price_s_per_gb_min is None:
            return float(self.facts["price_s_per_gb_min"])
        return checked_price(price_s_per_gb_min)

    def _verdict(self) -> str:
        price = self.facts["price_s_per_gb_min"]
        loads = ", ".join(f"{n} with {arm}" for arm, n in self.table["loads"].items())
        text = (
            f"{self.facts['model']}: of {self.table['calls'].max()} calls so many had to load it "
            f"first: {loads}. A load makes one wait {self.reload_s} s longer; "
        )
        try:
            text += f"the resident model takes {self.held_bytes / 1e9:.2f} GB. "
        except ValueError as lacking:
            return f"{text}there is no T* to tell: {str(lacking)[0].lower()}{str(lacking)[1:]}"
        if self.reload_s.low <= 0:
            return text + "Loaded or not is not distinguishable here, so there is no T* to tell."
        if not price:
            return text + "At a price of 0 holding costs nothing: T* is endless."
        return (
            f"{text}If a GB in memory for a minute is worth {price:g} s of waiting, the break-even "
            f"T* is {self.break_even()} s: for pauses longer than that it is cheaper to let it "
            f"go. For these calls the cheapest was {self.best_text()}.{self._source_note()}"
        )

    @property
    def figure(self) -> go.Figure:
        """Waiting against GB-seconds, arm by arm; beside it each call by its pause, with T*."""
        from lifecycle_widgets.experiments.figures.in_a_row import draw

        try:
            t_star = self.break_even()
        except ValueError:  # too little was measured for one
            t_star = None
        return draw(self.frame, self.table, t_star, self.facts["model"])


InARow.result_kind = InARowResult
