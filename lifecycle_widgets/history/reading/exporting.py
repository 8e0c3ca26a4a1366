"""A history's tables as files for other programs: CSV and Parquet."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from lifecycle_widgets.history.file.faults import HistoryError

_CSV, _PARQUET = ".csv", ".parquet"


def write_table(path: Path, tables: Iterable[pd.DataFrame]) -> Path:
    """Write the rows of some tables into one file, whole or not at all.

    Raises
    ------
    ValueError
        For a file of another kind.
    HistoryError
        Where it cannot be written, or Parquet's package is missing.
    """
    writers = {_CSV: _write_csv, _PARQUET: _write_parquet}
    if path.suffix not in writers:
        raise ValueError(f"{path.name} is neither CSV nor Parquet. End it with .csv or .parquet.")
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writers[path.suffix](part, iter(tables))
        part.replace(path)
    except OSError as fault:
        raise HistoryError(f"{path} cannot be written: {fault.strerror or fault}.") from fault
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return path


def _write_csv(part: Path, tables: Iterator[pd.DataFrame]) -> None:
    with part.open("w", encoding="utf-8", newline="") as file:
        for number, table in enumerate(tables):
            table.to_csv(file, index=False, header=number == 0, lineterminator="\n")


def _write_parquet(part: Path, tables: Iterator[pd.DataFrame]) -> None:
    arrow, parquet = _pyarrow()
    schema = writer = None
    try:
        for table in tables:
            rows = arrow.Table.from_pandas(table, schema=schema, preserve_index=False)
            if writer is None:
                schema = _told(arrow, rows.schema)
                rows = rows.cast(schema)
                writer = parquet.ParquetWriter(part, schema)
            writer.write_table(rows)
    finally:
        if writer is not None:
            writer.close()


def _told(arrow: Any, schema: Any) -> Any:
    """The columns' kinds, also of those that had nothing in the first rows: those are texts."""
    fields = (
        field.with_type(arrow.string()) if arrow.types.is_null(field.type) else field
        for field in schema
    )
    return arrow.schema(list(fields))


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as fault:
        raise HistoryError("Parquet needs another package: pip install pyarrow.") from fault
    return pyarrow, pyarrow.parquet
