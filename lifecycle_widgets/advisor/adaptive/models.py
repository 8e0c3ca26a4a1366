"""Models: a learner for each model that an AdaptiveKeepAlive was asked about, and its T*."""

from __future__ import annotations

import copy
import statistics
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lifecycle_widgets.advisor.adaptive.cap import Cap
from lifecycle_widgets.advisor.adaptive.evidence import Past, busy_of
from lifecycle_widgets.advisor.adaptive.learner import Busy, Choice, Learner
from lifecycle_widgets.advisor.adaptive.plain import Plain
from lifecycle_widgets.advisor.adaptive.signals import Signal
from lifecycle_widgets.advisor.price import NotMeasured, Price
from lifecycle_widgets.advisor.recommend.evidence.reload_cost import reload_cost
from lifecycle_widgets.advisor.workload.workload import Workload
from lifecycle_widgets.history import History, HistoryError
from lifecycle_widgets.runs.step import LEAST_LOAD_S
from lifecycle_widgets.server import Server, ServerError, ServerUnreachable, UnknownModel, same_name

_MOST_PLAIN = 1000


@dataclass(eq=False)
class One:
    """A model on a server (None: which one is not known), and what is known of it.

    ``learner`` is None while its T* is not known, for the reason in ``why_not``. ``plain``: the
    requests of drivers that are not run by us.
    """

    model: str
    server: Server | None
    learner: Learner | None = None
    why_not: str = ""
    plain: deque[Plain] = field(default_factory=lambda: deque(maxlen=_MOST_PLAIN))
    is_ours: bool = False

    def is_it(self, name: str) -> bool:
        """Whether a name is the model's. Raises nothing."""
        if not self.model or same_name(name, self.model):
            return bool(self.model)
        return self.server is not None and self.server.same_model(name, self.model)


