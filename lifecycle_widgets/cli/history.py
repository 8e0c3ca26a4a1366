"""``lifecycle-lab history``: where it is and what it holds; exports and deletes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle_widgets.history import History
    from lifecycle_widgets.history.reading.tables import Table

_TABLES: tuple[Table, ...] = ("requests", "runs", "residencies", "gaps", "starts")
_ABOUT = """\
Says where the history is, how big, since when, and how much it holds: sizes and times of what was
watched (lifecycle-lab watch, and the lab), never a prompt or an answer.
"""


def main(words: Sequence[str]) -> int:
    """Tells of it, exports or deletes; returns the exit status."""
    from lifecycle_widgets.history import History, HistoryError

    parser = _parser()
    known = parser.parse_args(words)
    try:
        with History() as history:
            if known.export is not None:
                return _export(history, known)
            if known.delete_all or known.delete_before is not None:
                return _delete(history, known)
            return _tell(history)
    except HistoryError as fault:
        print(f"lifecycle-lab: {fault}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab history", description=_ABOUT, allow_abbrev=False
    )
    parser.add_argument("--export", metavar="FILE", help="write a table as .csv or .parquet")
    parser.add_argument(
        "--what",
        choices=_TABLES,
        help="which table to export (default: the one that FILE is named after, else requests)",
    )
    parser.add_argument("--model", help="only this model's")
    parser.add_argument("--server", metavar="ADDRESS", help="only this server's")
    parser.add_argument("--since", metavar="DATE", help="of an export: only from then on")
    parser.add_argument("--delete-before", metavar="DATE", help="delete what is older")
    parser.add_argument("--delete-all", action="store_true", help="delete all (asks first)")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _tell(history: History) -> int:
    from lifecycle_widgets.history.reading.counting import counts
    from lifecycle_widgets.runs.texts import counted

    print(repr(history).strip("<>"))
    held = counts(history.path)
    if any(held.values()):
        named = {"requests": "request", "runs": "run", "residencies": "stay"}
        print(", ".join(counted(held[what], one) for what, one in named.items()))
    return 0


def _export(history: History, known: argparse.Namespace) -> int:
    named = [table for table in _TABLES if table in (known.what or Path(known.export).stem)]
    what = named[0] if named else "requests"
    path = history.export(
        known.export, what, model=known.model, server=known.server, since=known.since
    )
    print(f"{path}: {what}")
    return 0


def _delete(history: History, known: argparse.Namespace) -> int:
    if known.delete_all and not known.yes and not _agrees(history):
        print("lifecycle-lab: Nothing was deleted.", file=sys.stderr)
        return 1
    if known.delete_all:
        gone = history.delete(everything=True)
    else:
        gone = history.delete(model=known.model, server=known.server, before=known.delete_before)
    print(f"{gone:,} deleted from {history.path}")
    return 0


def _agrees(history: History) -> bool:
    try:
        return input(f"Delete all that is in {history.path}? [y/N] ").strip().lower() in (
            "y",
            "yes",
        )
    except EOFError:  # nobody is there to ask
        return False
