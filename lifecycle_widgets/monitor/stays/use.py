"""How a model was used while it was in memory: who loaded and touched it, and for how long."""

from __future__ import annotations

import math

from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.stays.stay import Stay
from lifecycle_widgets.monitor.traffic.request import OURS


def loaded_by(stay: Stay, first_look: Sample | None) -> str | None:
    """Whose request loaded it; None where its load was not seen, or no request is known for it."""
    loader = stay.uses.loader
    return None if loader is None or not _was_seen(stay, first_look) else loader.whose


def touched_by(stay: Stay) -> str | None:
    """Whose request was the last that ended in it."""
    if _is_zeroed(stay):
        return OURS
    return None if stay.uses.last is None else stay.uses.last.whose


def keep_alive_of(stay: Stay) -> float | None:
    """The keep_alive that is (or was) in force, in seconds; None where that is not known."""
    if stay.is_forever:
        return math.inf
    if _is_zeroed(stay):
        return 0.0
    told = [one.keep_alive_s for one in stay.uses.going_on if one.keep_alive_s is not None]
    if told:
        return told[-1]
    return stay.keep_s if stay.uses.keep_s is None else stay.uses.keep_s


def load_s(stay: Stay, first_look: Sample | None, now: Sample | None) -> float | None:
    """How long its load took: as Ollama told us, else from its runner's start to its listing.

    ``now`` is the last sample for a model that is there, None for one that has left.
    """
    loader, resident = stay.uses.loader, stay.resident
    if not _was_seen(stay, first_look):
        return None
    if loader is not None and loader.load_s is not None and loader.whose == OURS:
        return loader.load_s
    if resident is None:
        return None if now is None else now.t_s - stay.began_s
    # old versions list a model that loads; they do not tell the length of its context
    if stay.loaded is None or stay.loaded is stay.first or resident.context_length is None:
        return None
    return stay.loaded.t_s - stay.began_s


def _was_seen(stay: Stay, first_look: Sample | None) -> bool:
    """Whether it is known when its load began."""
    return stay.first is not first_look or stay.is_start_told


def _is_zeroed(stay: Stay) -> bool:
    """Whether the last request in it was one of ours with keep_alive 0."""
    last = stay.uses.last
    ended_s = -math.inf if last is None or last.ended_s is None else last.ended_s
    return any(t_s >= ended_s for t_s in stay.zeroed_s)
