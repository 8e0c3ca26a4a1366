"""The idle gaps of each model, as `monitor.traffic.gaps` has them, of millions of requests."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lifecycle_widgets.history.file.rows import IS_WORK, US
from lifecycle_widgets.history.reading.asked import Asked
from lifecycle_widgets.history.reading.frames import CHUNK, times
from lifecycle_widgets.history.reading.watched import is_watched, watches

_LONGEST_US = 3600 * US  # no request takes longer
_COLUMNS = ("server", "model", "began_us", "ended_us", "gap_us", "exact_us")


def gaps(connection: sqlite3.Connection | None, asked: Asked) -> pd.DataFrame:
    """See `History.gaps`."""
    found = [] if connection is None else _all(connection, asked)
    names = {"server": {}, "model": {}} if connection is None else _names(connection)
    table = pd.DataFrame(
        np.concatenate(found) if found else np.empty((0, len(_COLUMNS))), columns=list(_COLUMNS)
    )
    seen = np.zeros(len(table), dtype=bool)
    for server in table["server"].unique():
        assert connection is not None
        rows = (table["server"] == server).to_numpy()
        edges = table.loc[rows, ["began_us", "ended_us"]].to_numpy()
        seen[rows] = is_watched(watches(connection, int(server)), edges[:, 0], edges[:, 1])
    ended = table["ended_us"].astype("int64")
    shown = pd.DataFrame(
        {
            "server": table["server"].map(names["server"]).astype("object"),
            "model": table["model"].map(names["model"]).astype("object"),
            "began_at": times(table["began_us"].astype("int64")),
            "ended_at": times(ended),
            "gap_s": table["gap_us"] / US,
            "exact_s": table["exact_us"] / US,
            "watched": seen,
        }
    )
    return shown.iloc[np.argsort(ended.to_numpy(), kind="stable")].reset_index(drop=True)


_BUSY = f"""
    SELECT server, model, ended_us - coalesce(took_us, 0), ended_us,
        CASE WHEN took_us IS NOT NULL THEN begin_within_us END, end_within_us
    FROM requests WHERE about & {IS_WORK} AND """
"""The busy times. Where its beginning is not told, a gap lasts to its end at most."""


def _all(connection: sqlite3.Connection, asked: Asked) -> list[Any]:
    """The gaps of each model on each server, in numbers; those that end in the time asked for."""
    since_us, until_us = asked.since_us, asked.until_us
    late_us = None if until_us is None else until_us + _LONGEST_US  # it began in time, maybe
    where, values = replace(asked, until_us=late_us).where(connection, "ended_us")
    found = connection.execute(_BUSY + where, values)
    parts = []
    while rows := found.fetchmany(CHUNK):
        parts.append(np.array(rows, dtype="float64"))  # today's microseconds fit; None: NaN
    if not parts:
        return []
    table = np.concatenate(parts)
    gaps_of_each = []
    for server, model in np.unique(table[:, :2], axis=0):
        busy = table[(table[:, 0] == server) & (table[:, 1] == model)][:, 2:]
        if since_us is not None:
            before = _last_before(connection, int(server), int(model), since_us)
            busy = np.concatenate([np.array(before, dtype="float64").reshape(-1, 6)[:, 2:], busy])
        some = _between(busy)
        ends = some[:, 1]
        in_time = (ends >= (since_us or -np.inf)) & (ends < (until_us or np.inf))
        whose = np.tile((server, model), (in_time.sum(), 1))
        gaps_of_each.append(np.hstack([whose, some[in_time]]))
    return gaps_of_each


def _last_before(
    connection: sqlite3.Connection, server: int, model: int, before_us: int
) -> list[Any]:
    """What a model did last before a time, from whose end on it may be idle."""
    where = "ended_us < ? AND server = ? AND model = ? ORDER BY ended_us DESC LIMIT 1"
    return connection.execute(_BUSY + where, (before_us, server, model)).fetchall()


def _between(busy: Any) -> Any:
    """From busy times (begin, end, how exact each is) to what is between them.

    Examples
    --------
    >>> _between(np.array([[0, 10, 1, 1], [5, 8, 0, 0], [30, 40, 2, 2.0]])).tolist()
    [[10.0, 30.0, 20.0, 3.0]]
    """
    busy = busy[np.argsort(busy[:, 0], kind="stable")]
    last = np.maximum.accumulate(busy[:, 1])
    # whose end that is: the last row up to here that has it
    which = np.maximum.accumulate(np.where(busy[:, 1] >= last, np.arange(len(busy)), 0))
    begins, ends = busy[1:, 0], last[:-1]
    exact = busy[1:, 2] + busy[which[:-1], 3]
    idle = begins > ends
    return np.column_stack([ends, begins, begins - ends, exact])[idle]


def _names(connection: sqlite3.Connection) -> dict[str, dict[int, str]]:
    return {
        what: dict(connection.execute(f"SELECT id, name FROM {what}s").fetchall())
        for what in ("server", "model")
    }
