"""examine: look at a server, and say what is wrong with it or with how it is used."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from lifecycle_widgets.doctor.checks import CHECKS
from lifecycle_widgets.doctor.diagnosis import FAULT, Diagnosis, unseen
from lifecycle_widgets.doctor.looking import WATCH_S, look
from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.doctor.telling import in_order
from lifecycle_widgets.facts import holds_in
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.monitor.in_force.environment import shown
from lifecycle_widgets.server import AnyServer, Server, ServerError, ServerUnreachable

if TYPE_CHECKING:
    from lifecycle_widgets.history import History

_log = logging.getLogger("lifecycle_widgets")


def examine(
    server: AnyServer = None,
    *,
    monitor: Monitor | None = None,
    history: History | None = None,
    watch_s: float = WATCH_S,
    errors: Iterable[tuple[str, str]] = (),
) -> tuple[Diagnosis, ...]:
    """Look at a server, and say what is wrong with it or with how it is used, the worst first.

    It asks only what loads nothing and resets no timer (/api/version, ps, tags, show), and
    changes nothing. What could not be looked at is said, with the reason.

    Parameters
    ----------
    server:
        Which Ollama: a Server, an address, or a Sandbox; without one, ``monitor``'s, else
        `Server.find` looks for it.
    monitor:
        One that has been watching it: its samples reach further back. Without one, the server is
        watched for ``watch_s`` seconds.
    history:
        What was kept of it: the last days are looked at, too.
    watch_s:
        How many seconds to watch at least.
    errors:
        What has failed lately, as (model, what Ollama said): each is told with what to do.

    Returns
    -------
    tuple of Diagnosis
        At least one for each check; a server that does not answer is a fault, not an exception.

    Raises
    ------
    ValueError
        For an address that cannot be read, or a negative ``watch_s``.

    Examples
    --------
    >>> found = examine(Server.find(), watch_s=1)
    >>> {one.severity for one in found} <= {"good", "note", "warning", "fault"}
    True
    """
    if not watch_s >= 0:
        raise ValueError(f"watch_s is {watch_s}; give 0 s or more.")
    chosen = monitor.server if server is None and monitor is not None else Server.of(server)
    try:
        version = chosen.version
    except (ServerUnreachable, ServerError) as fault:
        return (_unreachable(chosen, fault),)
    seen = look(
        chosen, version, monitor=monitor, history=history, watch_s=watch_s, errors=tuple(errors)
    )
    return tuple(in_order(checked(seen)))


def checked(seen: Seen) -> list[Diagnosis]:
    """What all checks find in what was seen; one that fails is said, and the others go on."""
    found: list[Diagnosis] = []
    for what, check in CHECKS.items():
        try:
            found += [_of_this_version(one, seen.version) for one in check(seen)]
        except Exception as fault:  # ours; what the others find is good all the same
            _log.exception("The doctor could not look at %s.", what)
            found.append(unseen(what, what, f"The check failed: {fault}"))
    return found


def _of_this_version(one: Diagnosis, version: str) -> Diagnosis:
    """Without the facts that are not so in this version."""
    return replace(one, facts=tuple(name for name in one.facts if holds_in(name, version)))


def _unreachable(server: Server, fault: Exception) -> Diagnosis:
    return Diagnosis(
        "does not answer",
        str(fault),
        tuple(f"{name}={value} (this process)" for name, value in shown(os.environ).items()),
        "Look again when it answers.",
        FAULT,
    )
