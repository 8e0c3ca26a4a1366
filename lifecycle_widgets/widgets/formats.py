"""Sizes, times and escaping: how values are written in the widgets."""

from __future__ import annotations

import html
from datetime import datetime

from lifecycle_widgets.runs import seconds_text as seconds_text
from lifecycle_widgets.server import Resident


def escaped(text: object) -> str:
    """Text made safe to stand in HTML. Everything that is not ours goes through here."""
    return html.escape(str(text))


def size_text(size_bytes: float | None) -> str:
    """A size in the decimal units that `ollama list` uses.

    Examples
    --------
    >>> size_text(144_811_385), size_text(1_300_000_000), size_text(999_999_999), size_text(None)
    ('145 MB', '1.3 GB', '1.0 GB', 'size not told')
    """
    if size_bytes is None:
        return "size not told"
    for unit, unit_bytes in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if round(size_bytes / unit_bytes, 1 if unit == "GB" else 0) >= 1:
            return f"{size_bytes / unit_bytes:.{1 if unit == 'GB' else 0}f} {unit}"
    return f"{size_bytes:.0f} B"


def clock_text(at: datetime, now: datetime | None = None) -> str:
    """A wall-clock time in the machine's own time zone, with the day where it is not today's.

    Examples
    --------
    >>> noon = datetime(2026, 3, 1, 12, 30, 5).astimezone()
    >>> clock_text(noon, now=noon), clock_text(noon, now=noon.replace(day=2))
    ('12:30:05', '1 Mar 12:30:05')
    """
    local, today = at.astimezone(), (now or datetime.now().astimezone()).date()
    day = "" if local.date() == today else f"{local.day} {local:%b} "
    return f"{day}{local:%H:%M:%S}"


def residency_text(resident: Resident | None) -> str:
    """Whether a model is in memory, and for how long."""
    if resident is None:
        return "not in memory"
    if resident.is_forever:
        return "in memory, forever"
    left_s = resident.expires_in_s()
    if resident.expires_at is None or left_s is None:
        return "in memory, until when is not told"
    if left_s < 0:  # its clock starts again when the request has ended
        return "in memory, in use"
    return f"in memory until {clock_text(resident.expires_at)}"
