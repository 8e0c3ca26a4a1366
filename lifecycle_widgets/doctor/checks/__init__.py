"""What the doctor looks for, a function each; see `Seen`, of which they are functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lifecycle_widgets.doctor.checks import (
    deadlines,
    failures,
    memory,
    names,
    reloads,
    settings,
    stuck,
    versions,
)
from lifecycle_widgets.doctor.diagnosis import Diagnosis
from lifecycle_widgets.doctor.seen import Seen

CHECKS: dict[str, Callable[[Seen], Iterable[Diagnosis]]] = {
    "versions": versions.known_bad,
    "variables": settings.where,
    "variables only here": settings.only_here,
    "a unit that was changed": settings.unit_later,
    "ignored values": settings.ignored,
    "settings with a price": settings.costly,
    "reloads": reloads.other_options,
    "two names over one blob": names.one_runner,
    "past its deadline": deadlines.overdue,
    "stuck loader": stuck.waiting_load,
    "memory of the next load": memory.next_load,
    "partly on the card": memory.partly_on_the_card,
    "failures": failures.lately,
}
"""By what each looks at, in the order in which they are told."""
