"""HistoryError: what is wrong with the history's file, in one sentence with what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "LIFECYCLE_WIDGETS_HISTORY"

_ELSEWHERE = f"or name another file in {VARIABLE}"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class HistoryError(RuntimeError):
    """The history cannot be read or written; its text says why, and what to do."""


def told(fault: BaseException, path: Path) -> str:
    """The sentence for what SQLite, or the operating system, says.

    Examples
    --------
    >>> told(sqlite3.OperationalError("database is locked"), Path("history.sqlite"))
    'The history history.sqlite is locked: another process, maybe a kernel that hangs, has it.'
    """
    if isinstance(fault, HistoryError):
        return str(fault)
    said = str(fault).lower()
    if isinstance(fault, OSError):
        return _of_the_system(fault, path)
    if path.is_dir():
        return f"{path} is a folder. Name a file for the history in {VARIABLE}."
    if "full" in said or "disk i/o error" in said:
        return f"The disk is full, or fails: {path} cannot be written. Make room, {_ELSEWHERE}."
    if "locked" in said or "busy" in said:
        return f"The history {path} is locked: another process, maybe a kernel that hangs, has it."
    if "readonly" in said or "read-only" in said:
        return f"The history {path} may only be read. Make it writable, {_ELSEWHERE}."
    if "unable to open" in said:
        return f"The history {path} cannot be opened or made. Look at its folder, {_ELSEWHERE}."
    if "malformed" in said or "not a database" in said or "no such" in said or "corrupt" in said:
        return damaged(path)
    return f"The history {path} cannot be used: {fault}."


def damaged(path: Path) -> str:
    """What to do about a file that is not as we wrote it. It is never deleted by us."""
    return (
        f"The history {path} is damaged, and is left as it is. Move it away (with {path.name}-wal "
        f"and {path.name}-shm, if they are there): a new one begins then."
    )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the operating system into `HistoryError`."""
    try:
        yield
    except (sqlite3.Error, OSError) as fault:
        raise HistoryError(told(fault, path)) from fault


def _of_the_system(fault: OSError, path: Path) -> str:
    if fault.errno in _FULL:
        return f"The disk is full: {path} cannot be written. Make room, {_ELSEWHERE}."
    where = fault.filename or path
    return (
        f"The history {path} cannot be used ({fault.strerror}: {where}). Mend that, {_ELSEWHERE}."
    )
