"""When a model left, and why: by what is known of it, else by exclusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.stays.room import was_evicted
from lifecycle_widgets.monitor.stays.stay import Stay
from lifecycle_widgets.monitor.stays.watch import DYING_S, HICCUP_S
from lifecycle_widgets.server import full_name

_AFTER_REQUEST_S = 5.0  # an idle model leaves at once when asked; a busy one shows it otherwise
# After a runner's end Ollama lists its model for moments; with a GPU until the GPU's memory is
# back, which it awaits for up to 5 s. A model listed for longer has lost its runner.
_LISTED_AFTER_END_S = 1.0
_LISTED_AFTER_END_GPU_S = 6.0


@dataclass(frozen=True)
class Known:
    """All that a decision rests on: the stays, what followed, and what was done from here."""

    latest: Sample
    stays: Sequence[Stay]
    first_look: Sample | None
    unloads: Mapping[str, Sequence[float]]  # of full names: when they were unloaded from here


def ending(stay: Stay, known: Known) -> tuple[Sample | None, str | None]:
    """When it left and why; (None, None) while it is still resident."""
    end = _end(stay, known.latest)
    return (None, None) if end is None else (end, _why(stay, end, known))


def _end(stay: Stay, latest: Sample) -> Sample | None:
    """The sample that first showed that it had left; None while it is still resident."""
    if stay.resident is None:
        return stay.gone
    if stay.left is not None:
        return stay.ended or (stay.lost if stay.runner is None else None) or stay.left
    if stay.lost is not None:
        if stay.runner is not None:
            return stay.ended  # its runner tells, even when the server does not
        return stay.lost if latest.t_s - stay.lost.t_s >= HICCUP_S else None
    if stay.ended is not None and latest.t_s - stay.ended.t_s >= _listed_after_end_s(latest):
        return stay.ended
    return None


def _why(stay: Stay, end: Sample, known: Known) -> str:
    if _requested(stay, end, _unloads_of(stay, known)):
        return "requested"
    if _expired(stay, end):
        return "expired"
    if _lost(stay, end):
        return "server gone"
    if _crashed(stay):
        return "crashed"
    evicted = was_evicted(stay, end, known.stays, known.first_look, known.latest)
    if evicted:
        return "evicted"
    return "requested elsewhere" if evicted is False and _is_seen(stay, end) else "unknown"


def _unloads_of(stay: Stay, known: Known) -> list[float]:
    """When it was unloaded from here; one never listed may have been so by another of its names."""
    own = list(known.unloads.get(full_name(stay.model), ()))
    if stay.resident is not None:
        return own
    others = [one for one in known.stays if one is not stay]
    for name, times in known.unloads.items():
        named = [one for one in others if full_name(one.model) == name]
        own += [t for t in times if not any(s.first.t_s <= t <= s.over_s for s in named)]
    return own


def _requested(stay: Stay, end: Sample, unloads: Sequence[float]) -> bool:
    for t_s in unloads:
        # a busy model leaves later; its deadline is then the time of the request
        soon = end.t_s - t_s <= _AFTER_REQUEST_S or abs(stay.due_s - t_s) <= 1.5
        if stay.first.t_s <= t_s <= end.t_s and soon:
            return True
    return False


def _expired(stay: Stay, end: Sample) -> bool:
    # /api/ps is read just after the sample's time; on another machine the clocks differ
    tolerance_s = 2.0 if end.runners is None else 0.25
    if stay.due_s <= end.t_s + tolerance_s:
        return True
    return any(end.t_s - t_s <= _AFTER_REQUEST_S for t_s in stay.zeroed_s)


def _lost(stay: Stay, end: Sample) -> bool:
    """True when it left with its server (which ends its runners, then itself)."""
    if stay.lost is None or end is stay.left:
        return False
    return end.t_s >= stay.lost.t_s - DYING_S


def _crashed(stay: Stay) -> bool:
    """True when its runner ended, and Ollama did not notice."""
    if stay.resident is None or stay.ended is None:
        return False
    # nobody ends a runner so long before its model leaves the list
    left = stay.left
    return left is None or left.t_s - stay.ended.t_s > _listed_after_end_s(left)


def _is_seen(stay: Stay, end: Sample) -> bool:
    """Whether enough was seen to conclude that who unloaded it was another client.

    Before its first request has ended (its deadline moves along until then) it may as well be a
    request that was given up.
    """
    is_told = stay.resident is not None and stay.resident.expires_at is not None
    answered = end.residents is not None and stay.lost is None
    return is_told and answered and stay.is_settled and end.runners is not None


def _listed_after_end_s(sample: Sample) -> float:
    return _LISTED_AFTER_END_GPU_S if sample.cards else _LISTED_AFTER_END_S
