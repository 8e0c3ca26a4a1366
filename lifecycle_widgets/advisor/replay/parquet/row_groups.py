"""RowGroup: a piece of a trace in Parquet files, read some rows at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.replay.parquet.edges import BadRow, Edges, Rows
from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.workload import Counts, Seconds
from lifecycle_widgets.short_texts import one_line

COLUMNS = ("stream", "start_s", "service_s")
_ROWS = 1 << 18  # what is in memory at once; a row group may have any number


@dataclass(frozen=True)
class RowGroup:
    """One row group of one file: a plain value, that another process can be given.

    Parameters
    ----------
    path:
        The file.
    number:
        Which row group of it, from 0.
    first_row:
        How many rows of the file are before it.
    """

    path: str
    number: int
    first_row: int

    def gaps(self, edges: Edges) -> Iterator[tuple[Seconds, Counts]]:
        """The gaps that end in it, some at a time, from those edges on, which move.

        Yields
        ------
        Seconds, Counts
            The gaps in seconds, and of each the place of its stream in the edges.

        Raises
        ------
        WorkloadError
            As `profile_of`; the sentence names the file and the row.
        """
        row = self.first_row
        for rows in self._read():
            try:
                yield edges.gaps(rows)
            except BadRow as bad:
                where = f"Row {row + bad.row + 1} of {self.path}"
                raise WorkloadError(f"{where} is no request: {bad}.") from None
            row += len(rows.codes)

    def _read(self) -> Iterator[Rows]:
        with _opened(self.path) as file:
            for batch in file.iter_batches(_ROWS, row_groups=[self.number], columns=list(COLUMNS)):
                names, codes = _coded(batch.column("stream"))
                start_s, service_s = _seconds(batch, "start_s"), _seconds(batch, "service_s")
                yield Rows(names, codes, start_s, service_s)


def row_groups(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[RowGroup]:
    """All of the file's row groups, of the folder's files by their names, or of these files.

    Raises
    ------
    WorkloadError
        Where there is no Parquet, or a column is missing.
    """
    groups = [group for path in _paths(source) for group in _of_file(str(path))]
    if not groups:
        raise WorkloadError(f"There is no request in {source}.")
    return groups


def _paths(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    if not isinstance(source, (str, os.PathLike)):
        return [Path(path) for path in source]
    if Path(source).is_dir():
        return sorted(Path(source).rglob("*.parquet"))
    return [Path(source)]


def _of_file(path: str) -> Iterator[RowGroup]:
    with _opened(path) as file:
        missing = [name for name in COLUMNS if name not in file.schema_arrow.names]
        if missing:
            raise WorkloadError(f"{path} has no column {' and no '.join(missing)}.")
        row = 0
        for number in range(file.num_row_groups):
            yield RowGroup(path, number, row)
            row += file.metadata.row_group(number).num_rows


def _opened(path: str) -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError as fault:
        raise WorkloadError("Parquet needs another package: pip install pyarrow.") from fault
    try:
        return parquet.ParquetFile(path, read_dictionary=["stream"])
    except FileNotFoundError:
        raise WorkloadError(f"There is no file {path}.") from None
    except (OSError, ValueError) as fault:
        said = one_line(str(fault), 200)
        raise WorkloadError(f"{path} cannot be read as Parquet: {said}") from fault


def _coded(column: Any) -> tuple[list[str], npt.NDArray[np.int32]]:
    coded = column if hasattr(column, "indices") else column.dictionary_encode()
    codes = coded.indices.cast("int32").fill_null(-1)
    return [str(name) for name in coded.dictionary.to_pylist()], _numpy(codes)


def _seconds(batch: Any, name: str) -> Seconds:
    import pyarrow

    column = batch.column(name)
    if not (pyarrow.types.is_floating(column.type) or pyarrow.types.is_integer(column.type)):
        raise WorkloadError(f"{name} is a column of {column.type}; it must be seconds, as numbers.")
    return np.ascontiguousarray(column.cast("float64").fill_null(np.nan).to_numpy(), np.float64)


def _numpy(column: Any) -> npt.NDArray[np.int32]:
    return np.ascontiguousarray(column.to_numpy(zero_copy_only=False))
