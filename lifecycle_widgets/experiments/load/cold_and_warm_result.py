"""ColdAndWarmResult: what a reload costs, for each length of conversation that was measured."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lifecycle_widgets.experiments.break_even import (
    break_even_beside,
    break_even_interval,
    checked_price,
    reload_interval,
)
from lifecycle_widgets.experiments.face.enough import require_reload
from lifecycle_widgets.experiments.face.result import Result
from lifecycle_widgets.experiments.statistics import Interval, digits, median_interval

if TYPE_CHECKING:
    import plotly.graph_objects as go

DISK, CACHE, WARM = "cold (from disk)", "cold (page cache)", "warm"
_PARTS = ("load_s", "prompt_eval_s")  # of a reload's cost
_CURVE = (
    "prompt_tokens", "cold_s", "warm_s", "reload_s", "low_s", "high_s", *_PARTS, "n",
)  # fmt: skip


class ColdAndWarmResult(Result):
    """The loads of one model.

    ``frame``: ``round``, ``state``, ``history_tokens`` (about, as asked for), ``load_s`` and
    ``prompt_eval_s`` (the server's own), ``ttft_s`` and ``total_s`` (the client's clock),
    ``prompt_tokens`` and ``cached_tokens`` (as the server counted; NaN: not told), ``loaded`` (the
    model was loaded for it), ``others`` (somebody else has used it, or unloaded it, meanwhile),
    ``held_bytes`` (of the warm model), ``dropped`` (the kernel has dropped the file before).
    """

    kind = "cold_and_warm"

    @property
    def histories(self) -> tuple[int, ...]:
        """The lengths of history that were measured, in tokens (about), the shortest first."""
        return tuple(sorted(int(tokens) for tokens in self._own()["history_tokens"].unique()))

    def load_s(self, state: str, history_tokens: int | None = None) -> Interval:
        """The load time in a state (``"warm"``, ``"cold (page cache)"``, ``"cold (from disk)"``).

        Parameters
        ----------
        history_tokens:
            One of `histories`; by default the shortest.

        Raises
        ------
        ValueError
            When it was not measured in that state.
        """
        return self._median("load_s", state, history_tokens)

    def ttft_s(self, state: str, history_tokens: int | None = None) -> Interval:
        """The time to first token in a state, in seconds. As `load_s`."""
        return self._median("ttft_s", state, history_tokens)

    def reload_s(self, history_tokens: int | None = None, state: str = CACHE) -> Interval:
        """L: how much longer a cold request waits than a warm one with the same history (s).

        The load, and the prompt read again. Parameters and errors as of `load_s`.
        """
        return self._colder_by("ttft_s", history_tokens, state)

    def reload_parts(self, history_tokens: int | None = None) -> dict[str, Interval]:
        """What L is made of, in seconds: ``"load"``, and ``"prompt eval"``: reading it all again.

        Each is by how much longer it takes cold than warm, so that they add up to about L; the
        load of a single request (`load_s`) is a little more. Parameters and errors as of `load_s`.

        Examples
        --------
        >>> result.reload_parts()["load"].median  # doctest: +SKIP
        1.06
        """
        names = zip(("load", "prompt eval"), _PARTS, strict=True)
        return {name: self._colder_by(column, history_tokens) for name, column in names}

    @property
    def curve(self) -> pd.DataFrame:
        """L against the length of the conversation, one row per history; times in seconds.

        ``prompt_tokens`` (median), ``cold_s`` and ``warm_s`` (time to first token, page cache and
        warm), ``reload_s`` (L) with ``low_s`` and ``high_s``, and what it is made of: ``load_s``
        and ``prompt_eval_s`` (how much longer either takes); ``n`` (measurements of each kind).
        """
        rows = [self._point(tokens) for tokens in self.histories]
        return pd.DataFrame(rows, columns=["history_tokens", *_CURVE]).set_index("history_tokens")

    @property
    def held_bytes(self) -> float:
        """The memory that the warm model takes (median). Raises ValueError where it is not told."""
        held = self._own()["held_bytes"].dropna()
        if held.empty:
            raise ValueError("How much memory the model takes is not told by this server.")
        return float(held.median())

    def break_even(
        self,
        price_s_per_gb_min: float | None = None,
        *,
        slowdown: float | None = None,
        history_tokens: int | None = None,
    ) -> Interval:
        """T* for a conversation of that length, in seconds: see `InARowResult.break_even`.

        Parameters
        ----------
        price_s_per_gb_min:
            What one GB in memory for one minute is worth to you, in seconds of waiting.
        slowdown:
            In place of a price: how many times slower a downstream task runs meanwhile.
        history_tokens:
            One of `histories`; by default the shortest.

        Raises
        ------
        ValueError
            Without a price, or when what is needed was not measured.
        """
        lost_s = self.reload_s(history_tokens)
        if slowdown is not None:
            return break_even_beside(lost_s, slowdown)
        return break_even_interval(lost_s, self.held_bytes, checked_price(price_s_per_gb_min))

    def _own(self) -> pd.DataFrame:
        """The rows that nobody else has touched."""
        rows = self.undisturbed
        if "history_tokens" in rows:
            return rows
        lacking = dict.fromkeys(("prompt_tokens", "prompt_eval_s", "held_bytes"), np.nan)
        return rows.assign(history_tokens=0, **lacking)  # saved before there were any

    def _of(self, state: str, history_tokens: int | None) -> pd.DataFrame:
        own = self._own()
        tokens = own["history_tokens"].min() if history_tokens is None else history_tokens
        rows = own[(own["state"] == state) & (own["history_tokens"] == tokens)]
        rows = rows[rows["ttft_s"].notna()]
        # a file that the kernel would not let go of was not read from the disk
        return rows[rows["dropped"].astype(bool)] if state == DISK else rows

    def _median(self, column: str, state: str, history_tokens: int | None) -> Interval:
        known = self._of(state, history_tokens)[column].dropna()
        return self._widened(median_interval(list(known)))

    def _colder_by(self, column: str, tokens: int | None, state: str = CACHE) -> Interval:
        cold, warm = (self._of(kind, tokens)[column].dropna() for kind in (state, WARM))
        return self._widened(reload_interval(list(cold), list(warm)))

    def _point(self, tokens: int) -> dict[str, Any]:
        row: dict[str, Any] = {"history_tokens": tokens}
        row["prompt_tokens"] = self._of(CACHE, tokens)["prompt_tokens"].median()
        try:
            lost = self.reload_s(tokens)
            row |= {"reload_s": lost.median, "low_s": lost.low, "high_s": lost.high, "n": lost.n}
            row["cold_s"] = self.ttft_s(CACHE, tokens).median
            row["warm_s"] = self.ttft_s(WARM, tokens).median
            row |= {name: self._colder_by(name, tokens).median for name in _PARTS}
        except ValueError:  # not measured, or not told
            pass
        return row

    def _verdict(self) -> str:
        text = f"{self.facts['model']}: " + " ".join(self._of_each_history())
        return text + self._from_disk()

    def _of_each_history(self) -> Iterator[str]:
        for tokens in self.histories:
            warm, cached = self.ttft_s(WARM, tokens), self.ttft_s(CACHE, tokens)
            seen = self._of(CACHE, tokens)["prompt_tokens"].median()
            prompt = f"a prompt of {seen:,.0f} tokens" if seen > 0 else "this prompt"
            yield (
                f"With {prompt} the first token comes after {cached} s when the model has to be "
                f"loaded (its file in the page cache), after {warm} s when it is resident."
            )
            yield self._cost(tokens)

    def _cost(self, tokens: int) -> str:
        lost = self.reload_s(tokens)
        require_reload(lost)
        if lost.low <= 0:
            return "The two are not distinguishable here."
        text = f"A reload costs {lost} s"
        try:
            load, read = (part.median for part in self.reload_parts(tokens).values())
        except ValueError:  # not told
            return f"{text}."
        if read <= 0:
            return f"{text}."
        return (
            f"{text}: {digits(max(0.0, load))} s for the load, {digits(read)} s for the prompt "
            "read again."
        )

    def _from_disk(self) -> str:
        try:
            disk, cached = (self.ttft_s(state) for state in (DISK, CACHE))
        except ValueError:
            return self._no_disk()
        alike = ": not distinguishable from the page cache here" if disk.overlaps(cached) else ""
        with_it = " (with the shortest history)" if len(self.histories) > 1 else ""
        return f" With its file from the disk the first token comes after {disk} s{with_it}{alike}."

    def _no_disk(self) -> str:
        if (self.frame["state"] != DISK).all():
            return ""
        return (
            " From the disk it was not measured: the file here did not pass through the page cache "
            "when the model was loaded, so it may be another one than was read."
        )

    @property
    def figure(self) -> go.Figure:
        """Time to first token in each state, load and the rest, one point per request; of several
        histories, cold and warm against the length of the prompt."""
        from lifecycle_widgets.experiments.figures.cold_and_warm import draw, draw_curve

        own, model = self._own(), html.escape(self.facts["model"])
        known = own[own["ttft_s"].notna() & ((own["state"] != DISK) | own["dropped"].astype(bool))]
        kinds = known.groupby(["state", "history_tokens"]).groups
        ttft_s = {(state, int(tokens)): self.ttft_s(state, tokens) for state, tokens in kinds}
        if len(self.histories) > 1:
            return draw_curve(own, ttft_s, model)
        return draw(own, {state: interval for (state, _), interval in ttft_s.items()}, model)
