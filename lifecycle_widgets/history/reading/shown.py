"""How a history shows itself: where it is, how big, since when, and what is never in it."""

from __future__ import annotations

import html
from pathlib import Path

from lifecycle_widgets.history.file.faults import HistoryError
from lifecycle_widgets.history.file.opening import reading
from lifecycle_widgets.history.file.place import size_bytes
from lifecycle_widgets.history.file.rows import time_of

NO_TEXT = "Sizes and times only: no prompt, answer, rule or tool's argument is ever kept."


def history_text(path: Path) -> str:
    return f"<History in {path}: {_state(path)}. {NO_TEXT}>"


def history_html(path: Path) -> str:
    return (
        f"<p>History in <code>{html.escape(str(path))}</code>: {html.escape(_state(path))}.<br>"
        f"{html.escape(NO_TEXT)}</p>"
    )


def _state(path: Path) -> str:
    """
    >>> _state(Path("no", "such", "file"))
    'nothing is kept yet'
    """
    try:
        with reading(path) as connection:
            if connection is None:
                return "nothing is kept yet"
            (first_us,) = connection.execute(
                "SELECT min(at) FROM (SELECT min(ended_us) AS at FROM requests UNION ALL "
                "SELECT min(from_us) FROM watches UNION ALL SELECT min(started_us) FROM runs)"
            ).fetchone()
    except HistoryError as fault:
        return str(fault).rstrip(".")
    size = f"{size_bytes(path) / 1e6:,.1f} MB"
    return size if first_us is None else f"{size}, since {time_of(first_us):%Y-%m-%d %H:%M}"
