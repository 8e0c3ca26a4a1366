"""The residencies: a lane per model, a tint behind the lines, the expiry ahead, the reason why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lifecycle_widgets.monitor import Residency
from lifecycle_widgets.widgets.chart.scene import Scene
from lifecycle_widgets.widgets.chart.words import end_label, leaves_text, nothing_text
from lifecycle_widgets.widgets.formats import escaped

TEXT_COLOR = "#424852"  # on the light ground of a figure; on the page the style sheet overrides it
FONT_SIZE = 11
BAR_OPACITY = 1.0  # so that what is written on a bar has the same contrast in every theme
_BAR_TOP, _BAR_BOTTOM = -0.46, 0.02  # of a lane, from its middle; below it are the requests
_MIDDLE = 0.179  # of luminance: black and white have the same contrast with it
_MOST_TINTED = 4  # the tints of more models than that make a grey ground


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
    needs_s = scene.room_for(text)
    after_s = ((following.since if following else scene.end) - stay.until).total_seconds()
    within_s = (stay.until - max(stay.since, scene.start)).total_seconds()
    if after_s >= needs_s:
        yield _text(text, lane, x=scene.place(stay.until), xshift=4)
    elif within_s >= needs_s:
        yield _on_bar(scene, stay, text, lane, stay.until)


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
    within_s = (scene.now - max(stay.since, scene.start)).total_seconds()
    if scene.is_still and within_s >= scene.room_for(text):
        return _on_bar(scene, stay, text, lane, scene.now)
    if stay.is_forever or stay.expires_at is None or stay.expires_at <= scene.now:
        return _text(text, lane, x=scene.place(scene.now), xshift=6, bold=True)
    room_s = (scene.end - stay.expires_at).total_seconds()
    if room_s >= scene.room_for(text):
        return _text(text, lane, x=scene.place(stay.expires_at), xshift=6, bold=True)
    return _text(text, lane, x=1, xref="paper", xanchor="right", xshift=-4, bold=True)


def _on_bar(scene: Scene, stay: Residency, text: str, lane: int, end: datetime) -> dict[str, Any]:
    """At the end of a bar, on it: in black or white, whichever reads better."""
    ink = {"size": FONT_SIZE, "color": ink_on(scene.colors[stay.model])}
    return _text(text, lane, x=scene.place(end), xanchor="right", xshift=-5, font=ink)


def ink_on(color: str) -> str:
    """Black or white: of the two, one has a contrast of 4.5 at least with any colour.

    Examples
    --------
    >>> ink_on("#e69f00"), ink_on("#3361cc")
    ('#000000', '#ffffff')
    """
    parts = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    light = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
    return "#000000" if luminance > _MIDDLE else "#ffffff"


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
