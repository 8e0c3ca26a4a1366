"""ReloadCost: what a reload of a model takes, the prompt that is read again included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.experiments.statistics import (
    Interval,
    digits,
    generator,
    interval_of_draws,
    median_and_draws,
)
from lifecycle_widgets.history import History
from lifecycle_widgets.history.reading.asked import Moment
from lifecycle_widgets.runs import counted
from lifecycle_widgets.runs.step import LEAST_LOAD_S
from lifecycle_widgets.server import Server

if TYPE_CHECKING:
    import pandas as pd

MOST = 1000
"""The newest requests that are looked at, of each kind: what was long ago says less."""

_KINDS = ("chat", "generate")  # what reads a prompt


@dataclass(frozen=True)
class ReloadCost:
    """L: how much longer a request waits that has to load the model, in seconds.

    Parameters
    ----------
    load_s:
        The load alone; None: none was seen.
    prompt_s:
        The prompt that is read again, since unloading throws the prompt cache away: what the
        prompts of warm requests would have taken from their beginning, less what they took. None:
        not told.
    reload_s:
        L, both together; where ``prompt_s`` is not told the load alone, which is the least it is.
    n:
        Of how many loads.
    held_bytes:
        What the model takes of memory, as it was seen last; None: not seen.
    told:
        Where it is from, in a sentence; where it is not known, how to measure it.

    Examples
    --------
    >>> print(given(2.0, 500_000_000).told)
    A reload takes 2 s, as was given.
    """

    load_s: Interval | None
    prompt_s: Interval | None
    reload_s: Interval | None
    n: int
    held_bytes: int | None
    told: str

    @property
    def seconds(self) -> float | None:
        """L in one number, the median; None: not known."""
        return None if self.reload_s is None else self.reload_s.median


def given(reload_s: float | None, held_bytes: float | None) -> ReloadCost:
    """What a person says it is; None: not known.

    Raises
    ------
    ValueError
        For what is no finite number above 0.
    """
    seconds = _above_0(reload_s, "The reload", "seconds")
    size = _above_0(held_bytes, "The memory held", "bytes")
    held = None if size is None else int(size)
    if seconds is None:
        return ReloadCost(None, None, None, 0, held, "")
    exactly = Interval(seconds, seconds, seconds, 1)
    told = f"A reload takes {digits(seconds)} s, as was given."
    return ReloadCost(None, None, exactly, 1, held, told)


def reload_cost(
    history: History | None,
    model: str,
    *,
    server: Server | str | None = None,
    since: Moment = None,
) -> ReloadCost:
    """What a reload of a model has taken, by what a history has of it.

    Parameters
    ----------
    history:
        Which one; None: the person's own.
    model, server, since:
        As `History.requests`.

    Raises
    ------
    HistoryError
        Where it cannot be read.

    Examples
    --------
    >>> print(reload_cost(History("notes/history.sqlite"), "llama3.2").told)
    What a reload of llama3.2 takes was not measured here: lw.ColdAndWarm('llama3.2').run() does.
    """
    kept = History() if history is None else history
    requests = kept.requests(model=model, server=server, since=since)
    stays = kept.residencies(model=model, server=server, since=since)
    return reload_cost_of(requests, stays, model)


def reload_cost_of(requests: pd.DataFrame, residencies: pd.DataFrame, model: str) -> ReloadCost:
    """The same from the tables of one model: `History.requests` and `History.residencies`."""
    loads_s = _known(requests["load_s"], LEAST_LOAD_S) or _known(residencies["load_s"])
    sizes = _known(residencies["size_bytes"])
    size = int(sizes[-1]) if sizes else None
    if not loads_s:
        return ReloadCost(None, None, None, 0, size, offer(model))
    again_s = prompts_again_s(requests)
    rng = generator()
    load, prompt = median_and_draws(loads_s, rng), median_and_draws(again_s, rng)
    load_s, n = interval_of_draws(load, len(loads_s)), len(loads_s)
    if not again_s:
        told = f"A reload takes {digits(load_s.median)} s at least ({counted(n, 'load')}); the "
        told += "prompt that is read again was not told."
        return ReloadCost(load_s, None, load_s, n, size, told)
    prompt_s, reload_s = (
        interval_of_draws(prompt, len(again_s)),
        interval_of_draws(load + prompt, n),
    )
    told = f"A reload takes {digits(reload_s.median)} s: {digits(load_s.median)} s of load "
    told += f"({counted(n, 'load')}) and {digits(prompt_s.median)} s to read the prompt again "
    told += f"({counted(len(again_s), 'request')})."
    return ReloadCost(load_s, prompt_s, reload_s, n, size, told)


def prompts_again_s(requests: pd.DataFrame) -> list[float]:
    """Of each warm request: how much longer its prompt eval would be without the prompt cache.

    A cold request reads its whole prompt, so cold ones say what a token takes; a warm one reads
    only what is new (``prompt_tokens`` counts what was in the cache, too). Empty where either is
    not told.
    """
    some = requests[requests["kind"].isin(_KINDS)]
    tokens = some["prompt_tokens"].astype("float64")
    told = some.assign(tokens=tokens)[["load_s", "prompt_eval_s", "tokens"]].dropna()
    told = told[told["tokens"] > 0]
    is_cold = told["load_s"] >= LEAST_LOAD_S
    cold, warm = told[is_cold].tail(MOST), told[~is_cold].tail(MOST)
    if cold.empty or warm.empty:
        return []
    token_s = float(cold["prompt_eval_s"].sum() / cold["tokens"].sum())
    again = warm["tokens"] * token_s - warm["prompt_eval_s"]
    return [float(value) for value in again.clip(lower=0.0)]


def offer(model: str) -> str:
    """How to measure what is not known."""
    code = f"lw.ColdAndWarm({model!r}).run()"
    return f"What a reload of {model} takes was not measured here: {code} does."


def _known(column: pd.Series[Any], least: float = 0.0) -> Sequence[float]:
    values = column.dropna().astype("float64")
    return [float(value) for value in values[values > least].tail(MOST)]


def _above_0(value: float | None, what: str, unit: str) -> float | None:
    try:
        number = None if value is None else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if number is not None and not 0 < number < math.inf:
        raise ValueError(f"{what} is {value}: give {unit} above 0.")
    return number
