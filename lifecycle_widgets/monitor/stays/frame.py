"""Stays in memory as a table: one row each. Units are in the names."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.monitor.stays.residency import Residency

if TYPE_CHECKING:
    import pandas as pd

RESIDENCY_COLUMNS = {
    "model": "object",
    "since": "datetime",  # wall clock, in the time zone of the first stay
    "until": "datetime",
    "in_memory_s": "float64",
    "why": "object",
    "size_bytes": "Int64",
    "vram_bytes": "Int64",
    "loaded_by": "object",
    "touched_by": "object",
    "keep_alive_s": "float64",
    "expires_at": "datetime",
    "is_forever": "bool",
    "loads": "Int64",
    "requests": "Int64",
    "load_s": "float64",
    "is_loading": "bool",
    "why_resident": "object",
    "overdue_s": "float64",
    "is_stuck": "bool",
}
"""The columns of a residency log, and what each holds: a pandas type, or "datetime"."""


def residency_frame(stays: Iterable[Residency]) -> pd.DataFrame:
    """The residency log as a DataFrame: one row for each stay, in the order given.

    Parameters
    ----------
    stays:
        As `Monitor.residencies` tells them.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``since`` and ``until`` (wall clock; missing while it is there),
        ``in_memory_s``, ``why`` (it left), ``size_bytes`` (the most that it took), ``vram_bytes``,
        ``loaded_by`` and ``touched_by`` ("ours", "another client"), ``keep_alive_s`` (infinite:
        forever), ``expires_at``, ``is_forever``, ``loads``, ``requests``, ``load_s``; and of what
        is there now ``is_loading``, ``why_resident``, ``overdue_s``, ``is_stuck``. Each as in
        `Residency`; what is not known is missing (NaN, NA, NaT or None).

    Examples
    --------
    >>> from datetime import datetime, timedelta, timezone
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
    >>> gone = noon + timedelta(minutes=5)
    >>> stay = Residency("smollm2:135m", noon, gone, "expired", gone, False, keep_alive_s=300.0)
    >>> residency_frame([stay])[["model", "in_memory_s", "why"]].values.tolist()
    [['smollm2:135m', 300.0, 'expired']]
    """
    import pandas as pd  # here: a monitor needs none

    rows = [_row(stay) for stay in stays]
    zone = rows[0]["since"].tzinfo if rows else None
    columns = {}
    for name, kind in RESIDENCY_COLUMNS.items():
        values = [row[name] for row in rows]
        if kind == "datetime":
            at = pd.to_datetime(pd.Series(values, dtype="object"), utc=True, errors="coerce")
            columns[name] = at if zone is None else at.dt.tz_convert(zone)
        else:
            columns[name] = pd.Series(values, dtype=kind)
    return pd.DataFrame(columns)


def _row(stay: Residency) -> dict[str, Any]:
    until = stay.until
    in_memory_s = math.nan if until is None else (until - stay.since).total_seconds()
    return {**asdict(stay), "in_memory_s": in_memory_s}
