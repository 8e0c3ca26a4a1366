"""CSV: a header, then a row for each request."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lifecycle_widgets.advisor.workload.columns import Columns, columns
from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.gathering import Gathering
from lifecycle_widgets.advisor.workload.opening import Opened
from lifecycle_widgets.advisor.workload.rows import Rows

_MARKS = ",;\t"
_WORDS = ("true", "True", "TRUE", "false", "False", "FALSE")  # pandas takes them for numbers


def read_csv(file: Opened, server: str | None) -> Gathering:
    """The requests of a CSV file.

    Raises
    ------
    WorkloadError
    """
    gathering: Gathering | None = None
    for line, text in file.texts():
        if gathering is None:
            header, _, text = text.partition("\n")
            names, mark = _header(file.name, header)
            wanted = _wanted(file.name, names)
            gathering = Gathering(file.name, wanted)
            rows, line = Rows(gathering, server), line + 1
        if not (wanted.is_plain and _quick(gathering, names, mark, text, line)):
            rows.add(_each(gathering, names, mark, text, line))
    if gathering is None:
        raise WorkloadError(f"{file.name} is empty.")
    return gathering


def _header(source: str, line: str) -> tuple[list[str], str]:
    """The names of the columns, and what is between them."""
    if "\r" in line.rstrip("\r"):
        raise WorkloadError(f"{source}: its lines end with a carriage return alone. Save it anew.")
    mark = next((mark for mark in _MARKS if mark in line), ",")
    try:
        return next(csv.reader([line.strip("\r")], delimiter=mark), []), mark
    except csv.Error as fault:
        raise WorkloadError(f"{source}, line 1: it is no header of a table ({fault}).") from None


def _wanted(source: str, names: Sequence[str]) -> Columns:
    try:
        return columns(names)
    except WorkloadError as fault:
        raise WorkloadError(f"{source}, row 1 (the header): {fault}") from None


def _quick(gathering: Gathering, names: Sequence[str], mark: str, text: str, line: int) -> bool:
    """Take in a block that is nothing but numbers; False where it has anything else."""
    import pandas as pd

    wanted = gathering.columns
    kinds = {wanted.start: "float64", wanted.service: "float64", wanted.stream: "str"}
    kinds.pop(None, None)
    rows = text.count("\n") + (not text.endswith("\n"))
    is_whole = text.count(mark) == rows * (len(names) - 1)
    if not is_whole or '"' in text or "\n\n" in text or any(word in text for word in _WORDS):
        return False
    try:
        table = pd.read_csv(
            io.StringIO(text),
            header=None,
            names=list(names),
            usecols=list(kinds),
            dtype=kinds,
            sep=mark,
            na_filter=False,
            skip_blank_lines=False,
        )
        if wanted.stream is None:
            stream, of = None, None
        else:
            of, stream = pd.factorize(table[wanted.stream])
    except (ValueError, OverflowError):  # also the parser's own, and what is no number
        return False
    gathering.zone(None, line)
    start_s = table[wanted.start].to_numpy()
    service_s = np.zeros(len(table)) if wanted.service is None else table[wanted.service].to_numpy()
    gathering.add(stream, of, start_s, service_s, np.arange(line, line + len(table)))
    return True


def _each(
    gathering: Gathering, names: Sequence[str], mark: str, text: str, first: int
) -> Iterable[tuple[int, dict[str, Any]]]:
    """Each row by itself, with its line; empty lines are none."""
    reader = csv.reader(io.StringIO(text), delimiter=mark, strict=True)
    while True:
        line = first + reader.line_num
        try:
            cells = next(reader, None)
        except csv.Error as fault:
            raise gathering.fault(f"it is no row of a table ({fault}).", line) from None
        if cells is None:
            return
        if not any(cells):
            continue
        if len(cells) != len(names):
            why = f"it has {len(cells)} columns, and the header has {len(names)}."
            raise gathering.fault(why, line)
        yield line, dict(zip(names, cells, strict=True))
