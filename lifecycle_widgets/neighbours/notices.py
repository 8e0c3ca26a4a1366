"""What stands on the board: `announce` puts a notice up, `neighbours` reads those of others."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import TracebackType
from typing import Any

import psutil

from lifecycle_widgets.neighbours.board import Board, Found, opened
from lifecycle_widgets.neighbours.said import (
    begin_of,
    own_name,
    pid_space,
    short,
    size,
    user_name,
    without_password,
)

_MOST_MODELS = 50
_CLOCK_S = 5.0  # a clock that was set moves the time at which a process began


@dataclass(frozen=True)
class Neighbour:
    """What another process on this machine says it does.

    Parameters
    ----------
    pid, user:
        Which process, and whose.
    what:
        What it does, in a few words.
    server_url, models:
        The Ollama and the models that it uses; empty where it told none.
    memory_bytes:
        The memory that it has reserved; 0 for none.
    since:
        When it said so.
    """

    pid: int
    user: str
    what: str
    server_url: str
    models: tuple[str, ...]
    memory_bytes: int
    since: datetime
    held_bytes: int = field(default=0, repr=False)  # what its children held when it said so,
    holders: tuple[int, ...] = field(default=(), repr=False)  # and those of these processes


class Notice:
    """A notice of this process on the board, until it is closed or the process has ended.

    A context manager. Where there is no board, or no room on it, it is there for nothing.
    """

    def __init__(self, said: dict[str, Any]) -> None:
        self._said, self._pid = said, os.getpid()
        self._name = f"{self._pid}-{secrets.token_hex(8)}.json"
        self._lock = threading.Lock()
        self._fd: int | None = None
        self._is_closed = False
        self._put()
        _OPEN.add(self)

    @property
    def memory_bytes(self) -> int:
        """The memory that it reserves."""
        return int(self._said["memory_bytes"])

    def change(
        self, *, memory_bytes: int | None = None, models: Sequence[str] | None = None
    ) -> None:
        """Say something else; what is left out stays. After its end it says nothing."""
        with self._lock:
            if self._is_closed or self._pid != os.getpid():
                return
            if memory_bytes is not None:
                self._said["memory_bytes"] = size(memory_bytes)
            if models is not None:
                self._said["models"] = list(models)
            self._put()

    def close(self) -> None:
        """Take it down. Idempotent; a process that was forked from this one leaves it up."""
        with self._lock:
            if self._is_closed or self._pid != os.getpid():
                return
            self._is_closed = True
            _OPEN.discard(self)
            with contextlib.suppress(OSError), opened() as board:
                board.remove(self._name)
            self._let_go()

    def _put(self) -> None:
        text = json.dumps(self._said).encode()
        with contextlib.suppress(OSError), opened() as board:
            before, self._fd = self._fd, board.put(self._name, text)
            if before is not None:
                os.close(before)

    def _let_go(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Notice:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


_OPEN: set[Notice] = set()


@atexit.register
def _close_all() -> None:
    for notice in list(_OPEN):
        notice.close()


def announce(
    what: str,
    *,
    server_url: str = "",
    models: Sequence[str] = (),
    memory_bytes: int = 0,
    held_bytes: int = 0,
    holders: Sequence[int] = (),
) -> Notice:
    """Say on the board of this machine what this process does, until the notice is closed.

    Parameters
    ----------
    what:
        In a few words; everybody on the machine can read it.
    server_url, models:
        The Ollama and the models that it uses.
    memory_bytes:
        Memory that nobody else is to count on; `reserve` takes it only where there is enough.
    held_bytes, holders:
        What the children of this process, and of these, hold already: it is no part of that.

    Examples
    --------
    >>> with announce("lesson 2", models=["smollm2:135m"]) as notice:
    ...     notice.change(models=["smollm2:135m", "smollm2:135m-f16"])
    """
    return Notice(
        {
            "pid": os.getpid(),
            "began_s": begin_of(os.getpid()),
            "space": pid_space(),
            "user": own_name(),
            "what": what,
            "server_url": without_password(server_url),
            "models": list(models),
            "memory_bytes": size(memory_bytes),
            "held_bytes": size(held_bytes),
            "holders": list(holders),
            "since": datetime.now(timezone.utc).isoformat(),
        }
    )


def neighbours() -> tuple[Neighbour, ...]:
    """What other processes on this machine say they do, of any user; oldest first.

    Examples
    --------
    >>> all(isinstance(one, Neighbour) for one in neighbours())
    True
    """
    return tuple(one for one in everyone() if one.pid != os.getpid())


def everyone() -> tuple[Neighbour, ...]:
    """As `neighbours`, with what this process says itself."""
    try:
        with opened() as board:
            return tuple(sorted(_alive(board), key=lambda one: (one.since, one.pid)))
    except OSError:  # no board
        return ()


def _alive(board: Board) -> Iterator[Neighbour]:
    for found in board.files():
        with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError, OverflowError):
            said = json.loads(found.text)
            if said["space"] != pid_space():
                continue  # of a container: whether that process lives cannot be seen from here
            pid, began_s = int(said["pid"]), float(said["began_s"])
            if found.is_held and _lives(pid, began_s, found):
                yield _neighbour(said, pid, found)
            else:
                board.remove(found.name)


def _lives(pid: int, began_s: float, found: Found) -> bool:
    """Whether the process that a notice speaks of is there, and of the user who wrote it."""
    try:
        process = psutil.Process(pid)
        uids = process.uids()[:2] if found.uid is not None else ()
        is_the_same = abs(process.create_time() - began_s) < _CLOCK_S
        return is_the_same and (found.uid in uids or not uids)
    except psutil.AccessDenied:
        return True
    except (psutil.Error, OverflowError, OSError):
        return False


def _neighbour(said: dict[str, Any], pid: int, found: Found) -> Neighbour:
    since = datetime.fromisoformat(str(said["since"]))
    models = said["models"]
    return Neighbour(
        pid,
        short(said["user"]) if found.uid is None else user_name(found.uid),
        short(said["what"]),
        short(said["server_url"]),
        tuple(short(model) for model in models[:_MOST_MODELS]) if isinstance(models, list) else (),
        size(said["memory_bytes"]),
        since if since.tzinfo else since.replace(tzinfo=timezone.utc),
        size(said["held_bytes"]),
        tuple(int(pid) for pid in said["holders"][:1]),
    )
