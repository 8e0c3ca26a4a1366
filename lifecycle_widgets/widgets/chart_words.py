"""What the chart says in words: how long a model stays, why it left, what everything costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lifecycle_widgets.monitor import Residency, Sample
from lifecycle_widgets.widgets.formats import clock_text, seconds_text, size_text

_LABELS = {"requested": "unloaded", "unknown": "left"}
_REASONS = {
    "expired": "its keep_alive had run out",
    "requested": "it was unloaded from here",
    "evicted": "another load needed its place",
    "crashed": "its runner ended by itself",
    "server gone": "the server was gone",
    "unknown": "most likely another client unloaded it",
}
_SETTLES_S = 1.5  # a model that is about to leave is gone by then; later, it is in use


def duration_text(seconds: float) -> str:
    """A time to come, in whole seconds, at least one.

    Examples
    --------
    >>> [duration_text(s) for s in (23.4, 272, 3900, 90000)]
    ['23 s', '4 min 32 s', '1 h 05 min', '1 d 1 h']
    """
    whole = max(round(seconds), 1)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def leaves_text(stay: Residency, now: datetime) -> str:
    """When a model that is in memory leaves it: "leaves in 23 s", "stays forever", "in use"."""
    if stay.is_forever:
        return "stays forever"
    if stay.expires_at is None:  # it has none yet
        return "in use"
    left_s = (stay.expires_at - now).total_seconds()
    if left_s > 0:
        return f"leaves in {duration_text(left_s)}"
    # a busy model's deadline lies in the past; its clock starts again when the request has ended
    return "leaves now" if left_s > -_SETTLES_S else "in use"


def end_label(stay: Residency) -> str:
    """One word for the end of a band: "expired", "unloaded", "evicted"..."""
    why = stay.why or "unknown"
    return _LABELS.get(why, why)


def end_text(stay: Residency) -> str:
    """The whole story of a model that has left, for the hover."""
    assert stay.until is not None
    why = _REASONS.get(stay.why or "unknown", str(stay.why))
    held = seconds_text((stay.until - stay.since).total_seconds())
    return f"{stay.model} left at {clock_text(stay.until)}: {why} (in memory for {held})"


def status_text(
    sample: Sample | None,
    stays: Sequence[Residency],
    *,
    cost_fraction: float,
    is_local: bool,
) -> str:
    """The line under the chart: memory, CPU, who is in memory and for how long, and our own cost.

    Parameters
    ----------
    cost_fraction:
        What monitor and chart take of one core, 0 to 1.
    is_local:
        False for a server on another machine: RAM and CPU are then not the server's.
    """
    if sample is None:
        return "Waiting for the first reading…"
    used, total = sample.ram_used_bytes / 1e9, sample.ram_total_bytes / 1e9
    parts = [
        f"RAM {used:.1f} of {total:.0f} GB",
        f"CPU {sample.cpu_fraction:.0%}".replace("%", " %"),
    ]
    if not is_local:
        parts = [f"this machine (not the server's): {', '.join(parts)}"]
    for gpu in sample.gpus:
        if gpu.memory_used_bytes is not None and gpu.memory_total_bytes is not None:
            card, of = gpu.memory_used_bytes / 1e9, gpu.memory_total_bytes / 1e9
            parts.append(f"GPU {gpu.index} {card:.1f} of {of:.0f} GB")
    if sample.error:
        parts.append("the server does not answer")
    elif sample.residents is not None:
        resident = [stay for stay in stays if stay.until is None]
        parts += [_resident_text(stay, sample) for stay in resident] or ["no model in memory"]
    parts.append(f"monitor and chart cost {cost_fraction * 100:.1f} % of a core")
    return " · ".join(parts)


def _resident_text(stay: Residency, sample: Sample) -> str:
    held = [r.rss_bytes for r in sample.runners or () if r.model == stay.model]
    size = f" (runner {size_text(sum(held))})" if held else ""
    return f"{stay.model}{size} {leaves_text(stay, sample.at)}"
