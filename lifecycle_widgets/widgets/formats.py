"""Sizes, times and escaping: how values are written in the widgets."""

from __future__ import annotations

import html

from lifecycle_widgets.runs import clock_text as clock_text
from lifecycle_widgets.runs import seconds_text as seconds_text
from lifecycle_widgets.runs import size_text as size_text
from lifecycle_widgets.server import Resident


def escaped(text: object) -> str:
    """Text made safe to stand in HTML. Everything that is not ours goes through here."""
    return html.escape(str(text))


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
