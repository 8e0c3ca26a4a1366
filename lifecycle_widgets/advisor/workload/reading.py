"""read_workload: a workload from a file, of whatever kind it is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.from_history import workload_of
from lifecycle_widgets.advisor.workload.gathering import Gathering
from lifecycle_widgets.advisor.workload.kinds import databases, parquet
from lifecycle_widgets.advisor.workload.kinds.delimited import read_csv
from lifecycle_widgets.advisor.workload.kinds.json_lines import is_json_line, read_json_lines
from lifecycle_widgets.advisor.workload.kinds.ollama_log import is_log, read_log
from lifecycle_widgets.advisor.workload.opening import Opened, opened
from lifecycle_widgets.advisor.workload.workload import Workload
from lifecycle_widgets.history import History
from lifecycle_widgets.history.file.whose import name_for
from lifecycle_widgets.server import Server
from lifecycle_widgets.server.names import same_name
from lifecycle_widgets.short_texts import one_line

_PACKED = {
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
    b"7z\xbc\xaf": "7z",
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_MANY = 10


def read_workload(
    path: str | os.PathLike[str],
    *,
    model: str | None = None,
    server: Server | str | None = None,
) -> Workload:
    """What a file says was asked: each stream's busy times, and the gaps between.

    What kind it is shows by how it begins, whatever its name; it may be packed by gzip.

    - CSV with a header and Parquet: ``stream,start_s,service_s``, or the history's export of
      requests. Without a stream all are one; without a duration each counts as a moment.
    - JSONL: on each line a time, or an object with those names.
    - llama-swap's activity database, a history of ours, an Ollama server's log.

    Times are seconds from any zero, or dates as ISO 8601 writes them.

    Parameters
    ----------
    path:
        The file; "-" is standard input.
    model:
        Only this stream; None: all.
    server:
        Of a file that has several: which; as `History.requests` takes it.

    Raises
    ------
    WorkloadError
        For whatever cannot be read as a workload, in one sentence with the row; and where there is
        no gap in it.
    HistoryError
        For a history that cannot be read.

    Examples
    --------
    >>> read_workload("nothing.csv")
    Traceback (most recent call last):
    lifecycle_widgets.advisor.workload.faults.WorkloadError: There is no file nothing.csv.
    """
    with opened(path) as file:
        if file.head.startswith(databases.MAGIC) and databases.is_history(_path(file)):
            return workload_of(History(_path(file)), model=model, server=server)
        gathering = _gathered(file, None if server is None else name_for(server))
    if server is not None and gathering.columns.server is None:
        raise WorkloadError(f"{gathering.source} does not say which server was asked.")
    workload = gathering.workload()
    return workload if model is None else only(workload, model)


def only(workload: Workload, model: str) -> Workload:
    """A workload with one of its streams.

    Raises
    ------
    WorkloadError
        Where it has no such stream, or this one has no gap.
    """
    found = tuple(one for one in workload.streams if same_name(one.name, model))
    if not found:
        names = [one_line(one.name, 60) for one in workload.streams[:_MANY]]
        more = "" if len(workload.streams) <= _MANY else " and more"
        raise WorkloadError(
            f"{workload.source} has no stream {one_line(model, 60)}; it has "
            f"{', '.join(names)}{more}."
        )
    chosen = replace(workload, streams=found)
    if not chosen.gaps:
        raise WorkloadError(
            f"{workload.source} has no gap between two requests of {one_line(model, 60)}: there is "
            "nothing to advise from."
        )
    return chosen


def _gathered(file: Opened, server: str | None) -> Gathering:
    """The requests of a file, by what it begins with."""
    head = file.head
    if not head.strip():
        raise WorkloadError(f"{file.name} is empty: there is nothing to advise from.")
    for mark, name in _PACKED.items():
        if head.startswith(mark):
            raise WorkloadError(f"{file.name} is packed ({name}). Unpack it, or pack it with gzip.")
    if head.startswith(_UTF_16):
        raise WorkloadError(f"{file.name} is in UTF-16. Save it in UTF-8.")
    if head.startswith(parquet.MAGIC):
        return parquet.read_parquet(_path(file), file.name, server)
    if head.startswith(databases.MAGIC):
        return databases.read_llama_swap(_path(file), file.name)
    if b"\0" in head:
        raise WorkloadError(f"{file.name} is no text, and no Parquet or database.")
    if is_log(head):
        return read_log(file)
    first = head.decode("utf-8", "replace").lstrip("\ufeff").strip().partition("\n")[0].strip()
    return read_json_lines(file, server) if is_json_line(first) else read_csv(file, server)


def _path(file: Opened) -> Path:
    if file.path is None:
        raise WorkloadError(f"{file.name} has to be a file on the disk, and not packed.")
    return file.path
