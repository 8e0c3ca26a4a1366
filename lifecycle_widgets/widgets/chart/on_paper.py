"""What the chart shows in tables: the stays in memory and the requests; for readers without it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lifecycle_widgets.monitor import Request, Residency
from lifecycle_widgets.widgets.chart.seen.known import Known
from lifecycle_widgets.widgets.chart.words import NO_NAME
from lifecycle_widgets.widgets.formats import clock_text
from lifecycle_widgets.widgets.still.sheet import Sheet

_MOST = 20
_ENOUGH = 255  # samples, about two minutes of them
_TICK_S = 30.0  # so often is the picture another one while a model stays and nothing happens


def known_on(sheet: Sheet, known: Known) -> None:
    """Write down what is known, without what changes from second to second."""
    if not known.stays:
        sheet.say("No model was seen in memory.")
    sheet.table(_stays(known.stays), rows="stays in memory", most=_MOST, is_last=True)
    work = [request for request in known.requests if request.is_work]
    if work:
        sheet.table(_requests(work), rows="requests", most=_MOST, is_last=True)


def moved(known: Known, *, is_live: bool) -> int:
    """A number that is another one when a picture that follows the present has moved on.

    While no model is in memory, it soon has no longer: what is seen then is worth no picture.
    """
    if not is_live:
        return 0
    if any(stay.until is None for stay in known.stays):
        return int(known.now.timestamp() // _TICK_S)
    return -min(len(known.samples), _ENOUGH).bit_length()


def _stays(stays: Sequence[Residency]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": [stay.model or NO_NAME for stay in stays],
            "in memory from": [clock_text(stay.since) for stay in stays],
            "until": [_until(stay) for stay in stays],
            "why it left": [stay.why or "" for stay in stays],
            "requests": [stay.requests for stay in stays],
        }
    )


def _until(stay: Residency) -> str:
    if stay.until is not None:
        return clock_text(stay.until)
    if stay.is_forever:
        return "it stays forever"
    return "it is there" if stay.keep_alive_s is None else f"it is there ({stay.keep_alive_s:g} s)"


def _requests(requests: Sequence[Request]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "request to": [request.model or NO_NAME for request in requests],
            "of": [request.whose for request in requests],
            "ended": ["" if r.ended_at is None else clock_text(r.ended_at) for r in requests],
            "load, s": [request.load_s for request in requests],
            "TTFT, s": [request.ttft_s for request in requests],
            "total, s": [request.total_s for request in requests],
            "tokens": [str(r.output_tokens or "") for r in requests],
        }
    ).dropna(axis="columns", how="all")
