"""The workload that a history has: what each model of one server was asked, by everyone."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lifecycle_widgets.advisor.workload.busy import busy_times
from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.workload import Stream, Workload
from lifecycle_widgets.history import History
from lifecycle_widgets.history.file.opening import reading
from lifecycle_widgets.history.file.rows import IS_WORK, US, witnesses
from lifecycle_widgets.history.reading.asked import Asked, Moment
from lifecycle_widgets.history.reading.watched import Stretch, is_watched, watches
from lifecycle_widgets.monitor.traffic.request import WITNESSES
from lifecycle_widgets.runs.texts import counted
from lifecycle_widgets.server import Server
from lifecycle_widgets.short_texts import one_line

_ROWS = f"""SELECT model, ended_us - coalesce(took_us, 0), ended_us, count, about FROM requests
    WHERE about & {IS_WORK} AND """
_MODEL, _BEGAN, _ENDED, _COUNT, _ABOUT = range(5)
_CHUNK = 100_000


def workload_of(
    history: History | None = None,
    *,
    model: str | None = None,
    server: Server | str | None = None,
    since: Moment = None,
    until: Moment = None,
) -> Workload:
    """What the models of one server were asked: by this person, and by every other client.

    Parameters
    ----------
    history:
        Which one; None: the person's own.
    model:
        Only this model's; None: all models.
    server:
        Of which server; None: the only one that the history knows of.
    since, until:
        Requests that ended from then on, and before then: datetimes, dates, their texts, or
        timedeltas for how long ago; None: no limit.

    Returns
    -------
    Workload
        A stream for each model. Gaps that nobody watched to their end are marked, as `History.gaps`
        has them.

    Raises
    ------
    WorkloadError
        Where nothing was asked, no model has a gap that was watched, or of several servers none was
        named.
    HistoryError
        Where the history cannot be read.

    Examples
    --------
    >>> workload_of(History("notes/history.sqlite"))
    Traceback (most recent call last):
    lifecycle_widgets.advisor.workload.faults.WorkloadError: The history ... has no requests yet. \
Watch a server for a while: lifecycle-lab watch, or the lab.
    """
    history = History() if history is None else history
    asked = Asked.of(model, server, since, until)
    with reading(history.path) as connection:
        if connection is None:
            raise WorkloadError(_empty(history))
        number, name = _one_server(connection, asked, history)
        where, values = asked.where(connection, "ended_us")
        found = connection.execute(f"{_ROWS}{where} AND server = {number}", values)
        rows = _array(found)
        names = dict(connection.execute("SELECT id, name FROM models").fetchall())
        stretches = watches(connection, number)
    workload = _workload(rows, names, stretches, f"the history of {name}")
    if not workload.gaps:
        raise WorkloadError(_no_gap(workload))
    return workload


def _one_server(connection: sqlite3.Connection, asked: Asked, history: History) -> tuple[int, str]:
    """The number and the name of the only server that has such requests."""
    where, values = asked.where(connection, "ended_us")
    servers = connection.execute(
        "SELECT id, name FROM servers WHERE id IN "
        f"(SELECT DISTINCT server FROM requests WHERE about & {IS_WORK} AND {where})",
        values,
    ).fetchall()
    if not servers:
        raise WorkloadError(_nothing(connection, asked, history))
    if len(servers) > 1:
        named = ", ".join(one_line(name, 80) for _, name in servers)
        raise WorkloadError(
            f"The history has requests of {len(servers)} servers: {named}. Say which one is meant, "
            "with server=."
        )
    return int(servers[0][0]), str(servers[0][1])


def _nothing(connection: sqlite3.Connection, asked: Asked, history: History) -> str:
    """Why there is none: nothing is kept, or nothing of what was asked for."""
    every = connection.execute(
        "SELECT DISTINCT models.name FROM requests JOIN models ON models.id = model "
        f"WHERE about & {IS_WORK} ORDER BY models.name"
    ).fetchall()
    if not every:
        return _empty(history)
    where, values = Asked(asked.model).where(connection, "ended_us")
    if not connection.execute(f"{_ROWS}{where} LIMIT 1", values).fetchone():
        known = ", ".join(one_line(name, 60) for (name,) in every if name) or "models without names"
        return (
            f"The history knows of no request to {one_line(asked.model or '', 60)}. It has "
            f"requests to {known}."
        )
    where, values = replace(asked, since_us=None, until_us=None).where(connection, "ended_us")
    if not connection.execute(f"{_ROWS}{where} LIMIT 1", values).fetchone():
        servers = connection.execute("SELECT name FROM servers ORDER BY id").fetchall()
        known = ", ".join(one_line(name, 80) for (name,) in servers)
        return f"The history has no such request of {asked.server}. It knows of {known}."
    return "The history has no such request in that time. Ask for a longer one."


def _empty(history: History) -> str:
    return (
        f"The history {history.path} has no requests yet. Watch a server for a while: "
        "lifecycle-lab watch, or the lab."
    )


def _array(found: sqlite3.Cursor) -> Any:
    """The rows as whole numbers; a million at a few bytes each, never as tuples all at once."""
    parts = [np.empty((0, _ABOUT + 1), dtype="int64")]
    while rows := found.fetchmany(_CHUNK):
        parts.append(np.array(rows, dtype="int64"))
    return np.concatenate(parts)


def _workload(
    rows: Any, names: dict[int, str], stretches: Sequence[Stretch], source: str
) -> Workload:
    """The streams, in the order in which the models were first asked."""
    is_told = np.isin(rows[:, _MODEL], [number for number, name in names.items() if name])
    nameless, rows = int((~is_told).sum()), rows[is_told]
    rows = rows[np.argsort(rows[:, _BEGAN], kind="stable")]
    origin_us = int(rows[0, _BEGAN]) if len(rows) else 0
    numbers, first = np.unique(rows[:, _MODEL], return_index=True)
    streams = tuple(
        _stream(names[int(number)], rows[rows[:, _MODEL] == number], origin_us, stretches)
        for number in numbers[np.argsort(first)]
    )
    unwatched = sum(int((~one.watched).sum()) for one in streams)
    notes = []
    if nameless:
        notes.append(f"{counted(nameless, 'request')} left out, whose model is not told.")
    if unwatched:
        every = sum(len(one.watched) for one in streams)
        notes.append(
            f"{unwatched:,} of {counted(every, 'gap')} left out: nobody watched all of them, so "
            "there may have been a request in between."
        )
    seen = {name for about in np.unique(rows[:, _ABOUT]) for name in witnesses(int(about))}
    return Workload(
        streams,
        source,
        tuple(name for name in WITNESSES if name in seen),
        tuple(notes),
        origin_us / US if len(rows) else None,
    )


def _stream(name: str, rows: Any, origin_us: int, stretches: Sequence[Stretch]) -> Stream:
    began_us, ended_us = rows[:, _BEGAN], rows[:, _ENDED]
    from_us, until_us = busy_times(began_us, ended_us - began_us)  # whole numbers: exact
    watched = is_watched(stretches, until_us[:-1], from_us[1:])
    from_s, until_s = (from_us - origin_us) / US, (until_us - origin_us) / US
    return Stream(name, from_s, until_s, watched, int(rows[:, _COUNT].sum()))


def _no_gap(workload: Workload) -> str:
    """What is missing before anything can be said: one watched gap."""
    requests = sum(one.requests for one in workload.streams)
    why = " ".join(workload.notes) or "No model was asked twice, one request after the other."
    return (
        f"{workload.source.capitalize()} has {counted(requests, 'request')} and no idle gap to "
        f"learn from. {why}"
    )
