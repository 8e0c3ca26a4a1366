"""What the panel says of an advice: its sentence, what it rests on, and the table per model."""

from __future__ import annotations

import pandas as pd

from lifecycle_widgets.advisor.price import Price
from lifecycle_widgets.advisor.recommend.advice import Advice
from lifecycle_widgets.advisor.recommend.values import Evidence, ModelAdvice
from lifecycle_widgets.runs import counted, seconds_text
from lifecycle_widgets.widgets.formats import escaped
from lifecycle_widgets.widgets.frame_html import value_text
from lifecycle_widgets.widgets.still.sheet import Sheet

ASK = (
    "What is a reload worth to you? Move the slider to T*: for so long the idle model may stay in "
    "memory before that costs as much as loading it again."
)
_ARROW = " → "


def sentence_html(one: ModelAdvice) -> str:
    """Why, then what it rests on and what is promised."""
    aside = f"{evidence_text(one.evidence)} {one.guarantee}"
    return (
        f'<p class="lw-verdict" role="status">{escaped(one.because)}</p>'
        f'<p class="lw-verdict lw-muted">{escaped(aside)}</p>'
    )


def advice_on(sheet: Sheet, advice: Advice, one: ModelAdvice) -> None:
    """The same on paper, with the table and what the server should be started with."""
    sheet.say(one.because)
    sheet.say(f"{evidence_text(one.evidence)} {one.guarantee}")
    sheet.items([*one.warnings, *advice.notes])
    sheet.table(table(advice))
    if advice.server is not None:
        sheet.say(f"For the server: {settings_text(advice)}. {advice.server.because}")


def evidence_text(seen: Evidence) -> str:
    """What it rests on, beside what the sentence says.

    Examples
    --------
    >>> evidence_text(Evidence(120, 98, 3, 9000.0, 2, ("ours", "deadlines")))
    'Seen by ours, deadlines, on 2 days; 3 idle gaps that nobody watched are left out.'
    """
    days = f", on {counted(seen.days, 'day')}" if seen.days else ""
    left = counted(seen.unwatched, "idle gap")
    left = f"; {left} that nobody watched are left out" if seen.unwatched else ""
    return f"Seen by {', '.join(seen.witnesses) or 'whoever wrote it'}{days}{left}."


def price_html(price: Price, one: ModelAdvice) -> str:
    """The price, as it was said and in the other ways; nothing where that is T* alone."""
    reload = one.reload
    if reload is None and price.t_star_s is not None:
        return ""
    known = (None, None) if reload is None else (reload.seconds, reload.held_bytes)
    return f'<span class="lw-muted">{escaped(price.in_words(*known))}</span>'


def server_html(advice: Advice) -> str:
    """What the server should be started with."""
    if advice.server is None:
        return ""
    settings = escaped(settings_text(advice))
    return f"<p>For the server: <b>{settings}</b>. {escaped(advice.server.because)}</p>"


def settings_text(advice: Advice) -> str:
    """The server's settings that are advised; empty: none."""
    settings = advice.server.settings if advice.server is not None else {}
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def table(advice: Advice) -> pd.DataFrame:
    """A row per model: today's value and the recommended one, and what each comes to.

    What is not known of any model has no column, and what is the same for all has none either.
    """
    rows = pd.DataFrame([_row(one) for one in advice.models])
    empty = [name for name in rows if (rows[name] == value_text(None)).all()]
    is_one_price = advice.price.t_star_s is not None
    return rows.drop(columns=empty + ["T*"] * is_one_price)


def _row(one: ModelAdvice) -> dict[str, object]:
    now, then = one.now, one.then
    return {
        "model": one.model,
        "today": str(one.today),
        "advice": str(one.keep_alive),
        "T*": seconds_text(one.t_star_s),
        "reloads an hour": _pair(now.reloads_per_hour, then.reloads_per_hour),
        "waiting, s": _pair(now.waiting_s, then.waiting_s),
        "idle, GB h": _pair(now.gb_h, then.gb_h),
        "cost, × the least": _pair(now.cost_over_clairvoyant, then.cost_over_clairvoyant),
        "saves a day, reloads": str(one.saves),
        "saves a day, s": value_text(one.saves_s),
        "idle gaps": one.evidence.gaps,
    }


def _pair(now: float | None, then: float | None) -> str:
    """Today's and the recommended value's; one where they are the same."""
    before, after = value_text(now), value_text(then)
    return before if before == after else f"{before}{_ARROW}{after}"
