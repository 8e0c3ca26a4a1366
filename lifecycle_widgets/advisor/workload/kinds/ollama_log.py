"""An Ollama server's log: its lines of requests, and whose model each asked.

A line of a request has its end in whole seconds of the machine's own time, how long it took, and
no model. One model loaded throughout is that of all; where several were, only a log with
OLLAMA_DEBUG=1 tells them apart, to the millisecond (sched.go: "after processing request finished
event").
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone

import numpy as np

from lifecycle_widgets.advisor.workload.columns import Columns
from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.gathering import ALL, Gathering
from lifecycle_widgets.advisor.workload.opening import Opened
from lifecycle_widgets.monitor.traffic.witnesses.log.gin import MARK, parse_line
from lifecycle_widgets.runs.texts import counted
from lifecycle_widgets.server.names import full_name

_COLUMNS = Columns(stream=None, start=None, end="its time", service="its duration")
_SLOG = re.compile(rb"time=(\d{4}-\d\d-\d\dT\S+?)(Z|[+-]\d\d:\d\d) level=")
_LOAD = re.compile(rb'msg="starting .*?--model[ =](\S+)')
_FINISHED = re.compile(
    rb'msg="after processing request finished event".* (?:runner\.model|modelPath)=(\S+)'
)
_NAME = re.compile(rb" runner\.name=(\S+)")
_BLOB = re.compile(r"sha256-([0-9a-f]{12})[0-9a-f]*")
_APART_S = 0.5  # between the two lines of one request, which are written at once
_BACK_S = 2.0
_ZONE_S = 900.0  # zones differ by quarters of an hour
_CHANGE_S = 3 * 3600.0
_REFUSED = range(400, 499)  # no model was asked; 499: the client went away


def is_log(head: bytes) -> bool:
    """Whether a file that begins so is a server's log."""
    return MARK in head or _SLOG.search(head) is not None


@dataclass
class _Log:
    """What was read: requests in the order of their ends, loads, and ends with their model."""

    at_s: list[float] = field(default_factory=list)  # by the machine's clock
    ahead_s: list[float | None] = field(default_factory=list)  # of UTC, as the log said last
    took_s: list[float] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    loaded: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    finished: dict[int, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))
    _ahead_s: float | None = None

    def read(self, line: int, text: bytes) -> None:
        if MARK in text:
            told = parse_line(text)
            if told is not None and told.kind is not None and told.status not in _REFUSED:
                self.at_s.append(told.at.replace(tzinfo=timezone.utc).timestamp())
                self.ahead_s.append(self._ahead_s)
                self.took_s.append(told.duration_s)
                self.lines.append(line)
        elif (match := _SLOG.search(text)) is not None:
            self._slog(text, match)

    def _slog(self, text: bytes, match: re.Match[bytes]) -> None:
        zone = match[2].decode()
        hours, minutes = (0, 0) if zone == "Z" else (int(zone[:3]), int(zone[0] + zone[4:]))
        self._ahead_s = hours * 3600.0 + minutes * 60.0
        if (load := _LOAD.search(text)) is not None:
            self.loaded.add(_model(load[1]))
        elif (ended := _FINISHED.search(text)) is not None:
            model = _model(ended[1])
            if (name := _NAME.search(text)) is not None:
                self.names[model] = full_name(name[1].decode("utf-8", "replace"))
            try:
                at = datetime.fromisoformat(f"{match[1].decode()[:26]}+00:00")
            except ValueError:
                return
            at_s = at.timestamp() - self._ahead_s
            self.finished[int(at_s)].append((at_s, model))


def read_log(file: Opened) -> Gathering:
    """The requests of a log that have asked a model for something.

    Raises
    ------
    WorkloadError
        Also where it does not tell several models apart.
    """
    log = _Log()
    for first, data in file.blocks():
        for line, text in enumerate(data.split(b"\n"), first):
            log.read(line, text)
    gathering = Gathering(file.name, _COLUMNS, "line {line}")
    gathering.zone(True, 1)
    ends_s = np.array(list(_ends(log, gathering)), dtype="float64")
    models = _models(log, ends_s)
    _tell(log, models, gathering)
    keep = np.array([model is not None for model in models], dtype=bool)
    of_each = [log.names.get(model, model) for model in models if model is not None]
    names, of = np.unique(np.array(of_each, dtype=object), return_inverse=True)
    took_s, lines = np.array(log.took_s, dtype="float64"), np.array(log.lines, dtype="int64")
    begins_s = (ends_s - took_s)[keep]
    gathering.add(list(names), of, begins_s, took_s[keep], lines[keep])
    return gathering


def _ends(log: _Log, gathering: Gathering) -> Iterator[float]:
    """When each request ended, in seconds since 1970; a clock that was set back goes on."""
    known = next((one for one in log.ahead_s if one is not None), 0.0)
    last_s, last_ahead_s, back_s = 0.0, known, 0.0
    for at_s, told_s, line in zip(log.at_s, log.ahead_s, log.lines, strict=True):
        ahead_s = known if told_s is None else told_s
        if ahead_s != last_ahead_s:
            last_ahead_s, back_s = ahead_s, 0.0  # the log has said it
        end_s = at_s - ahead_s + back_s
        if last_s - end_s > _BACK_S:
            change_s = _ZONE_S * round((last_s - end_s) / _ZONE_S + 0.5)
            if change_s > _CHANGE_S:
                raise gathering.fault("it is from before the lines above. Put them in order.", line)
            back_s += change_s
            end_s += change_s
            gathering.notes.append(f"The clock was set back before line {line}.")
        last_s = max(last_s, end_s)
        yield end_s


def _models(log: _Log, ends_s: np.ndarray) -> list[str | None]:
    """Which model each request asked; None: not told. What debug lines tell makes ends exact."""
    models: list[str | None] = []
    for number, end_s in enumerate(ends_s):
        near = [
            (at_s, model, second)
            for second in range(int(end_s) - 1, int(end_s) + 3)
            for at_s, model in log.finished.get(second, ())
            if end_s - _APART_S <= at_s <= end_s + 1 + _APART_S
        ]
        if not near:
            models.append(None)
            continue
        at_s, model, second = min(near)  # both are in the order of the ends
        log.finished[second].remove((at_s, model))
        ends_s[number] = at_s
        models.append(model)
    if None in models and len(log.loaded | {one for one in models if one}) < 2:
        one = next(iter(log.loaded or {one for one in models if one}), ALL)
        return [one] * len(models)
    return models


def _tell(log: _Log, models: list[str | None], gathering: Gathering) -> None:
    lacking = models.count(None)
    if lacking and lacking == len(models):
        raise WorkloadError(
            f"{gathering.source} has requests to {len(log.loaded)} models, and does not say which "
            "asked which: let the server log with OLLAMA_DEBUG=1, or let lifecycle-lab watch it."
        )
    if lacking:
        gathering.notes.append(f"{counted(lacking, 'request')} left out, whose model is not told.")
    if not log.names:
        gathering.notes.append("Ollama's log has whole seconds: a gap may be off by one.")


def _model(path: bytes) -> str:
    """What a model is called by its file: the beginning of its digest."""
    text = path.decode("utf-8", "replace").strip('"')
    found = _BLOB.search(text)
    return f"sha256-{found[1]}" if found else text
