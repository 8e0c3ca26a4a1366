"""JSONL: a value on each line. A number of seconds, a time, or an object with a trace's names.

``12.5``, ``"2026-01-31T12:00:00Z"``, ``{"model": "a", "start_s": 12.5, "service_s": 2}``. Times as
they are, one on each line, are read as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from lifecycle_widgets.advisor.workload.columns import START, Columns, columns
from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.gathering import Gathering
from lifecycle_widgets.advisor.workload.opening import Opened
from lifecycle_widgets.advisor.workload.rows import Rows
from lifecycle_widgets.advisor.workload.times import moment, shown

_TIME = "time"
_ONE = Columns(stream=None, start=_TIME, end=None, service=None)


def is_json_line(line: str) -> bool:
    """Whether a file that begins so has a value on each line.

    Examples
    --------
    >>> [is_json_line(line) for line in ('{"start_s": 1}', "12.5", "stream,start_s", "2026-01-31")]
    [True, True, False, True]
    """
    if line.startswith(("{", "[")):
        return True
    value = _value(line)
    if isinstance(value, str) and value == line:  # as it stands, without quotation marks
        try:
            moment(value, _TIME)
        except WorkloadError:
            return False
    return str(value).strip().lower() not in START  # the header of one column


def read_json_lines(file: Opened, server: str | None) -> Gathering:
    """The requests of a file of JSON lines.

    Raises
    ------
    WorkloadError
    """
    found: list[tuple[Gathering, Rows]] = []  # one, once the first line has told what it has

    def rows(first: int, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for line, told in enumerate(text.split("\n"), first):
            if not told.strip():
                continue
            try:
                row, wanted = _row(_value(told.strip()))
            except WorkloadError as fault:
                raise WorkloadError(f"{file.name}, line {line}: {fault}") from None
            if not found:
                gathering = Gathering(file.name, wanted, "line {line}")
                found.append((gathering, Rows(gathering, server)))
            elif wanted != found[0][0].columns:
                raise found[0][0].fault("it has other names than the lines before.", line)
            yield line, row

    for first, text in file.texts():
        block = list(rows(first, text))
        if block:
            found[0][1].add(block)
    if not found:
        raise WorkloadError(f"{file.name} is empty.")
    return found[0][0]


def _value(line: str) -> Any:
    """What a line has; a time need not be in quotation marks."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line


_columns = lru_cache(maxsize=100)(columns)  # most lines have the same names


def _row(value: Any) -> tuple[dict[str, Any], Columns]:
    if isinstance(value, (int, float)) or (isinstance(value, str) and value[:1] not in "{["):
        return {_TIME: value}, _ONE
    if not isinstance(value, dict):
        raise WorkloadError(
            f"it is {shown(value)}. Write a time or an object on each line, such as "
            '{"model": "a", "start_s": 12.5, "service_s": 2}.'
        )
    return value, _columns(tuple(value))
