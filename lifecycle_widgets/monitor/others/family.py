"""The processes that are ours: some roots, and all that descends from them."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Collection

import psutil

from lifecycle_widgets.monitor.system.processes import Process, open_process, parent_of

_UNTOLD = (psutil.Error, OSError, AttributeError, NotImplementedError)


class Family:
    """Some processes and all that they start, kept open from look to look.

    Of all processes only the numbers are listed each time; who started one is asked once, when its
    number is new. So who has once been of the family stays in it, whoever adopts it later.
    """

    def __init__(self) -> None:
        self.members: dict[int, Process] = {}
        self.born: set[int] = set()  #: since the last look, as children of members
        self.ended: dict[int, int | None] = {}  #: since the last look, and who waited for each
        self._parents: dict[int, int] = {}
        self._seen: frozenset[int] = frozenset()

    def look(self, roots: Collection[int], alive: frozenset[int] | None = None) -> None:
        """Take in what has been started since the last look, and forget what has ended.

        Parameters
        ----------
        roots:
            Who is of the family, whoever has started it.
        alive:
            The numbers of all processes, where they have just been listed.
        """
        now = frozenset(psutil.pids()) if alive is None else alive
        self.ended = {pid: self._heir(pid, now) for pid in self.members.keys() - now}
        for pid in self.ended:
            del self.members[pid], self._parents[pid]
        self.born = set()
        if self._seen and now is not self._seen:
            self._take_in(now - self._seen)
        for pid in set(roots) - self.members.keys():
            self._adopt(pid)
        self._seen = now

    def _take_in(self, pids: Collection[int]) -> None:
        parents = {pid: _parent(pid) for pid in pids}
        while joining := [
            (pid, parent)
            for pid, parent in parents.items()
            if parent in self.members and pid not in self.members
        ]:
            for pid, parent in joining:
                self._join(pid, parent)
                self.born.add(pid)
                del parents[pid]

    def _adopt(self, pid: int) -> None:
        with contextlib.suppress(*_UNTOLD):
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                self._join(process.pid, process.ppid())

    def _join(self, pid: int, parent: int | None) -> None:
        with contextlib.suppress(*_UNTOLD):
            if pid not in self.members:
                self.members[pid] = open_process(pid)
            self._parents[pid] = parent or 0

    def _heir(self, pid: int, alive: Collection[int]) -> int | None:
        """The nearest of those above it that is alive; None when it is none of ours."""
        above = self._parents.get(pid)
        while above is not None and above in self.members and above not in alive:
            above = self._parents.get(above)
        return above if above in self.members else None


class Meter:
    """What a family has spent from look to look, of something that each process adds up.

    Parameters
    ----------
    read:
        The sum of a process so far, with that of the ended children that it has waited for.
    """

    def __init__(self, read: Callable[[Process], float]) -> None:
        self._read = read
        self._last: dict[int, float] = {}

    def since_last(self, family: Family) -> float | None:
        """What was spent since the last call; to be called once after each look.

        None when it is not told: of a process that belongs to somebody else, on some systems, or
        of one that has ended, on all but Linux.
        """
        had: defaultdict[int | None, float] = defaultdict(float)  # counted, of what is handed on
        for pid, heir in family.ended.items():
            had[heir] += self._last.pop(pid, 0.0)
        # Linux adds what a process has spent to that of the one who waits for its end
        spent, is_told = 0.0, psutil.LINUX or not family.ended
        for pid, process in family.members.items():
            try:
                now = self._read(process)
            except psutil.NoSuchProcess:  # it ends now: it is counted after the next look
                continue
            except _UNTOLD:
                self._last.pop(pid, None)
                is_told = False
                continue
            before = self._last.get(pid, 0.0 if pid in family.born else now)
            spent += max(0.0, now - before - had[pid])
            self._last[pid] = now
        return spent if is_told else None


def _parent(pid: int) -> int | None:
    try:
        return parent_of(pid)
    except _UNTOLD:
        return None
