"""When stills are sent: soon after a change, merged, and seldom where they cost much."""

from __future__ import annotations

import threading
import time
from typing import Any, Protocol
from weakref import WeakSet

SETTLES_S = 0.3  # changes that come together are sent together
EVERY_S = 2.0  # at most so often, of one widget
_SHARE = 0.04  # of a core's time for its pictures: what takes 0.2 s to draw is drawn every 5 s


class Sends(Protocol):
    """A widget's still, as its sender knows it."""

    lacks_picture: bool  # what was sent last has not the picture that belongs to it

    def send(self, *, draws: bool = True) -> bool:
        """Send it as it is now; False where that is what was sent last."""

    def repeat(self) -> None:
        """Send once more what was sent last."""


class Sender:
    """Sends what has changed, in a thread that is there while something waits.

    A page that runs cells one after the other (nbclient, nbconvert, papermill, Voila) hears only
    what comes while one runs, as an answer to it: for that, the end of a cell is told
    (`cell_ended`). JupyterLab and VS Code hear what comes at any time.
    """

    def __init__(self) -> None:
        # Python collects at any time, and a widget that it collects closes itself: also in here
        self._changed = threading.Condition(threading.RLock())
        self._due_s: dict[Sends, float] = {}
        self._rests_s: dict[Sends, float] = {}  # not again before
        self._draws_s: dict[Sends, float] = {}  # no picture again before
        self._unheard: dict[Sends, None] = {}  # sent since the last cell has ended
        self._thread: threading.Thread | None = None
        self._watched: WeakSet[Any] = WeakSet()

    def watch(self, shell: Any) -> None:
        """Hear when a cell of this shell has ended."""
        if shell not in self._watched:
            self._watched.add(shell)
            shell.events.register("post_run_cell", lambda *_: self.cell_ended(shell))

    def ask(self, one: Sends) -> None:
        """It may have changed. Safe in any thread; nothing is waited for."""
        with self._changed:
            self._wait_for(one, max(time.monotonic() + SETTLES_S, self._rests_s.get(one, 0.0)))

    def finish(self, one: Sends) -> None:
        """Send what has changed, and no more of it afterwards."""
        with self._changed:
            waits = self._due_s.pop(one, None) is not None
            self._changed.notify_all()
        if waits:
            one.send()
        with self._changed:
            for known in (self._due_s, self._rests_s, self._draws_s):
                known.pop(one, None)
            self._changed.notify_all()

    def cell_ended(self, shell: Any) -> None:
        """Where a page hears nothing later: send now what waits or may not have been heard."""
        with self._changed:
            unheard, self._unheard = self._unheard, {}
            if _hears_at_any_time(shell):
                return
            waiting = dict.fromkeys(self._due_s)
            self._due_s.clear()
            self._changed.notify_all()
        for one in {**waiting, **unheard}:
            is_sent = one in waiting and one.send()
            if one in unheard and not is_sent:
                one.repeat()

    def _wait_for(self, one: Sends, due_s: float) -> None:
        self._due_s[one] = min(due_s, self._due_s.get(one, due_s))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="lifecycle-stills", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        try:
            while (one := self._next()) is not None:
                self._send(one)
        finally:
            with self._changed:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _send(self, one: Sends) -> None:
        began_s, used_s = time.monotonic(), time.thread_time()
        with self._changed:
            draws_s = self._draws_s.get(one, 0.0)
        draws = began_s >= draws_s
        is_sent = one.send(draws=draws)
        with self._changed:
            self._rests_s[one] = began_s + EVERY_S
            if draws:
                rests_s = (time.thread_time() - used_s) / _SHARE
                self._draws_s[one] = began_s + max(EVERY_S, rests_s)
            elif one.lacks_picture:
                self._wait_for(one, draws_s)
            if is_sent:
                self._unheard[one] = None

    def _next(self) -> Sends | None:
        """Wait until one is due; None when none waits any more: the thread has ended then."""
        with self._changed:
            while self._due_s:
                one = min(self._due_s, key=self._due_s.__getitem__)
                left_s = self._due_s[one] - time.monotonic()
                if left_s <= 0:
                    del self._due_s[one]
                    return one
                self._changed.wait(left_s)
            self._thread = None
            return None


def _hears_at_any_time(shell: Any) -> bool:
    """The pages that name the cell when they have it run."""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else None
    return bool(((parent or {}).get("metadata") or {}).get("cellId"))


SENDER = Sender()
