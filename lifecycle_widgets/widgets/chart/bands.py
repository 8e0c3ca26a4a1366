"""The residencies: a lane per model, a tint behind the lines, the expiry ahead, the reason why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lifecycle_widgets.monitor import Residency
from lifecycle_widgets.widgets.chart.scene import Scene
from lifecycle_widgets.widgets.chart.words import end_label, leaves_text, nothing_text
from lifecycle_widgets.widgets.formats import escaped

TEXT_COLOR = "#7d7d7d"  # reads on white and on black; in the lab the style sheet overrides it
FONT_SIZE = 11
BAR_OPACITY = 0.8
_BAR_TOP, _BAR_BOTTOM = -0.46, 0.02  # of a lane, from its middle; below it are the requests
_MOST_TINTED = 4  # the tints of more models than that make a grey ground
_LETTER = 7 / 700  # of the window: a letter's width on a narrow page, so that no text overlaps


def band_shapes(scene: Scene, lanes_bottom: float) -> list[dict[str, Any]]:
    """Rectangles and lines. ``lanes_bottom`` is where the lanes end (0 to 1, from below)."""
    drawn: list[dict[str, Any]] = []
    if len(scene.lanes) <= _MOST_TINTED:
        drawn += [_tint(scene, stay, lanes_bottom) for stay in scene.bands]
    drawn += [_bar(scene, stay) for stay in scene.bands]
    for stay in scene.bands:
        drawn += _ahead(scene, stay)
    return drawn


def _span(scene: Scene, stay: Residency) -> tuple[float, float]:
    return scene.place(max(stay.since, scene.start)), scene.place(stay.until or scene.now)


def _rectangle(x0: float, x1: float, color: str, opacity: float) -> dict[str, Any]:
    line = {"width": 0, "color": color, "dash": "solid"}
    return {
        "type": "rect",
        "xref": "x",
        "x0": x0,
        "x1": x1,
        "fillcolor": color,
        "opacity": opacity,
        "layer": "below",
        "line": line,
    }


def _in_lane(scene: Scene, model: str) -> dict[str, Any]:
    lane = scene.lanes[model]
    return {"yref": "y", "y0": lane + _BAR_TOP, "y1": lane + _BAR_BOTTOM}


def _tint(scene: Scene, stay: Residency, lanes_bottom: float) -> dict[str, Any]:
    """Behind the lines, so that memory and CPU are seen together with the stay."""
    rectangle = _rectangle(*_span(scene, stay), scene.colors[stay.model], 0.07)
    return {**rectangle, "yref": "paper", "y0": 0, "y1": lanes_bottom}


def _bar(scene: Scene, stay: Residency) -> dict[str, Any]:
    rectangle = _rectangle(*_span(scene, stay), scene.colors[stay.model], BAR_OPACITY)
    return {**rectangle, **_in_lane(scene, stay.model)}


def _ahead(scene: Scene, stay: Residency) -> Iterator[dict[str, Any]]:
    """The time that a resident model still has: pale in its lane, a dashed line where it ends."""
    color = scene.colors[stay.model]
    if stay.until is not None or not (stay.is_forever or stay.expires_at):
        return
    until = scene.end if stay.is_forever or stay.expires_at is None else stay.expires_at
    if until <= scene.now:
        return
    pale = _rectangle(scene.place(scene.now), scene.place(min(until, scene.end)), color, 0.3)
    yield {**pale, **_in_lane(scene, stay.model)}
    if not stay.is_forever and until <= scene.end:
        x = scene.place(until)
        line = {"width": 1.5, "color": color, "dash": "dash"}
        place = {"type": "line", "xref": "x", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1}
        yield {**pale, **place, "opacity": 1, "layer": "above", "line": line}


def band_labels(scene: Scene) -> list[dict[str, Any]]:
    """The countdowns, and at the end of each band why it ended, where there is room for it."""
    if not scene.bands:
        said = nothing_text(scene.latest, scene.requests)
        return [_text(said, 0, x=0.5, xref="paper", xanchor="center", y=0)]
    made = []
    for stay, following in _with_following(scene.bands):
        lane = scene.lanes[stay.model]
        if stay.until is None:
            made += [_countdown(scene, stay, lane)] if scene.now <= scene.end else []
            continue
        made += _reason(scene, stay, following, lane)
    return made


def _reason(
    scene: Scene, stay: Residency, following: Residency | None, lane: int
) -> Iterator[dict[str, Any]]:
    """Why it left: after the band, else in it, else nowhere (it can still be pointed at)."""
    assert stay.until is not None
    text = end_label(stay)
    needs_s = (len(text) + 1) * _LETTER * scene.window_s
    after_s = ((following.since if following else scene.end) - stay.until).total_seconds()
    within_s = (stay.until - max(stay.since, scene.start)).total_seconds()
    if after_s >= needs_s:
        yield _text(text, lane, x=scene.place(stay.until), xshift=4)
    elif within_s >= needs_s:
        yield _text(text, lane, x=scene.place(stay.until), xanchor="right", xshift=-5)


def _with_following(stays: list[Residency]) -> list[tuple[Residency, Residency | None]]:
    """Each stay with the next one of the same model."""
    made: list[tuple[Residency, Residency | None]] = []
    following: dict[str, Residency] = {}
    for stay in reversed(stays):
        made.append((stay, following.get(stay.model)))
        following[stay.model] = stay
    return made[::-1]


def _countdown(scene: Scene, stay: Residency, lane: int) -> dict[str, Any]:
    text = leaves_text(stay, scene.now)
    if stay.is_forever or stay.expires_at is None or stay.expires_at <= scene.now:
        return _text(text, lane, x=scene.place(scene.now), xshift=6, bold=True)
    room_s = (scene.end - stay.expires_at).total_seconds()
    if room_s >= (len(text) + 1) * _LETTER * scene.window_s:
        return _text(text, lane, x=scene.place(stay.expires_at), xshift=6, bold=True)
    return _text(text, lane, x=1, xref="paper", xanchor="right", xshift=-4, bold=True)


def _text(text: str, lane: int, *, bold: bool = False, **place: Any) -> dict[str, Any]:
    return {
        "xref": "x",
        "xanchor": "left",
        "xshift": 0,
        "yref": "y",
        "y": lane + (_BAR_TOP + _BAR_BOTTOM) / 2,
        "yanchor": "middle",
        "text": f"<b>{escaped(text)}</b>" if bold else escaped(text),
        "showarrow": False,
        "font": {"size": FONT_SIZE, "color": TEXT_COLOR},
        **place,
    }
