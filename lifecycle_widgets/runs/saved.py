"""load_runs: runs that were saved, read again."""

from __future__ import annotations

import json
from pathlib import Path

from lifecycle_widgets.runs.run import Run


def load_runs(path: str | Path) -> tuple[Run, ...]:
    """The runs that `Run.save` wrote.

    Parameters
    ----------
    path:
        A file, or a folder: then all of its ``.json`` files, by the time at which the runs began.

    Raises
    ------
    ValueError
        When there is nothing there, or a file holds no run that this version can read.

    Examples
    --------
    >>> load_runs("runs")[-1].timings.ttft_s  # doctest: +SKIP
    0.14
    """
    place = Path(path)
    files = sorted(place.glob("*.json")) if place.is_dir() else [place]
    if not files:
        raise ValueError(f"There is no saved run in {place}. Give what Run.save was given.")
    return tuple(sorted(map(_load, files), key=lambda run: run.started_at.timestamp()))


def _load(file: Path) -> Run:
    try:
        return Run.from_json(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ValueError(f"There is no file {file}. Give what Run.save was given.") from None
    except json.JSONDecodeError as fault:
        raise ValueError(f"{file} is no saved run: it is no JSON ({fault}).") from None
    except (ValueError, RecursionError, OSError) as fault:
        raise ValueError(f"The run in {file} cannot be read: {fault}") from fault
