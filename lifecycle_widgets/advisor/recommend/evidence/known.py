"""Known: the workload an advice is made from, and what else is known of its models."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from lifecycle_widgets.advisor.recommend.evidence.reload_cost import (
    ReloadCost,
    given,
    reload_cost_of,
)
from lifecycle_widgets.advisor.workload.from_history import workload_of
from lifecycle_widgets.advisor.workload.kinds.databases import is_history
from lifecycle_widgets.advisor.workload.reading import read_workload
from lifecycle_widgets.advisor.workload.workload import Stream, Workload
from lifecycle_widgets.history import History
from lifecycle_widgets.history.reading.asked import Moment
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import Server
from lifecycle_widgets.server.names import same_name
from lifecycle_widgets.short_texts import one_line

if TYPE_CHECKING:
    import pandas as pd

    Tables: TypeAlias = Mapping[str, pd.DataFrame]

AnyWorkload: TypeAlias = "History | Workload | Known | str | os.PathLike[str] | None"
"""What an advice can be made from; None: the person's own history."""

OLLAMAS_DEFAULT = KeepAlive("5m")
_LOOKS_BACK = timedelta(days=30)
_MOST_NAMES = 10
SEEN, GIVEN, DEFAULT = "seen", "given", "Ollama's default"


@dataclass(frozen=True)
class Known:
    """A workload, and the tables of the history that it is from; of a file there are none.

    Parameters
    ----------
    workload:
        The gaps.
    requests, stays:
        The history's requests and residencies, by model.
    is_history:
        Whether it is from a history, so that its streams are models of a server.
    """

    workload: Workload
    requests: Tables = field(default_factory=dict)
    stays: Tables = field(default_factory=dict)
    is_history: bool = False

    def reload(self, model: str) -> ReloadCost | None:
        """What a reload of it takes; None where nothing could tell."""
        if model not in self.requests:
            return None
        return reload_cost_of(self.requests[model], self.stays[model], model)

    def today(self, model: str) -> tuple[KeepAlive, str]:
        """The keep_alive in force when it was asked last, and how that is known."""
        for table in [tables[model] for tables in (self.requests, self.stays) if model in tables]:
            if "kind" in table:
                table = table[table["kind"] != "unload"]  # it says nothing of what is in force
            alive = table["keep_alive_s"].dropna()
            if len(alive):
                return KeepAlive(float(alive.iloc[-1])), SEEN
        return OLLAMAS_DEFAULT, DEFAULT


def known(
    of: AnyWorkload = None,
    *,
    model: str | None = None,
    server: Server | str | None = None,
    since: Moment = None,
    until: Moment = None,
) -> Known:
    """Read it.

    Parameters
    ----------
    of:
        A history or its file, a workload, another file as `read_workload` reads it; None: the
        person's own history. What is known already is given back.
    model, server, since, until:
        As `workload_of`; of a file only the first two, of a workload none.

    Raises
    ------
    WorkloadError
        Where there is nothing to advise from.
    ValueError
        For a filter that there is not.
    HistoryError
        Where the history cannot be read.
    """
    filters = {"model": model, "server": server, "since": since, "until": until}
    if isinstance(of, (Workload, Known)):
        _check_filters(filters, (), "A workload is taken as a whole")
        return of if isinstance(of, Known) else Known(of)
    if of is not None and not isinstance(of, History):
        if not is_history(Path(of)):
            _check_filters(filters, ("model", "server"), "A file is read as a whole")
            return Known(read_workload(of, model=model, server=server))
        of = History(of)
    history = History() if of is None else of
    workload = workload_of(history, model=model, server=server, since=since, until=until)
    names = [stream.name for stream in workload.streams]
    since_of = {one.name: _newest(one, workload) for one in workload.streams}
    requests, stays = (
        {name: read(name, server, since_of[name], until) for name in names}
        for read in (history.requests, history.residencies)
    )
    return Known(workload, requests, stays, is_history=True)


def _check_filters(filters: Mapping[str, object], possible: Sequence[str], why: str) -> None:
    for name, value in filters.items():
        if value is not None and name not in possible:
            raise ValueError(f"{why}: {name}= is for a history.")


def _newest(stream: Stream, workload: Workload) -> datetime:
    """From when on it is looked at what loads took: what was before says less of today."""
    last_s = (workload.origin_s or 0.0) + float(stream.busy_until_s[-1])
    return datetime.fromtimestamp(last_s, timezone.utc) - _LOOKS_BACK


def reload_of(
    known: Known,
    model: str,
    reload_s: Mapping[str, float] | float | None,
    held_bytes: Mapping[str, float] | float | None,
) -> ReloadCost:
    """What a reload of a model takes: as it is given, else as it is known."""
    told, seen = given(_one(reload_s, model), _one(held_bytes, model)), known.reload(model)
    if seen is None:
        return told
    size = seen.held_bytes if told.held_bytes is None else told.held_bytes
    return replace(seen if told.reload_s is None else told, held_bytes=size)


def today_of(known: Known, model: str, today: Mapping[str, Any] | Any) -> tuple[KeepAlive, str]:
    """Today's keep_alive of a model: as it is given, else as it was seen."""
    value = _one(today, model)
    if value is None:
        return known.today(model)
    alive = KeepAlive(value)
    return known.today(model) if alive.is_default else (alive, GIVEN)


def check_names(known: Known, given: object) -> None:
    """Raises ValueError for what is given by model, for a model that is not there."""
    names = [stream.name for stream in known.workload.streams]
    for name in given if isinstance(given, Mapping) else ():
        if not any(same_name(str(name), one) for one in names):
            there = ", ".join(one_line(one, 60) for one in names[:_MOST_NAMES])
            raise ValueError(f"There is no {name!r} in {known.workload.source}; there is {there}.")


def _one(value: Mapping[str, Any] | Any, model: str) -> Any:
    """What is given for one model: by its name, however its letters are written, or for all."""
    if not isinstance(value, Mapping):
        return value
    return next((one for name, one in value.items() if same_name(name, model)), None)
