"""Lane: when one model in memory was busy, by the moves of its deadline and its runner's work."""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle_widgets.monitor.traffic.busy import Busy
from lifecycle_widgets.monitor.traffic.witnesses.deadline import Deadline, Ended

_LEAST_S = 0.03  # of work: less is the counter's own step (10 ms), or a question after its health
_FULL = 0.8  # of an interval: who works so much of it was at work when it began
_LONG_ENOUGH_S = 0.1  # of work, to tell its rate
_SILENT_S = 3.0  # without work: it was no request, or one that waits for its client
_TICK_S = 0.02
_BEGUN_S = 0.1  # of work after an end: the next request had begun
_CLOSE_S = 0.1  # how well a begin is known by work, beside what the rate makes uncertain
_UNSURE = 0.5  # by how much of itself the rate of work may be off


@dataclass(slots=True)
class _First:
    """The interval in which a busy time began, and the work in it."""

    since_s: float
    until_s: float
    work_s: float
    carried_s: float  # done at the end of the interval before


class Lane:
    """Takes in one reading after another of a model, from its load to its leaving.

    Parameters
    ----------
    model:
        Its name.
    t_s:
        When it was first seen in memory, by the monotonic clock.
    deadline:
        Of it.
    loading:
        The busy time in which it was loaded, where that was seen.
    rate:
        How many seconds of CPU its runner takes in a second at work, where that is known.
    """

    def __init__(
        self,
        model: str,
        t_s: float,
        deadline: Deadline,
        loading: Busy | None = None,
        rate: float = 1.0,
    ) -> None:
        self.model, self.t_s, self.deadline, self.busy = model, t_s, deadline, loading
        self.rate = rate
        #: busy times that have ended, for whoever takes them
        self.over: list[Busy] = []
        self.is_rate_known = False
        self._first: _First | None = None  # while its rate is not known
        self._carried_s, self._silent_s = 0.0, 0.0
        self._worked_until_s: float | None = None
        self._last_end_s = 0.0

    def see(
        self, t_s: float, due_s: float | None, is_moved: bool | None, work_s: float | None
    ) -> None:
        """One more reading, which lists it.

        Parameters
        ----------
        due_s, is_moved:
            Its deadline, as `Deadline.see` takes it; None: not told.
        work_s:
            How much its runner has worked since the reading before; None: not told.
        """
        before_s, self.t_s = self.t_s, t_s
        ended = None if due_s is None else self.deadline.see(t_s, due_s, is_moved=is_moved)
        if due_s is None and work_s is None:  # nothing tells when what went on ends
            self.busy = None
        if self.deadline.is_first_use and self.busy is None:  # it was loaded before we looked
            self.busy = Busy(self.model, witnesses={"deadline"})
        if ended is not None:
            self._ends(ended, before_s, t_s, work_s)
        elif self.busy is not None and not (self.busy.is_silent and (work_s or 0.0) >= _LEAST_S):
            self._goes_on(before_s, t_s, work_s)
            if due_s is None and work_s is not None and work_s < _LEAST_S:
                self._ends_by_work(t_s - before_s)
        elif work_s is not None and work_s >= _LEAST_S:
            self._begins(before_s, t_s, work_s)
        else:
            self._carried_s = work_s or 0.0

    @property
    def is_quiet(self) -> bool:
        """Whether nothing goes on in it, and nothing is left to find out."""
        return self.busy is None and not self._carried_s and self.deadline.is_first_use is False

    def passes(self, t_s: float) -> None:
        """One more reading in which nothing has changed."""
        self.t_s = t_s
        self.deadline.passes(t_s)

    def leaves(self, t_s: float) -> None:
        """It is not in memory any more: what went on has ended, since its last reading."""
        busy, self.busy = self.busy, None
        if busy is None and self._carried_s >= _BEGUN_S:  # its end has told nothing any more
            busy = Busy(self.model, self.t_s - self._carried_s / self.rate, witnesses={"runner"})
            busy.begin_within_s = _CLOSE_S + _UNSURE * self._carried_s / self.rate
        if busy is not None and not busy.is_silent:
            busy.ended_s, busy.end_within_s = (self.t_s + t_s) / 2, (t_s - self.t_s) / 2
            self.over.append(busy)

    # --- begin -----------------------------------------------------------------------------------

    def _begins(self, before_s: float, t_s: float, work_s: float) -> None:
        self.busy = Busy(self.model, witnesses={"runner"})
        self._first = _First(before_s, t_s, work_s, self._carried_s)
        self._date_begin(self.busy, self._first)
        self._carried_s = self._silent_s = 0.0
        self._worked_until_s = t_s

    def _date_begin(self, busy: Busy, first: _First) -> None:
        """From the work in the interval: it went on to the interval's end."""
        length_s = first.until_s - first.since_s
        share_s = min(first.work_s / self.rate, length_s)
        began_s = first.until_s - share_s
        if share_s >= _FULL * length_s and first.carried_s >= _TICK_S:
            began_s = first.since_s - first.carried_s / self.rate
        busy.began_s = max(began_s, self._last_end_s)
        rest_s = min(share_s, max(length_s - share_s, 0.0))
        busy.begin_within_s = _CLOSE_S + (_UNSURE * share_s if self.is_rate_known else rest_s)

    # --- middle ----------------------------------------------------------------------------------

    def _goes_on(self, before_s: float, t_s: float, work_s: float | None) -> None:
        busy = self.busy
        assert busy is not None
        if work_s is None:
            return
        if work_s < _LEAST_S:
            self._silent_s += t_s - before_s
            is_sure = self.deadline.is_first_use
            busy.is_silent = not is_sure and self._silent_s >= _SILENT_S
            return
        busy.witnesses.add("runner")
        rate = work_s / (t_s - before_s)
        self._silent_s = 0.0
        self._worked_until_s = before_s + min(1.0, rate / self.rate) * (t_s - before_s)
        if self._first is not None and rate >= _TICK_S:
            self.rate, self.is_rate_known = rate, True
            self._date_begin(busy, self._first)
            self._first = None
        elif rate > self.rate / 2:  # less is an interval in which it waited
            self.rate += (rate - self.rate) / 2 if self.is_rate_known else rate - self.rate
            self.is_rate_known = True

    # --- end -------------------------------------------------------------------------------------

    def _ends(self, ended: Ended, before_s: float, t_s: float, work_s: float | None) -> None:
        if ended.first is not None and self.busy is not None:
            self._is_over(self.busy, ended.first)
        busy = self.busy
        if busy is None or (busy.is_silent and (work_s or 0.0) >= _LEAST_S):
            busy = Busy(self.model)
            if work_s is not None:
                self._date_short(busy, ended, before_s, work_s)
        elif self._first is not None and work_s is not None:
            self._date_by_the_end(busy, self._first, ended, before_s, work_s)
        self._carried_s = self._left_over_s(busy, ended, before_s, t_s, work_s)
        self._is_over(busy, ended)

    def _is_over(self, busy: Busy, ended: Ended) -> None:
        busy.witnesses.add("deadline")
        busy.ended_s, busy.end_within_s = ended.ended_s, ended.within_s
        busy.keep_alive_s, busy.is_exact, busy.is_silent = ended.keep_alive_s, True, False
        self._close(busy)

    def _date_short(self, busy: Busy, ended: Ended, before_s: float, work_s: float) -> None:
        """It began, and ended, in one interval; or just before it, by what was carried over."""
        share_s, length_s = work_s / self.rate, ended.ended_s - before_s
        began_s = ended.ended_s - min(share_s, max(length_s, 0.0))
        if share_s >= _FULL * length_s and self._carried_s >= _TICK_S:
            began_s = before_s - self._carried_s / self.rate
        busy.began_s = max(began_s, self._last_end_s)
        busy.begin_within_s = ended.within_s + _CLOSE_S + _UNSURE * share_s
        if work_s > 0:
            busy.witnesses.add("runner")

    def _date_by_the_end(
        self, busy: Busy, first: _First, ended: Ended, before_s: float, work_s: float
    ) -> None:
        """It began in one interval and ended in the next: its rate of work is that of its end."""
        length_s = ended.ended_s - before_s
        if not self.is_rate_known and length_s >= _LONG_ENOUGH_S and work_s >= _LEAST_S:
            self.rate, self.is_rate_known = min(work_s / length_s, self.rate), True
            self._date_begin(busy, first)

    def _left_over_s(
        self, busy: Busy, ended: Ended, before_s: float, t_s: float, work_s: float | None
    ) -> float:
        """The work after the end, in the same interval: the next request has begun."""
        if work_s is None:
            return 0.0
        began_s = before_s if busy.began_s is None else max(busy.began_s, before_s)
        left_s = work_s - max(ended.ended_s - began_s, 0.0) * self.rate
        return min(max(left_s, 0.0), max(t_s - ended.ended_s, 0.0) * self.rate)

    def _ends_by_work(self, interval_s: float) -> None:
        """Where no deadline is told: when its runner does nothing any more."""
        busy = self.busy
        assert busy is not None
        busy.ended_s = (
            self.t_s - interval_s if self._worked_until_s is None else self._worked_until_s
        )
        busy.end_within_s = interval_s
        self._close(busy)

    def _close(self, busy: Busy) -> None:
        self.over.append(busy)
        self.busy, self._first, self._silent_s = None, None, 0.0
        self._last_end_s = busy.ended_s or 0.0
