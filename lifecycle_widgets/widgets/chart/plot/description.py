"""What a picture of the chart shows, in sentences: for who does not see it, and as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lifecycle_widgets.monitor import WHYS, Request, Residency
from lifecycle_widgets.runs import duration_text
from lifecycle_widgets.widgets.chart.scene import Scene
from lifecycle_widgets.widgets.chart.words import NO_NAME, end_label, is_untold
from lifecycle_widgets.widgets.formats import clock_text, seconds_text

_MOST = 3  # so many of a kind are told one by one, the last ones


def description(scene: Scene) -> str:
    """Who is in memory until when, who has left and why, and what was asked last.

    It says no time left and no reading, which change all the time: the line under the chart does.
    """
    return " ".join(_sentences(scene))


def _sentences(scene: Scene) -> Iterator[str]:
    if scene.ahead_s > 0:
        yield f"Memory, processor and requests of the last {duration_text(scene.window_s)}."
    else:
        when = f"from {clock_text(scene.start)} to {clock_text(scene.end)}"
        yield f"Memory, processor and requests {when}."
    held = [stay for stay in scene.bands if stay.until is None]
    gone = sorted((stay for stay in scene.bands if stay.until), key=lambda s: s.until or s.since)
    if held:
        yield f"In memory: {_listed([_held(stay, scene) for stay in held])}."
    elif scene.latest is not None and scene.latest.residents is None:
        yield "What is in memory is not told."
    else:
        yield "No model is in memory."
    if gone:
        yield f"Left memory: {_listed([_left(stay) for stay in gone])}."
    asked = [request for request in scene.asked if request.is_work]
    if asked:
        yield f"Requests: {len(asked)}; the last one{_last(asked)}."


def _held(stay: Residency, scene: Scene) -> str:
    said = f"{stay.model or NO_NAME} since {clock_text(stay.since)}"
    if stay.is_loading:
        return f"{stay.model or NO_NAME}, which is loading"
    if stay.is_forever:
        return f"{said}, forever"
    if stay.expires_at is None or is_untold(stay):
        return f"{said}, until when is not told"
    if stay.expires_at <= scene.now:
        return f"{said}, in use"
    return f"{said}, until {clock_text(stay.expires_at)}"


def _left(stay: Residency) -> str:
    why = end_label(stay)
    until = "" if stay.until is None else f" at {clock_text(stay.until)}"
    return f"{stay.model or NO_NAME}{until} ({why}: {WHYS[why]})"


def _last(asked: Sequence[Request]) -> str:
    last = max(asked, key=lambda request: request.began_s or 0.0)
    to = f", to {last.model or NO_NAME}, "
    if last.ended_at is None:
        return f"{to}goes on"
    took = "" if last.total_s is None else f" after {seconds_text(last.total_s)}"
    return f"{to}ended at {clock_text(last.ended_at)}{took}"


def _listed(parts: Sequence[str]) -> str:
    """The last ones, and how many there were before them."""
    more = len(parts) - _MOST
    before = f"{more} before, and " if more > 0 else ""
    return before + "; ".join(parts[-_MOST:])
