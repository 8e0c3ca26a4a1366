"""Memory that is promised: so that 25 who look at once do not all see the same free gigabyte.

What counts as taken by others is what they have reserved and do not hold yet. What a process holds
of its reservation is what its children, and those of its own server (runners, a task), hold of
their own beyond what they held when it was made: that is missing in the free memory already. Where
this cannot be seen (another user's server, some systems) the whole counts until it is given back:
then a little too much is kept free, never too little.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence

from lifecycle_widgets.neighbours.board import opened
from lifecycle_widgets.neighbours.held import children, held_bytes, server_pid
from lifecycle_widgets.neighbours.notices import (
    Neighbour,
    Notice,
    announce,
    everyone,
    neighbours,
)

_WAIT_S = 2.0
_NAMED = 3
_ONE_OF_OURS = threading.Lock()


class Short(MemoryError):
    """There is not so much memory that nobody has reserved. ``free_bytes`` is what there is."""

    def __init__(self, message: str, free_bytes: int) -> None:
        super().__init__(message)
        self.free_bytes = free_bytes


def reserve(
    memory_bytes: int,
    what: str,
    *,
    free_bytes: Callable[[], int],
    server_url: str = "",
    models: Sequence[str] = (),
) -> Notice:
    """Look whether there is so much memory, and reserve it: both at once.

    It is announced first and looked for then, so that of two who come at the same time each sees
    the other; and one after the other, so that one of them gets it.

    Parameters
    ----------
    memory_bytes, what:
        How much is needed, for what.
    free_bytes:
        Tells what is free, without what *other* processes have reserved.
    server_url, models:
        As for `announce`.

    Returns
    -------
    Notice
        The reservation. It ends when it is closed, and with this process.

    Raises
    ------
    Short
        There is not so much; nothing is reserved.
    """
    with contextlib.ExitStack() as turn:
        turn.enter_context(_ONE_OF_OURS)
        with contextlib.suppress(OSError):  # no board: one goes by what is free alone
            turn.enter_context(turn.enter_context(opened()).turn(_WAIT_S))
        return _reserved(memory_bytes, what, free_bytes, server_url, models)


def _reserved(
    memory_bytes: int,
    what: str,
    free_bytes: Callable[[], int],
    server_url: str,
    models: Sequence[str],
) -> Notice:
    own = [one for one in everyone() if one.pid == os.getpid()]
    answers = server_pid(server_url)
    holders = () if answers is None else (answers,)
    notice = announce(
        what,
        server_url=server_url,
        models=models,
        memory_bytes=memory_bytes,
        holders=holders,
        held_bytes=held_bytes((os.getpid(), *holders), children()),
    )
    try:
        free = free_bytes() - _untaken_bytes(own)
        if memory_bytes > free:
            raise Short("There is not so much memory.", max(0, free))
    except BaseException:
        notice.close()
        raise
    return notice


def reserved_bytes(counts: Callable[[int], bool] = lambda pid: True) -> int:
    """What other processes of this machine have reserved and do not hold yet, in bytes.

    Parameters
    ----------
    counts:
        Which processes count, by their number.

    Examples
    --------
    >>> reserved_bytes() >= 0
    True
    """
    return _untaken_bytes(one for one in neighbours() if counts(one.pid))


def reserved_text() -> str:
    """Who has reserved how much, in a sentence; empty where nobody has.

    Examples
    --------
    >>> told([("ada", 3_000_000_000), ("bob", 1_000_000_000), ("ada", 500_000_000)])
    '3 others on this machine (ada 3.5 GB, bob 1.0 GB) have reserved 4.5 GB for experiments.'
    """
    return told((one.user, one.memory_bytes) for one in neighbours() if one.memory_bytes)


def told(reservations: Iterable[tuple[str, int]]) -> str:
    """As `reserved_text`, of these."""
    found = list(reservations)
    if not found:
        return ""
    of: dict[str, int] = {}
    for user, size in found:
        of[user] = of.get(user, 0) + size
    most = sorted(of.items(), key=lambda one: -one[1])
    named = ", ".join(f"{user} {size / 1e9:.1f} GB" for user, size in most[:_NAMED])
    more = " and more" if len(most) > _NAMED else ""
    others = "1 other process" if len(found) == 1 else f"{len(found)} others"
    has = "has" if len(found) == 1 else "have"
    total = sum(of.values()) / 1e9
    return (
        f"{others} on this machine ({named}{more}) {has} reserved {total:.1f} GB for experiments."
    )


def _untaken_bytes(reservations: Iterable[Neighbour]) -> int:
    some = [one for one in reservations if one.memory_bytes]
    left, total = children() if some else {}, 0
    for one in some:
        taken = held_bytes((one.pid, *one.holders), left) - one.held_bytes
        total += max(0, one.memory_bytes - max(0, taken))
    return total
