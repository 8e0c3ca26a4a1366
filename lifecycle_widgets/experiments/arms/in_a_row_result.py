"""InARowResult: what each keep_alive made one wait, and held; L, and the break-even T*."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lifecycle_widgets.experiments.arms.costs import arm_costs
from lifecycle_widgets.experiments.arms.result import ArmsResult
from lifecycle_widgets.experiments.break_even import (
    break_even_beside,
    break_even_interval,
    checked_price,
    reload_interval,
)
from lifecycle_widgets.experiments.face.enough import require_reload
from lifecycle_widgets.experiments.statistics import Interval, digits

if TYPE_CHECKING:
    import plotly.graph_objects as go


class InARowResult(ArmsResult):
    """Calls of one model.

    ``frame``: ``arm``, ``call``, ``model``, ``start_s`` (since the arm's first call), ``gap_s``
    (since the end of the last call), ``was_resident``, ``loaded`` (the model was loaded for it),
    ``load_s``, ``prompt_eval_s``, ``ttft_s``, ``total_s``, ``prompt_tokens``; and when the answer
    had ended (and the model, with keep_alive 0, had left): ``held_bytes``, ``expires_in_s`` (NaN:
    gone, inf: forever); ``others``: somebody else has used the model, or unloaded it, meanwhile.
    """

    kind = "in_a_row"

    @property
    def reload_s(self) -> Interval:
        """L: how much later the first token comes when the model has to be loaded, in seconds.

        The calls have the same history, so that it is all that a reload costs: the load, and the
        prompt that has to be read again.

        Raises
        ------
        ValueError
            When no call had to load it, or none found it in memory.
        """
        return self._widened(self._colder_by("ttft_s"))

    @property
    def reload_parts(self) -> dict[str, Interval]:
        """What L is made of, in seconds: ``"load"``, and ``"prompt eval"``: reading it all again.

        Raises ValueError as `reload_s`, and when the server does not tell them.
        """
        parts = {"load": "load_s", "prompt eval": "prompt_eval_s"}
        return {name: self._widened(self._colder_by(column)) for name, column in parts.items()}

    def _colder_by(self, column: str) -> Interval:
        """By how much a column is more for calls that had to load the model."""
        if self.frame.empty:  # stopped before the first call: it has no columns
            return reload_interval((), ())
        own = self._own()
        loaded = own["loaded"].astype(bool)
        return reload_interval(list(own[column][loaded]), list(own[column][~loaded]))

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

    def break_even(
        self,
        price_s_per_gb_min: float | None = None,
        *,
        slowdown: float | None = None,
        reload_s: Interval | None = None,
    ) -> Interval:
        """T*, the pause at which holding the model costs as much as loading it again, in seconds.

        A longer pause is cheaper with the model gone, a shorter one with the model held. See
        `lifecycle_widgets.experiments.break_even`.

        Parameters
        ----------
        price_s_per_gb_min:
            One GB in memory for one minute, in seconds of waiting; by default the experiment's.
        slowdown:
            In place of a price: how many times slower a downstream task runs while the model is in
            memory, as `Downstream` has measured it.
        reload_s:
            L of another length of conversation (`ColdAndWarmResult.reload_s`); by default this
            result's own.

        Raises
        ------
        ValueError
            Without a price, for one below 0, or when what is needed was not measured.
        """
        lost_s = self.reload_s if reload_s is None else reload_s
        if slowdown is not None:
            return break_even_beside(lost_s, slowdown)
        return break_even_interval(lost_s, self.held_bytes, self._price(price_s_per_gb_min))

    def costs(self, price_s_per_gb_min: float | None = None) -> pd.DataFrame:
        """What these calls cost in each arm: the waiting, and the memory at that price.

        One row per arm that has had all of its calls: ``waiting_s`` (as in `waiting_s`),
        ``memory_s`` (the GB-seconds at that price), ``cost_s``, their sum, with ``low_s`` and
        ``high_s``; and ``is_best``: not distinguishable from the cheapest. The intervals are
        bootstrap intervals of the medians, and half a second per load for the memory.

        Parameters
        ----------
        price_s_per_gb_min:
            As in `break_even`.

        Raises
        ------
        ValueError
            Without a price, for one below 0, or when there is nothing to compare: fewer than two
            arms have had the same calls.
        """
        price = self._price(price_s_per_gb_min)
        table = self.table.loc[list(self.require_comparable())]
        if not self.is_memory_told:
            raise ValueError("How much memory was held is not told by this server.")
        if table["waiting_s"].isna().any():
            raise ValueError("No first token came in some calls, so the waiting is not known.")
        waiting_s = np.stack([self.waiting_draws(arm) for arm in table.index])
        return arm_costs(waiting_s, table, price)

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
        own = self.facts["price_s_per_gb_min"]
        return checked_price(own if price_s_per_gb_min is None else price_s_per_gb_min)

    def _verdict(self) -> str:
        text = f"{self.facts['model']}, with {self._asked()}: {self._loads()} "
        try:
            text += self._reload_sentence()
        except ValueError as lacking:
            text += str(lacking)
        return text + self._source_note()

    def _asked(self) -> str:
        """What was asked, in tokens as the server counted them."""
        tokens = self._own()["prompt_tokens"].median() if "prompt_tokens" in self.frame else np.nan
        return f"a prompt of {tokens:.0f} tokens" if tokens > 0 else "a short prompt"

    def _loads(self) -> str:
        table = self.table
        loads = ", ".join(
            f"{loads} of {calls - others} with {arm}"
            for arm, calls, others, loads in table[["calls", "others", "loads"]].itertuples()
        )
        return f"calls that had to load it first: {loads}."

    def _reload_sentence(self) -> str:
        """L and what follows from it. Raises ValueError when too little was measured."""
        lost_s = self.reload_s
        require_reload(lost_s)
        is_told = lost_s.low > 0
        text = f"A reload makes one wait {lost_s} s longer{self._split()}; "
        if not is_told:
            text = "Loaded or not is not distinguishable here, so there is no T* to tell; "
        try:
            text += f"the resident model takes {self.held_bytes / 1e9:.2f} GB."
        except ValueError as lacking:
            no_t_star = "there is no T* to tell: " if is_told else ""
            return f"{text}{no_t_star}{str(lacking)[0].lower()}{str(lacking)[1:]}"
        return f"{text} {self._price_sentence()}" if is_told else text

    def _split(self) -> str:
        """What of L is the load, and what the prompt; empty where the server does not tell."""
        try:
            load, read = (part.median for part in self.reload_parts.values())
        except ValueError:
            return ""
        load_text, read_text = (digits(max(0.0, seconds)) for seconds in (load, read))
        return f" ({load_text} s the load, {read_text} s the prompt read again)"

    def _price_sentence(self) -> str:
        price = self.facts["price_s_per_gb_min"]
        if price is None:
            return (
                "From which pause on it is cheaper to let it go, depends on what memory is worth "
                "to you: break_even(price_s_per_gb_min=...) tells."
            )
        if not price:
            return "At a price of 0 holding costs nothing: T* is endless."
        text = (
            f"If a GB in memory for a minute is worth {price:g} s of waiting, the break-even T* is "
            f"{self.break_even()} s: for pauses longer than that it is cheaper to let it go. "
        )
        try:
            return f"{text}For these calls the cheapest was {self.best_text()}."
        except ValueError as lacking:
            return text + str(lacking)

    @property
    def figure(self) -> go.Figure:
        """Waiting against GB-seconds, arm by arm; beside it each call by its pause; T* at the
        experiment's own price, if it has one."""
        from lifecycle_widgets.experiments.figures.in_a_row import draw

        try:
            t_star = self.break_even()
        except ValueError:  # no price, or too little was measured for one
            t_star = None
        waiting_s = {arm: self.waiting_s(str(arm)) for arm in self.table.index}
        return draw(self.frame, self.table, waiting_s, t_star, self.facts["model"])
