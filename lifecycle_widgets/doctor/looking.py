"""look: everything that the doctor's checks go by, asked for without changing anything."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.doctor.unanswered import unanswered
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.monitor.in_force.environment import shown
from lifecycle_widgets.monitor.in_force.unit import told_by_unit, unit_in
from lifecycle_widgets.monitor.runner_memory import peaks
from lifecycle_widgets.server import Model, Server, ServerError, ServerUnreachable, UnknownModel
from lifecycle_widgets.server.answers import Shown

if TYPE_CHECKING:
    from lifecycle_widgets.history import History

WATCH_S = 4.0  # as long as a runner's work can be told from its rest
BEFORE = timedelta(days=3)
MOST_SHOWN = 100  # models that /api/show is asked about; those in memory first
_SHOW_S = 10.0  # for asking them
_EACH_S = 0.1
_LATE_S = 5.0  # a server that hangs is not waited for longer


def look(
    server: Server,
    version: str,
    *,
    monitor: Monitor | None,
    history: History | None,
    watch_s: float,
    errors: tuple[tuple[str, str], ...],
) -> Seen:
    """Watch the server for a while, and ask what loads nothing; raises nothing of a server's."""
    with ExitStack() as stack:
        watched = monitor if monitor is not None else stack.enter_context(Monitor.shared(server))
        _watch(watched, watch_s)
        seen = Seen(
            server.url,
            version,
            samples=watched.samples,
            stays=watched.residencies(),
            requests=watched.requests(),
            here=shown(os.environ),
            errors=errors,
        )
    seen = _with_models(replace(seen, unit=_unit_of(seen.in_force.pid)), server)
    return _with_past(_with_unanswered(seen, server), server, history)


def _watch(monitor: Monitor, watch_s: float) -> None:
    """Wait until the samples reach so far back, and are two at least; the last is of now."""
    begun_s = since_s = time.monotonic()
    if monitor.is_running and monitor.samples:
        since_s = monitor.samples[0].t_s
    while time.monotonic() < min(since_s, begun_s + _LATE_S) + watch_s:
        if not monitor.is_running:
            monitor.read()
        time.sleep(_EACH_S if monitor.is_running else monitor.interval_s)
    monitor.read()


def _unit_of(pid: int | None) -> Mapping[str, str] | None:
    """What the systemd unit of a server's process gives as environment; None where none does."""
    try:
        found = unit_in(Path(f"/proc/{pid}/cgroup").read_text())
    except OSError:  # no Linux, or not known
        return None
    if pid is None or found is None:
        return None
    told = told_by_unit(pid, found[0], is_users=found[1])
    return None if told is None else told.environment


def _with_models(seen: Seen, server: Server) -> Seen:
    try:
        models = server.models()
    except (ServerUnreachable, ServerError) as fault:
        return replace(seen, untold={**seen.untold, "models": str(fault)})
    shown = dict(_shown(server, _to_show(seen, models)))
    taken = {
        name: max(most, default=0)
        for name, told in shown.items()
        if (most := [b for rss in peaks(told.weights or "").values() for b in rss])
    }
    return replace(seen, models=models, shown=shown, taken_bytes=taken)


def _to_show(seen: Seen, models: Iterable[Model]) -> list[str]:
    held = {one.digest for one in seen.residents or ()}
    local = [model for model in models if not model.is_cloud]
    local.sort(key=lambda model: model.digest not in held)
    return [model.name for model in local[:MOST_SHOWN]]


def _shown(server: Server, names: Iterable[str]) -> Iterable[tuple[str, Shown]]:
    until_s = time.monotonic() + _SHOW_S
    for name in names:
        if time.monotonic() > until_s:
            return
        try:
            yield name, server.shown(name)
        except UnknownModel:  # deleted meanwhile
            continue
        except ServerUnreachable:
            return


def _with_unanswered(seen: Seen, server: Server) -> Seen:
    """Only where the server's process is of this machine: else these are a tunnel's connections."""
    if seen.latest is None or seen.latest.runners is None:
        why = (seen.latest and seen.latest.unseen) or "Its process cannot be seen."
        return replace(seen, untold={**seen.untold, "unanswered": why})
    found = unanswered(urlsplit(server.url).port or 0)
    if found is None:
        why = "This system does not tell which requests wait."
        return replace(seen, untold={**seen.untold, "unanswered": why})
    return replace(seen, unanswered=found)


def _with_past(seen: Seen, server: Server, history: History | None) -> Seen:
    from lifecycle_widgets.history import HistoryError

    if history is None:
        return seen
    now = datetime.now(timezone.utc)
    try:
        past = history.past(server, now - BEFORE, now)
    except HistoryError as fault:
        return replace(seen, untold={**seen.untold, "history": str(fault)})
    return replace(seen, stays_before=past.stays, requests_before=past.requests)