class Models:
    """Decides for each model and server by itself, and learns from each. From any thread.

    Parameters
    ----------
    price, history, most_reloads_per_hour, knows:
        As `AdaptiveKeepAlive` takes them.
    """

    def __init__(
        self,
        price: Price,
        history: History | Workload | None,
        most_reloads_per_hour: float | None,
        knows: Sequence[Signal],
    ) -> None:
        if most_reloads_per_hour is not None:
            Cap(most_reloads_per_hour)  # raises for what is none
        self.price, self.most_reloads_per_hour = price, most_reloads_per_hour
        self._history, self._knows = history, tuple(knows)
        self._lock, self._finding = threading.Lock(), threading.Lock()
        self._all: list[One] = []
        self._pasts: dict[str, Past] = {}
        self.last: One | None = None
        """The one that was asked last."""

    @cached_property
    def first(self) -> Choice | None:
        """What a model would be sent of which nothing is known; None: T* is not known either."""
        t_star_s = self.price.t_star_s
        return None if t_star_s is None else Learner(t_star_s).would_decide(0.0)

    def __iter__(self) -> Iterator[One]:
        with self._lock:
            return iter(list(self._all))

    def of(self, model: str, server: Server | None) -> One:
        """What is known of a model there, under whatever name; begun where nothing is yet."""
        with self._finding:  # may ask the server whose weights are whose
            there = [one for one in self if _url(one.server) == _url(server)]
            found = next((one for one in there if one.model == model or one.is_it(model)), None)
            if found is None:
                found = One(model, server)
                with self._lock:
                    self._all.append(found)
            found.server = server  # the newest: a run closes what it has found for itself
            if found.learner is None:
                self._begin(found)
        return found

    # --- one request -----------------------------------------------------------------------------

    def decide(self, one: One, *, more: bool = False) -> Choice | None:
        """What a request that is about to be sent is to carry; None while T* is not known.

        Parameters
        ----------
        more:
            Whether it is certain that another one follows.
        """
        said, now_s = self._said(one), time.monotonic()
        busy = busy_of(one.server, one.is_it, list(one.plain))  # it may ask the server
        with self._lock:
            self.last, one.is_ours = one, True
            if one.learner is None:
                return None
            self._see(one, one.learner, busy, now_s)
            return one.learner.decide(now_s, said, more=more)

    def decide_plainly(self, one: One) -> Choice | None:
        """The same for one of a driver that is not run by us, in the thread that sends it."""
        choice = self.decide(one)
        asked = Plain(one.model)
        with self._lock:
            one.plain.append(asked)
        asked.listen(lambda: _note_deadline(one, asked, choice))
        return choice

    def would_decide(self, one: One) -> Choice | None:
        """The same for a request that was sent now, which is not sent: the gap goes on."""
        said, now_s = self._said(one), time.monotonic()
        busy = busy_of(one.server, one.is_it, list(one.plain))
        with self._lock:
            if one.learner is None:
                return None
            if busy:  # what has ended has ended
                self._see(one, one.learner, busy, busy[-1][0])
            as_if = copy.deepcopy(one.learner)
            as_if.see(busy, now_s)
            return as_if.would_decide(now_s, said)

    def _see(self, one: One, learner: Learner, busy: Sequence[Busy], now_s: float) -> None:
        """Learn from the gaps that have ended; the server's other models hear of them."""
        others = [o for o in self._all if o is not one and _url(o.server) == _url(one.server)]
        for gap_s in learner.see(busy, now_s):
            for other in others:
                if other.learner is not None:
                    other.learner.hear(gap_s, one.model)

    def _said(self, one: One) -> list[str | None]:
        return [_word(signal, one) for signal in self._knows]

    # --- the beginning ---------------------------------------------------------------------------

    def _begin(self, one: One) -> None:
        """Make its learner, which has learnt from the past, as soon as its T* is known."""
        try:
            t_star_s = self._t_star_s(one)
        except NotMeasured as fault:
            one.why_not = str(fault)
            return
        learner = Learner(t_star_s, self.most_reloads_per_hour)
        now_s = time.monotonic()
        seen = busy_of(one.server, one.is_it)
        learner.remember(self._past(one).gaps_s(one.is_it, seen[0][0] if seen else now_s))
        with self._lock:
            if one.learner is None:
                one.learner = learner

    def _past(self, one: One) -> Past:
        """What the history has of the server, read once."""
        url = _url(one.server)
        if url not in self._pasts:
            self._pasts[url] = Past.of(self._history, one.server)
        return self._pasts[url]

    def _t_star_s(self, one: One) -> float:
        """As it is now; it stays so, as what is promised is promised at one T*.

        Raises NotMeasured.
        """
        if self.price.t_star_s is not None:
            return self.price.t_star_s
        reload_s, held_bytes = self._kept(one)
        if reload_s is None:
            reload_s = _own_load_s(one)
        if held_bytes is None and self.price.s_per_gb_min is not None:
            held_bytes = _held_bytes(one)
        return self.price.t_star(reload_s, held_bytes)

    def _kept(self, one: One) -> tuple[float | None, int | None]:
        """How long a reload takes and what the model holds, as the history has it."""
        if isinstance(self._history, Workload):
            return None, None
        try:
            cost = reload_cost(self._history, one.model, server=one.server)
        except HistoryError:
            return None, None
        return cost.seconds, cost.held_bytes


def _url(server: Server | None) -> str:
    return "" if server is None else server.url


def _note_deadline(one: One, asked: Plain, choice: Choice | None) -> None:
    """It has ended: the deadline that Ollama sets now is this process's, as a run's would be."""
    if one.server is not None and choice is not None:
        began_at = time.time() - (time.monotonic() - asked.began_s)
        one.server.own_deadlines.note(one.model, choice.ttl_s, began_at)


def _word(signal: Signal, one: One) -> str | None:
    try:
        return signal(one.model, one.server)
    except Exception:  # a person's own: it can only cost what it would have told
        return None


def _own_load_s(one: One) -> float | None:
    """The median of the loads that this process's requests have waited for."""
    own = one.server.own_requests.all() if one.server is not None else ()
    loads_s = [r.load_s for r in own if r.load_s is not None and one.is_it(r.model)]
    loads_s = [load_s for load_s in loads_s if load_s >= LEAST_LOAD_S]
    return statistics.median(loads_s) if loads_s else None


def _held_bytes(one: One) -> int | None:
    if one.server is None:
        return None
    try:
        resident = one.server.resident(one.model)
    except (ServerError, ServerUnreachable, UnknownModel):
        return None
    return None if resident is None else resident.size_bytes
