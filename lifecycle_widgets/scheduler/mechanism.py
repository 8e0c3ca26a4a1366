"""The mechanism of `Scheduler`: records that change, and each step of Ollama's scheduler.

The public face is `scheduler.py`; here is no check of what is passed in.

What it knows of the rules, and where they stand in ``server/sched.go``:

- ``useLoadedRunner``: a request for a model in memory stops its timer; the latest to start that
  carries a keep_alive decides, one without leaves the runner's as it is. The server's default
  counts only when a model is loaded (``load``).
- ``processCompleted``: when the last request has ended the timer starts, with the full duration;
  at 0 the model leaves.
- ``processPending``: loads go one after the other, first come, first served. Requests for models
  in memory pass them (``getRunner``). Other runner options mean a load anew (``needsReload``),
  which lets those that are running end first.
- ``findRunnerToUnload``: at the limit one model is evicted: of the idle ones (of all, if none is
  idle) the one with the shortest keep_alive, of equals the one whose weights file comes first.
- The load then waits until *any* model has left, and looks anew. A victim that was busy and gets
  a request with a keep_alive of its own meanwhile does not leave: see `Scheduler.is_stuck`.
- A runner that crashed is listed until its timer ends, or the next request finds it dead.
- ``load``: with a GPU, a model that comes beside others must fit into 80 % of the memory
  that they leave free, else one is evicted as at the limit, and again until it fits or is alone;
  then it is loaded, whatever its size.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

from lifecycle_widgets.scheduler.runner_options import RunnerOptions, serves
from lifecycle_widgets.scheduler.values import Departure, State, Why

_FILLED = 0.8  # of the free memory, by what is predicted of the model that is to be loaded


@dataclass(slots=True, eq=False)
class CallRecord:
    """One request. ``load_s`` and ``answer_s`` are None where the caller will tell the end."""

    ticket: int
    model: str
    weights: str
    keep_alive_s: float | None
    options: RunnerOptions
    load_s: float | None
    answer_s: float | None
    asked_s: float
    load_began_s: float | None = None
    served_s: float | None = None
    answer_began_s: float | None = None
    ended_s: float | None = None
    state: State = "waiting"
    alarm_s: float = math.inf  # when its load or its answer will end, if that is known


@dataclass(slots=True, eq=False)
class RunnerRecord:
    """One model in memory (``runnerRef``)."""

    model: str
    weights: str
    options: RunnerOptions
    keep_alive_s: float
    since_s: float
    expires_s: float | None = None  # as shown; None until a request has ended
    deadline_s: float = math.inf  # of the timer; inf while there is none
    alarm_s: float = math.inf  # the first entry for it among the alarms
    why: Why = "expired"  # should it leave now
    crashed: bool = False
    calls: dict[int, CallRecord] = field(default_factory=dict)  # those which keep it
    line: deque[CallRecord] = field(default_factory=deque)  # those whose turn has not come
    answering: int = 0

    def shown_s(self, now_s: float) -> float:
        """``expires_at`` in /api/ps (``loadedModels``)."""
        return now_s + self.keep_alive_s if self.expires_s is None else self.expires_s


class Mechanism:
    """Who is loaded, who waits, and what happens next; all at the time ``now_s``."""

    def __init__(
        self, limit: int, default_keep_alive_s: float, parallel: int, num_ctx: int, max_queue: int
    ) -> None:
        self.limit = limit
        self.default_keep_alive_s = default_keep_alive_s
        self.parallel = parallel
        self.num_ctx = num_ctx
        self.max_queue = max_queue
        self.most_bytes = math.inf
        self.held_bytes: Mapping[str, float] = {}  # by weights
        self.now_s = -math.inf
        self.departures: list[Departure] = []
        self.loaded: dict[str, RunnerRecord] = {}
        self.queue: deque[CallRecord] = deque()  # wait for their turn to be looked at
        self.head: CallRecord | None = None  # the one that is looked at: it waits for a leaving
        self.victim: RunnerRecord | None = None  # whose leaving
        self.loading: CallRecord | None = None
        self._alarms: list[tuple[float, int, CallRecord | RunnerRecord]] = []
        self._alarms_set = 0  # so that two at the same moment come in the order they were set

    @property
    def next_s(self) -> float:
        """When the next thing is due, if nothing is asked before."""
        due = [runner.deadline_s for runner in self.loaded.values()]
        due += [call.alarm_s for runner in self.loaded.values() for call in runner.calls.values()]
        return min([*due, self.loading.alarm_s if self.loading else math.inf])

    # --- events ----------------------------------------------------------------------------------

    def advance(self, now_s: float) -> None:
        """Let everything happen that is due until then."""
        alarms = self._alarms
        while alarms and alarms[0][0] <= now_s:
            at_s, _, whose = heappop(alarms)
            self.now_s = at_s
            if type(whose) is RunnerRecord:
                whose.alarm_s = math.inf
                if whose.deadline_s <= at_s:
                    self._leave(whose)
                elif whose.deadline_s < math.inf:  # it was used since this was set
                    self.set_alarm(whose.deadline_s, whose)
                    continue
            elif whose.alarm_s != at_s:
                continue  # it ended otherwise
            elif type(whose) is CallRecord and whose.state == "answering":
                self.end(whose, "done")
            elif type(whose) is CallRecord and whose.state == "loading":
                self.load_ended(whose)
            self.work_off()
        self.now_s = now_s

    def ask(self, call: CallRecord) -> None:
        """``getRunner``."""
        runner = self.loaded.get(call.weights)
        if runner is not None and self._can_use(runner, call.options):
            self._use(runner, call)
        elif len(self.queue) >= self.max_queue:
            call.state, call.ended_s = "refused", self.now_s
        else:
            self.queue.append(call)

    def load_ended(self, call: CallRecord) -> None:
        """The second half of ``load``."""
        self.loading = None
        call.alarm_s = math.inf  # the caller may have told it before
        runner = RunnerRecord(
            call.model, call.weights, call.options, self.default_keep_alive_s, self.now_s
        )
        self.loaded[call.weights] = runner
        self._use(runner, call)

    def end(self, call: CallRecord, state: State) -> None:
        """A request that has been served ends, in whatever way."""
        call.state, call.ended_s = state, self.now_s
        runner = self.loaded[call.weights]
        del runner.calls[call.ticket]
        if call.answer_began_s is not None:
            runner.answering -= 1
            if runner.line:
                self._answer(runner, runner.line.popleft())
        elif call in runner.line:
            runner.line.remove(call)
        self._rest(runner)

    def give_up(self, call: CallRecord, state: State) -> None:
        """A request that has not been served ends."""
        call.state, call.ended_s = state, self.now_s
        if self.loading is call:
            self.loading = None

    def crash(self, runner: RunnerRecord) -> None:
        """Its process ends, and its requests fail; Ollama notices nothing else."""
        runner.crashed = True
        runner.line.clear()
        for call in tuple(runner.calls.values()):
            self.end(call, "failed")

    def doom(self, runner: RunnerRecord, why: Why) -> None:
        """It is to leave: now, or when its requests have ended."""
        runner.keep_alive_s, runner.deadline_s, runner.why = 0.0, math.inf, why
        if not runner.calls:
            self._leave(runner)

    def work_off(self) -> None:
        """``processPending``: one request at a time, and the others wait behind it."""
        while self.loading is None and self.victim is None:
            if self.head is None:
                if not self.queue:
                    return
                call = self.queue.popleft()
                if call.state == "cancelled":
                    continue
                self.head = call
            self._look_at(self.head)

    # --- a model in memory ------------------------------------------------------------------------

    def _use(self, runner: RunnerRecord, call: CallRecord) -> None:
        """``useLoadedRunner``, and the end of a load."""
        runner.deadline_s = math.inf
        if call.keep_alive_s is not None:
            runner.keep_alive_s, runner.why = call.keep_alive_s, "expired"
        if call.state == "cancelled":
            self._rest(runner)
            return
        call.served_s, call.state = self.now_s, "answering"
        runner.calls[call.ticket] = call
        if call.answer_s == 0:  # nothing is asked of the runner
            self.end(call, "done")
        elif runner.answering < self.parallel:
            self._answer(runner, call)
        else:
            runner.line.append(call)

    def _answer(self, runner: RunnerRecord, call: CallRecord) -> None:
        runner.answering += 1
        call.answer_began_s = self.now_s
        if call.answer_s is not None:
            self.set_alarm(self.now_s + call.answer_s, call)

    def _rest(self, runner: RunnerRecord) -> None:
        """The finished half of ``processCompleted``."""
        if runner.calls:
            return
        if runner.keep_alive_s <= 0:
            self._leave(runner)
            return
        runner.deadline_s = runner.expires_s = self.now_s + runner.keep_alive_s
        if runner.deadline_s < runner.alarm_s:
            self.set_alarm(runner.deadline_s, runner)

    def _leave(self, runner: RunnerRecord) -> None:
        del self.loaded[runner.weights]
        runner.deadline_s = math.inf
        self.victim = None  # whoever it is that leaves: the first in the queue looks anew
        why: Why = "crashed" if runner.crashed else runner.why
        self.departures.append(
            Departure(runner.model, runner.weights, runner.since_s, self.now_s, why)
        )

    # --- loads ------------------------------------------------------------------------------------

    def _look_at(self, call: CallRecord) -> None:
        runner = self.loaded.get(call.weights)
        if runner is not None and self._can_use(runner, call.options):
            self.head = None
            self._use(runner, call)
        elif runner is None and len(self.loaded) < self.limit and self._fits(call.weights):
            self.head = None
            if call.state != "cancelled":
                call.state, call.load_began_s = "loading", self.now_s
                self.loading = call
                if call.load_s is not None:
                    self.set_alarm(self.now_s + call.load_s, call)
        else:
            why: Why = "evicted" if runner is None else "reloaded"
            victim = self._runner_to_unload() if runner is None else runner
            self.victim = victim
            self.doom(victim, why)

    def _fits(self, weights: str) -> bool:
        if not self.loaded or self.most_bytes == math.inf:
            return True
        free_bytes = self.most_bytes - sum(self.held_bytes.get(w, 0) for w in self.loaded)
        return self.held_bytes.get(weights, 0) <= _FILLED * free_bytes

    def _runner_to_unload(self) -> RunnerRecord:
        """``findRunnerToUnload``."""
        return min(self.loaded.values(), key=lambda r: (bool(r.calls), r.keep_alive_s, r.weights))

    def _can_use(self, runner: RunnerRecord, wanted: RunnerOptions) -> bool:
        return not runner.crashed and (
            runner.options is wanted or serves(runner.options, wanted, self.num_ctx)
        )

    def set_alarm(self, at_s: float, whose: CallRecord | RunnerRecord) -> None:
        """Something will be due for it; `advance` sees what."""
        if at_s < math.inf:
            whose.alarm_s = at_s
            self._alarms_set += 1
            heappush(self._alarms, (at_s, self._alarms_set, whose))
