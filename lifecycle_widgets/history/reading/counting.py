"""How much a history has, without reading it."""

from __future__ import annotations

from pathlib import Path

from lifecycle_widgets.history.file.opening import reading

KEPT = ("requests", "runs", "residencies")


def counts(path: Path) -> dict[str, int]:
    """How many of each there are; all 0 where nothing is kept yet.

    Raises
    ------
    HistoryError

    Examples
    --------
    >>> counts(Path("no", "such", "file"))
    {'requests': 0, 'runs': 0, 'residencies': 0}
    """
    with reading(path) as connection:
        if connection is None:
            return dict.fromkeys(KEPT, 0)
        found = (connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in KEPT)
        return {table: int(number) for table, (number,) in zip(KEPT, found, strict=True)}
