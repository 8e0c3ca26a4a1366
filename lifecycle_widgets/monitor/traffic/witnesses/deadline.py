"""Deadline: what the moves of one model's ``expires_at`` tell of the requests that ended."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

FOREVER_S = (2**63 - 1) / 1e9  # what Ollama adds for a keep_alive without end
LATE_S = 0.25  # /api/ps may have been answered so long after a sample began
_EXACT_S = 0.02  # Ollama sets a deadline so soon after the answer's end, at most
_JUST_NOW_S = 0.03  # an end so short before a sample cannot be told from one that is to come
_ALIKE_S = 0.05  # a rest that is no whole number is the same if it differs by no more
_USUAL_S = 5.0  # a keep_alive that is a multiple of this is believed at once


@dataclass(frozen=True)
class Ended:
    """Some request has ended, the last in flight: when, by the monotonic clock.

    ``keep_alive_s`` is what was in force then, as far as it is known; endless: forever. ``first``
    is the end of the first use, where that is known only now that another one has ended.
    """

    ended_s: float
    within_s: float
    keep_alive_s: float | None
    first: Ended | None = field(default=None, repr=False)


class Deadline:
    """Takes in one reading after another of a model in memory.

    Ollama sets the deadline when the last request in flight has ended, to then and the keep_alive
    in force. Before that happens for the first time, /api/ps tells now and the keep_alive, so the
    deadline moves along: the model is in its first use.

    The keep_alive itself is told nowhere. It lies within bounds that each reading narrows: an end
    is between two readings. A whole number of seconds that stays within them is taken for it.

    Parameters
    ----------
    absent_s:
        When the model was last seen not to be in memory; None: not told.
    is_same_clock:
        Whether the server's clock is this machine's: else a whole number of seconds says nothing.

    Examples
    --------
    >>> deadline = Deadline()
    >>> deadline.see(10.0, 307.2), deadline.see(10.5, 307.2)
    (None, None)
    >>> deadline.see(11.0, 310.81)
    Ended(ended_s=10.81, within_s=0.02, keep_alive_s=300.0)
    """

    def __init__(self, absent_s: float | None = None, *, is_same_clock: bool = True) -> None:
        self._is_same_clock = is_same_clock
        self._low_s, self._high_s = -math.inf, math.inf  # the keep_alive is between them
        self._moves = 0  # that have narrowed them
        self._due_s: float | None = None
        self._before_s, self._t_s = absent_s, absent_s  # of the last two readings
        #: whether no request has come to its end in it; None: not known yet
        self.is_first_use: bool | None = None

    @property
    def keep_alive_s(self) -> float | None:
        """The keep_alive in force, as far as it is known; endless: forever."""
        if self._moves == 0:
            return None
        seconds = self._likely_s
        return math.inf if seconds == FOREVER_S else seconds

    def see(self, t_s: float, due_s: float, *, is_moved: bool | None = None) -> Ended | None:
        """One more reading; the end that it betrays, if it does.

        Parameters
        ----------
        t_s, due_s:
            When it began, and the deadline, both by the monotonic clock.
        is_moved:
            Whether the deadline is another than in the reading before, where that is known better
            than by ``due_s``.
        """
        before_s = self._before_s
        self.passes(t_s)
        last_due_s, self._due_s = self._due_s, due_s
        if last_due_s is None:
            return None
        if is_moved is None:
            is_moved = due_s != last_due_s
        assert self._before_s is not None
        if not is_moved:
            return self._stands(before_s, self._before_s, due_s)
        if self.is_first_use is not False and self._moves_along(t_s, due_s, last_due_s):
            self.is_first_use = True
            self._narrow(due_s - t_s - LATE_S, due_s - t_s + _JUST_NOW_S)
            return None
        was, self.is_first_use = self.is_first_use, False
        first = self._first(before_s, self._before_s, last_due_s) if was is None else None
        if due_s <= t_s + LATE_S:  # it was unloaded: no request has ended
            return None
        self._narrow(due_s - t_s - LATE_S, due_s - self._before_s)
        return replace(self._ended(due_s, self._before_s, t_s), first=first)

    def _first(self, absent_s: float | None, then_s: float, due_s: float) -> Ended | None:
        """The end of the first use, where the first reading showed the deadline that it set."""
        if absent_s is None:
            return None
        self._narrow(due_s - then_s - LATE_S, due_s - absent_s)
        ended = self._ended(due_s, absent_s, then_s)
        is_sure = self._whole_s is not None and ended.ended_s < then_s - _JUST_NOW_S
        return ended if is_sure else None

    def passes(self, t_s: float) -> None:
        """One more reading of the same deadline, where the first use is over."""
        self._before_s, self._t_s = self._t_s, t_s

    def _stands(self, before_s: float | None, then_s: float, due_s: float) -> Ended | None:
        """The same deadline as before: it was set before the last reading, if not known yet."""
        was, self.is_first_use = self.is_first_use, False
        if was is False or (was is None and before_s is None):
            return None
        if was is None:
            self._narrow(due_s - then_s - LATE_S, due_s - (before_s or 0.0))
        return self._ended(due_s, before_s or 0.0, then_s)

    def _moves_along(self, t_s: float, due_s: float, last_due_s: float) -> bool:
        """Whether as much is left as was: nothing has ended."""
        assert self._before_s is not None
        left_s, was_left_s = due_s - t_s, last_due_s - self._before_s
        if self.is_first_use is None:
            whole_s = float(math.floor(was_left_s + _EXACT_S))
            is_whole = self._is_same_clock and was_left_s - whole_s <= LATE_S
            if is_whole:
                return whole_s - _JUST_NOW_S <= left_s <= was_left_s + LATE_S
            return abs(left_s - was_left_s) <= (_ALIKE_S if self._is_same_clock else LATE_S)
        if left_s > was_left_s + LATE_S:  # somebody else's keep_alive is in force now
            return True
        return left_s >= self._likely_s - _JUST_NOW_S

    # --- the keep_alive --------------------------------------------------------------------------

    def _narrow(self, low_s: float, high_s: float) -> None:
        low, high = max(self._low_s, low_s), min(self._high_s, high_s)
        if low > high + _EXACT_S:  # another keep_alive is in force
            low, high, self._moves = low_s, high_s, 0
        self._low_s, self._high_s = low, max(low, high)
        self._moves += 1

    @property
    def _whole_s(self) -> float | None:
        """The whole number of seconds that it may be; of several the usual one, if there is one."""
        if self._low_s - _EXACT_S <= FOREVER_S <= self._high_s + _EXACT_S:
            return FOREVER_S
        whole_s = float(math.floor(self._high_s + _EXACT_S))
        if not self._is_same_clock or whole_s < self._low_s:
            return None
        usual_s = whole_s - whole_s % _USUAL_S
        return usual_s if usual_s >= self._low_s else whole_s

    @property
    def _is_only_one(self) -> bool:
        """Whether no other whole number is within the bounds: of late readings they are wide."""
        return math.floor(self._high_s + _EXACT_S) - 1 < self._low_s

    @property
    def _likely_s(self) -> float:
        whole_s = self._whole_s
        if whole_s is not None:
            return whole_s
        # of readings that moved along the upper bound is the one that is sharp
        if self.is_first_use:
            return self._high_s - _JUST_NOW_S
        return (self._low_s + self._high_s) / 2

    def _ended(self, due_s: float, since_s: float, until_s: float) -> Ended:
        keep_alive_s, whole_s = self._likely_s, self._whole_s
        ended_s = min(max(due_s - keep_alive_s, since_s), until_s + LATE_S)
        is_believed = self._moves > 1 or (whole_s or 0.1) % _USUAL_S == 0
        if whole_s == FOREVER_S or (whole_s is not None and is_believed and self._is_only_one):
            within_s = _EXACT_S
        else:
            within_s = max(keep_alive_s - self._low_s, self._high_s - keep_alive_s, _EXACT_S)
        return Ended(round(ended_s, 6), round(within_s, 6), self.keep_alive_s)
