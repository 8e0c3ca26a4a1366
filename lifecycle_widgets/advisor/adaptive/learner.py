"""Learner: what one model's gaps have taught, and what to send for it next. Computes only."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lifecycle_widgets.advisor.adaptive.cap import Cap
from lifecycle_widgets.advisor.policies.advice import advice
from lifecycle_widgets.advisor.policies.learners.host import Host
from lifecycle_widgets.advisor.policies.slack_bank import SlackBank
from lifecycle_widgets.runs import counted

Busy: TypeAlias = tuple[float, float]
"""From when to when a model was at work, in seconds of the monotonic clock; inf: it goes on."""

_MOST_SENT = 100
_JUST_BEFORE_S = 1.0  # a request begins so soon after it was decided what it is to carry


@dataclass(frozen=True)
class Choice:
    """A keep_alive in seconds (inf: forever), and why that one, in a sentence."""

    ttl_s: float
    because: str


class Learner:
    """One model on one server, at one T*: learns from its gaps, and decides for the next.

    What it decides by is `advice`: so what was really sent (rounded, or chosen by what is known
    beside the gaps) costs at most twice the clairvoyant optimum and three reloads, whatever comes.

    Parameters
    ----------
    t_star_s:
        T* in seconds.
    most_reloads_per_hour:
        See `Cap`; None: as many as it comes to.

    Examples
    --------
    >>> learner = Learner(30.0)
    >>> learner.decide(now_s=100.0).ttl_s
    30.0
    >>> learner.see([(100.0, 105.0)], now_s=115.0)
    [10.0]
    >>> learner.gaps, learner.slack  # the optimum is a third of a reload: twice that, less it
    (1, 3.333)
    """

    def __init__(self, t_star_s: float, most_reloads_per_hour: float | None = None) -> None:
        self.t_star_s = t_star_s
        self.gaps = 0
        """How many gaps of its own it has learnt from."""
        self.of_others = 0
        """How many gaps of the server's other models."""
        self._host = Host(t_star_s)
        self._bank = advice(t_star_s, self._host)
        self._others: dict[str, SlackBank] = {}  # by name; they only learn
        self._cap = None if most_reloads_per_hour is None else Cap(most_reloads_per_hour)
        self._sent: deque[tuple[float, float]] = deque(maxlen=_MOST_SENT)  # when, and the TTL
        self._seen_until_s = -math.inf

    @property
    def slack(self) -> float:
        """What the bank holds, in reloads."""
        return round(self._bank.slack, 3)

    # --- learning --------------------------------------------------------------------------------

    def remember(self, gaps_s: Iterable[tuple[float, str]]) -> None:
        """Learn from earlier gaps, in the order of their ends; they are not its to pay for.

        Parameters
        ----------
        gaps_s:
            How long each was in seconds, and which other model's it was; "": its own.
        """
        for gap_s, whose in gaps_s:
            if whose:
                self.hear(gap_s, whose)
            else:
                self._learn(gap_s, None)

    def hear(self, gap_s: float, whose: str) -> None:
        """A gap of another model of the server has ended."""
        if whose not in self._others:
            self._others[whose] = advice(self.t_star_s, self._host)
        self._others[whose].teach(gap_s)
        self.of_others += 1

    def see(self, busy: Sequence[Busy], now_s: float) -> list[float]:
        """Learn from the gaps that have ended since the last time, of which the last may end now.

        Parameters
        ----------
        busy:
            When the model was at work, in order, without overlaps.
        now_s:
            When it is asked for again.

        Returns
        -------
        list
            How long each gap was that is new, in seconds.
        """
        ends = [begin_s for begin_s, _ in busy[1:]] + [now_s]  # of the gaps
        found = []
        for (began_s, since_s), until_s in zip(busy, ends, strict=False):
            if self._seen_until_s <= since_s < until_s <= now_s:
                ttl_s = self._sent_in(began_s, since_s)
                found.append(until_s - since_s)
                self._learn(found[-1], ttl_s)
                if self._cap is not None and ttl_s is not None and found[-1] > ttl_s:
                    self._cap.reloads(until_s)
        self._seen_until_s = max(self._seen_until_s, now_s)
        return found

    def _learn(self, gap_s: float, ttl_s: float | None) -> None:
        if ttl_s is None:  # it was not decided here what was in force
            self._bank.teach(gap_s)
        else:
            self._bank.learn(gap_s, ttl_s)
        self.gaps += 1

    def _sent_in(self, began_s: float, ended_s: float) -> float | None:
        """What the last request of ours in that time carried; None: there was none."""
        for at_s, ttl_s in reversed(self._sent):
            if began_s - _JUST_BEFORE_S <= at_s <= ended_s:
                return ttl_s
        return None

    # --- deciding --------------------------------------------------------------------------------

    def decide(
        self, now_s: float, said: Sequence[str | None] = (), *, more: bool = False
    ) -> Choice:
        """What a request that begins now is to carry; it will be charged for what follows it."""
        choice = self.would_decide(now_s, said, more=more)
        self._sent.append((now_s, choice.ttl_s))
        return choice

    def would_decide(
        self, now_s: float, said: Sequence[str | None] = (), *, more: bool = False
    ) -> Choice:
        """The same; asking changes nothing.

        Parameters
        ----------
        now_s:
            By the monotonic clock.
        said:
            What else is known of the next request: "soon", "not soon", or None; see `signals`.
        more:
            Whether it is certain that one follows at once.
        """
        ttl_s, because = self._by_the_gaps()
        if more or "soon" in said:
            if ttl_s < self.t_star_s:
                why = "another request is certain to follow" if more else "one is expected soon"
                ttl_s, because = self.t_star_s, f"{because} But {why}: not less than T*."
        elif "not soon" in said and ttl_s > 0 and self._bank.is_affordable(0.0):
            ttl_s, because = 0.0, f"{because} But none is expected soon, so it may leave at once."
        ttl_s = self._rounded(ttl_s)
        least_s = 0.0 if self._cap is None else self._cap.least_s(now_s)
        if ttl_s < least_s:
            most = "" if self._cap is None else f"{self._cap.most_per_hour:g}"
            capped = f"But there have been {most} reloads an hour, and more are not allowed."
            return Choice(math.ceil(least_s), f"{because} {capped}")
        return Choice(ttl_s, because)

    def _by_the_gaps(self) -> tuple[float, str]:
        if not self.gaps + self.of_others:
            ttl_s, nothing = self._bank.would_give_s(), "No gap has been seen yet: "
            is_t_star = ttl_s == self.t_star_s
            usual = "T* is the value that never does badly" if is_t_star else "by what is usual"
            return ttl_s, f"{nothing}{usual}."
        seen = f"{counted(self.gaps, 'gap')} of its own"
        if self.of_others:
            seen += f" and {self.of_others:,} of other models"
        if self._bank.is_affordable(self._bank.learned_ttl_s()):
            why = f"The cheapest by {seen}; if that is wrong, it can be paid for."
        else:
            why = f"T*: another would be the cheapest by {seen}, but its worst cannot be paid for."
        return self._bank.would_give_s(), why

    def _rounded(self, ttl_s: float) -> float:
        """The same where that can be paid for as well."""
        up_s = rounded_up(ttl_s, self.t_star_s)
        return up_s if self._bank.is_affordable(up_s) else ttl_s


def rounded_up(ttl_s: float, t_star_s: float) -> float:
    """Up to whole seconds; of a T* below 10 s to tenths, and so on: to a small part of T*.

    Examples
    --------
    >>> rounded_up(30.4, t_star_s=120.0), rounded_up(0.3, t_star_s=0.3)
    (31.0, 0.3)
    """
    parts = 10.0 ** max(0, math.ceil(1 - math.log10(t_star_s)))
    return ttl_s if math.isinf(ttl_s) else math.ceil(round(ttl_s * parts, 6)) / parts
