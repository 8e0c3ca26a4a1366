"""A scene cut down to the time in which something happened: for a figure, which does not go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from lifecycle_widgets.widgets.chart.scene import Scene
from lifecycle_widgets.widgets.chart.words import end_label, leaves_text

_BEFORE, _AFTER = 0.06, 0.03  # of what happened, left free
_LEAST_S = 10.0
_MOST_AHEAD, _MOST_ROOM = 0.4, 0.5  # of what happened: an expiry; of the picture: a text


def what_happened(scene: Scene) -> Scene:
    """The same scene from just before the first thing in it to just after the last one.

    Things are models in memory, requests, and the time in which a model was at work; where there is
    none, it stays as it is.
    """
    inside = sorted(at for at in _times(scene) if scene.start <= at <= scene.end)
    if not inside:
        return replace(scene, is_still=True)
    first, last = inside[0], inside[-1]
    span_s = max((last - first).total_seconds(), _LEAST_S)
    for stay in scene.bands:
        if stay.until is None and stay.expires_at is not None:
            ahead_s = (stay.expires_at - last).total_seconds()
            last += timedelta(seconds=ahead_s if 0 < ahead_s <= _MOST_AHEAD * span_s else 0)
    shown_s = max((last - first).total_seconds(), _LEAST_S)
    start = first - timedelta(seconds=_BEFORE * shown_s)
    cut = _between(scene, start, last + timedelta(seconds=_AFTER * shown_s))
    return _with_room(cut, last)


def _times(scene: Scene) -> Iterator[datetime]:
    for stay in scene.bands:
        yield max(stay.since, scene.start)
        yield scene.now if stay.until is None else stay.until
    for request in scene.asked:
        yield max(request.began_at or request.ended_at or scene.now, scene.start)
        yield request.ended_at or scene.now
    for busy in scene.worked:
        yield from (max(busy.start, scene.start), min(busy.end, scene.end))


def _between(scene: Scene, start: datetime, end: datetime) -> Scene:
    window_s, ahead_s = (end - start).total_seconds(), (end - scene.now).total_seconds()
    return replace(scene, window_s=window_s, ahead_s=ahead_s, is_still=True)


def _with_room(scene: Scene, last: datetime) -> Scene:
    """Wider, where the texts at the last ends would have no room."""
    needed = [share for share in _shares(scene, last) if share]
    share = min(max(needed, default=0.0), _MOST_ROOM)
    width_s = (last - scene.start).total_seconds() / (1 - share)
    if width_s <= scene.window_s:
        return scene
    return _between(scene, scene.start, scene.start + timedelta(seconds=width_s))


def _shares(scene: Scene, last: datetime) -> Iterator[float]:
    """Of the picture's width, what the text at the end of each band takes that ends last."""
    for stay in scene.bands:
        text = leaves_text(stay, scene.now) if stay.until is None else end_label(stay)
        end = stay.until or scene.now
        share = scene.room_for(text) / scene.window_s
        within = (end - max(stay.since, scene.start)).total_seconds() / scene.window_s
        near = (last - end).total_seconds() / scene.window_s
        if near < share and (stay.until is not None or within < share * 1.3):
            yield share - near
