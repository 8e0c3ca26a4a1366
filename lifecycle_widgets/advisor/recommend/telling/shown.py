"""An advice as text, as an HTML table, and as a DataFrame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from lifecycle_widgets.advisor.price import Price
from lifecycle_widgets.advisor.recommend.telling.words import called
from lifecycle_widgets.advisor.recommend.values import ModelAdvice, ServerAdvice
from lifecycle_widgets.experiments.statistics import digits
from lifecycle_widgets.runs import counted

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 12
"""So many models are shown; the frame has them all."""


class Advised(Protocol):
    """What is shown of an `Advice`."""

    @property
    def models(self) -> tuple[ModelAdvice, ...]: ...

    @property
    def server(self) -> ServerAdvice | None: ...

    @property
    def price(self) -> Price: ...

    @property
    def source(self) -> str: ...

    @property
    def notes(self) -> tuple[str, ...]: ...


def advice_text(advice: Advised) -> str:
    """For a terminal: a paragraph per model, then the server, then what to know.

    Examples
    --------
    >>> from lifecycle_widgets.advisor.recommend.advice import Advice
    >>> print(advice_text(Advice((), None, Price(t_star_s=120), "an example")))
    From an example; one reload is worth 120 s of the idle model in memory.
    No model has an idle gap to learn from, so there is no advice.
    """
    return "\n".join(_lines(advice))


def _lines(advice: Advised) -> Iterator[str]:
    yield f"From {advice.source}; {advice.price}."
    if not advice.models:
        yield "No model has an idle gap to learn from, so there is no advice."
    for one in advice.models[:MOST_ROWS]:
        yield ""
        yield f"{called(one.model)}: keep_alive {one.keep_alive}"
        yield f"  {one.because}"
        yield f"  {one.guarantee}"
        if one.reload is not None:
            yield f"  {one.price_in_words}."
        yield from (f"  {warning}" for warning in one.warnings)
    if (left := len(advice.models) - MOST_ROWS) > 0:
        yield f"\nand {left:,} more: .frame has them all."
    if advice.server is not None:
        settings = " ".join(f"{name}={value}" for name, value in advice.server.settings.items())
        yield f"\nFor the server: {settings}"
        yield f"  {advice.server.because}"
        yield from (f"  {warning}" for warning in advice.server.warnings)
    if advice.notes:
        yield ""
        yield from advice.notes


def advice_html(advice: Advised) -> str:
    """A plain table of the models, their sentences below it; everything escaped."""
    head = ("model", "keep_alive", "today", "saves a day", "reloads an hour", "evidence")
    shown = advice.models[:MOST_ROWS]
    rows = "".join(f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in _cells(m))}</tr>" for m in shown)
    table = (
        f"<table><thead><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
    lines = [line.strip() for line in _lines(advice)]
    said = "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    return f"<div>{table if shown else ''}{said}</div>"


def _cells(one: ModelAdvice) -> tuple[str, ...]:
    gaps = counted(one.evidence.gaps, "gap")
    return (
        called(one.model),
        str(one.keep_alive),
        str(one.today),
        f"{digits(one.saves.median, 2)} reloads",
        f"{digits(one.now.reloads_per_hour, 2)} → {digits(one.then.reloads_per_hour, 2)}",
        gaps if one.is_enough else f"{gaps}: not enough yet",
    )


def frame_of(models: Sequence[ModelAdvice]) -> pd.DataFrame:
    """See `Advice.frame`."""
    import pandas as pd

    return pd.DataFrame([_row(one) for one in models])


def _row(one: ModelAdvice) -> dict[str, Any]:
    now, then, saves_s = one.now, one.then, one.saves_s
    nan = math.nan
    return {
        "model": one.model,
        "keep_alive": str(one.keep_alive),
        "today": str(one.today),
        "today_from": one.today_from,
        "is_enough": one.is_enough,
        "t_star_s": one.t_star_s,
        "reload_s": nan if one.reload is None or one.reload.seconds is None else one.reload.seconds,
        "saves_per_day": one.saves.median,
        "saves_per_day_low": one.saves.low,
        "saves_per_day_high": one.saves.high,
        "saves_s_per_day": nan if saves_s is None else saves_s.median,
        "cost_now": now.cost,
        "cost_then": then.cost,
        "over_clairvoyant_now": now.cost_over_clairvoyant,
        "over_clairvoyant_then": then.cost_over_clairvoyant,
        "held_s_now": now.held_s,
        "held_s_then": then.held_s,
        "reloads_now": now.reloads,
        "reloads_then": then.reloads,
        "reloads_per_hour_now": now.reloads_per_hour,
        "reloads_per_hour_then": then.reloads_per_hour,
        "waiting_s_now": nan if now.waiting_s is None else now.waiting_s,
        "waiting_s_then": nan if then.waiting_s is None else then.waiting_s,
        "gb_h_now": nan if now.gb_h is None else now.gb_h,
        "gb_h_then": nan if then.gb_h is None else then.gb_h,
        "requests": one.evidence.requests,
        "gaps": one.evidence.gaps,
        "days": one.evidence.days,
        "span_s": one.evidence.span_s,
    }
