"""Parquet: the columns of a trace, or of the history's export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lifecycle_widgets.advisor.workload.columns import columns
from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.gathering import Gathering
from lifecycle_widgets.advisor.workload.rows import Rows

MAGIC = b"PAR1"
_ROWS = 1 << 20


def read_parquet(path: Path, name: str, server: str | None) -> Gathering:
    """The requests of a Parquet file.

    Raises
    ------
    WorkloadError
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise WorkloadError("Parquet needs another package: pip install pyarrow.") from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            return _read(file, name, server)
    except (pyarrow.ArrowException, OSError) as fault:
        raise WorkloadError(f"{name} is damaged, or no Parquet: it cannot be read.") from fault


def _read(file: Any, name: str, server: str | None) -> Gathering:
    try:
        wanted = columns(file.schema_arrow.names)
    except WorkloadError as fault:
        raise WorkloadError(f"{name}: {fault}") from None
    gathering = Gathering(name, wanted, "row {line}")
    rows = Rows(gathering, server)
    first = 1
    for batch in file.iter_batches(_ROWS, columns=wanted.names):
        if not (wanted.is_plain and _quick(gathering, batch, first)):
            rows.add(_each(batch, first))
        first += len(batch)
    return gathering


def _each(batch: Any, first: int) -> Iterator[tuple[int, dict[str, Any]]]:
    yield from enumerate(batch.to_pylist(), first)


def _quick(gathering: Gathering, batch: Any, first: int) -> bool:
    """Take in rows that have numbers or times throughout; False where they have anything else."""
    import pyarrow
    from pyarrow import types

    wanted, count = gathering.columns, len(batch)
    start = batch.column(wanted.start)
    if start.null_count or not count:
        return False
    if types.is_timestamp(start.type):
        us = start.cast(pyarrow.timestamp("us", start.type.tz), safe=False)
        start_s = us.cast("int64").to_numpy(zero_copy_only=False) / 1e6
        has_zone: bool | None = start.type.tz is not None
    elif _is_number(start.type):
        start_s, has_zone = _numbers(start), None
    else:
        return False
    service_s = np.zeros(count)
    if wanted.service is not None:
        service = batch.column(wanted.service)
        if service.null_count or not _is_number(service.type):
            return False
        service_s = _numbers(service)
    names, of = None, None
    if wanted.stream is not None:
        told = batch.column(wanted.stream)
        if told.null_count:
            return False
        told = told if types.is_dictionary(told.type) else told.dictionary_encode()
        names = [str(one) for one in told.dictionary.to_pylist()]
        of = told.indices.to_numpy(zero_copy_only=False)
    gathering.zone(has_zone, first)
    gathering.add(names, of, start_s, service_s, np.arange(first, first + count))
    return True


def _is_number(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_floating(kind))


def _numbers(column: Any) -> Any:
    return column.cast("float64", safe=False).to_numpy(zero_copy_only=False)
