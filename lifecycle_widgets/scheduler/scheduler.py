"""What Ollama's scheduler will do: who is in memory until when, why each leaves, and who waits.

A model of ``server/sched.go`` of Ollama 0.32.15, held against the running server by
``tests/test_scheduler_live.py``. It computes only: time is passed in, in seconds from any zero,
and nothing is read, sent or waited for.

What it knows of Ollama's rules is listed in `mechanism.py`. What it does not know: how long an
unload takes (milliseconds), which of two events at the same moment Ollama sees first, loads that
run out of memory, and of a limit of memory more than one sum for all GPUs (see ``most_bytes``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.scheduler.mechanism import CallRecord, Mechanism
from lifecycle_widgets.scheduler.runner_options import AUTOMATIC, RunnerOptions
from lifecycle_widgets.scheduler.values import Call, Departure, InMemory, State


class Scheduler:
    """Ollama's scheduler, without Ollama: events in, with their times; who is in memory out.

    Parameters
    ----------
    limit:
        How many models may be in memory (``OLLAMA_MAX_LOADED_MODELS``; on a machine without GPUs
        or with one, Ollama's own choice is 3).
    default_keep_alive:
        The server's (``OLLAMA_KEEP_ALIVE``): what a model is loaded with by a request that carries
        none.
    weights:
        Model name to weights file, for names that share one, and for the order of eviction among
        equals. A name that is not in it is its own.
    parallel:
        How many answers a runner makes at a time (``OLLAMA_NUM_PARALLEL``). The others wait there
        for their turn, in order, and keep the model busy.
    default_num_ctx:
        The context length of a request that names none: 4096 tokens, more with a large GPU.
    max_queue:
        How many requests may wait for loads (``OLLAMA_MAX_QUEUE``), beside the first of them.
    held_bytes:
        The memory that each model takes, by its name; 0 for one that is not in it.
    most_bytes:
        The memory of the GPUs, all of it; None: nobody is evicted for memory, as on a machine
        without GPUs. A model that comes beside others may take 80 % of what they leave free.

    Raises
    ------
    ValueError
        For a limit or a parallel below 1, or a default_keep_alive that is none.

    Examples
    --------
    The model with the shorter keep_alive is evicted, though it was used more recently:

    >>> ollama = Scheduler(limit=2)
    >>> _ = ollama.request(0, "a", "10m", load_s=1, answer_s=3)
    >>> _ = ollama.request(10, "b", "1m", load_s=1, answer_s=3)
    >>> _ = ollama.request(20, "c", load_s=1, answer_s=3)
    >>> ollama.advance(30)
    >>> [(m.model, m.expires_at_s) for m in ollama.residents]
    [('a', 604.0), ('c', 324.0)]
    >>> ollama.departures
    [Departure(model='b', weights='b', since_s=11.0, at_s=20.0, why='evicted')]
    """

    def __init__(
        self,
        limit: int = 3,
        default_keep_alive: KeepAlive | str | float = "5m",
        *,
        weights: Mapping[str, str] | None = None,
        parallel: int = 1,
        default_num_ctx: int = 4096,
        max_queue: int = 512,
        held_bytes: Mapping[str, float] | None = None,
        most_bytes: float | None = None,
    ) -> None:
        if limit < 1 or parallel < 1:
            raise ValueError(f"limit and parallel must be 1 or more, not {limit} and {parallel}.")
        default_s = _seconds(default_keep_alive)
        if default_s is None:
            raise ValueError("default_keep_alive must say for how long; Ollama's own is '5m'.")
        self._weights = dict(weights or {})
        self._calls: list[CallRecord] = []
        self._mechanism = Mechanism(limit, default_s, parallel, default_num_ctx, max_queue)
        if most_bytes is not None:
            self._mechanism.most_bytes = most_bytes
            sizes = (held_bytes or {}).items()
            self._mechanism.held_bytes = {self._weights.get(m, m): size for m, size in sizes}

    # --- events ----------------------------------------------------------------------------------

    def request(
        self,
        now_s: float,
        model: str,
        keep_alive: KeepAlive | str | float | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        load_s: float | None = None,
        answer_s: float | None = None,
    ) -> int:
        """A request arrives. Returns its ticket, by which the others name it.

        Parameters
        ----------
        now_s:
            When, in seconds; never before the event before.
        keep_alive:
            As in `KeepAlive`; None: the request carries none. 0 leaves when the answer is complete.
        options:
            Ollama's options; those that a runner is started with (``num_ctx`` and so on) count. A
            ``num_ctx`` above what the model was trained for counts in Ollama as that.
        load_s:
            How long a load takes if it needs one, in seconds. None: `loaded` will say when it has
            ended.
        answer_s:
            How long the answer takes, in seconds, from its turn at the runner. 0 for a request
            that only loads. None: `finish` will say when it has ended.

        Examples
        --------
        >>> ollama = Scheduler()
        >>> ticket = ollama.request(0, "a", keep_alive=60, load_s=2)
        >>> ollama.loading.state, ollama.residents
        ('loading', ())
        >>> ollama.advance(5)
        >>> ollama.call(ticket).served_s, ollama.residents[0].expires_at_s  # now + keep_alive
        (2.0, 65.0)
        >>> ollama.finish(9, ticket)
        >>> ollama.residents[0].expires_at_s
        69.0
        """
        self.advance(now_s)
        ticket = len(self._calls)
        call = CallRecord(
            ticket=ticket,
            model=model,
            weights=self._weights.get(model, model),
            keep_alive_s=_seconds(keep_alive),
            options=AUTOMATIC if options is None else RunnerOptions.of(options),
            load_s=load_s,
            answer_s=answer_s,
            asked_s=self.now_s,
        )
        self._calls.append(call)
        self._mechanism.ask(call)
        self._mechanism.work_off()
        return ticket

    def loaded(self, now_s: float, ticket: int) -> None:
        """The load for this request has ended. Raises ValueError when it is not loading."""
        self.advance(now_s)
        self._mechanism.load_ended(self._expect(ticket, "loading"))
        self._mechanism.work_off()

    def finish(self, now_s: float, ticket: int) -> None:
        """The answer is complete. Raises ValueError when this request is not being answered."""
        self.advance(now_s)
        self._mechanism.end(self._expect(ticket, "answering"), "done")
        self._mechanism.work_off()

    def cancel(self, now_s: float, ticket: int) -> None:
        """The client goes away: an answer or a load is given up, a waiting request passed over.

        But not one whose model has already asked another to leave: Ollama waits on in its name
        (``processPending`` listens to the leaving only). One that has ended is left as it is.

        Examples
        --------
        >>> ollama = Scheduler(limit=1)
        >>> ticket = ollama.request(0, "a", load_s=60)
        >>> ollama.cancel(1, ticket)
        >>> ollama.loading, ollama.residents, ollama.call(ticket).state
        (None, (), 'cancelled')
        """
        self.advance(now_s)
        call = self._calls[ticket]
        if call.state == "answering":
            self._mechanism.end(call, "cancelled")
        elif call.state in ("waiting", "loading"):
            self._mechanism.give_up(call, "cancelled")
        self._mechanism.work_off()

    def unload(self, now_s: float, model: str) -> None:
        """An unload request (empty prompt, keep_alive 0): ``expireRunner``.

        An idle model leaves, a busy one when its requests have ended, unless one that starts
        before that brings a keep_alive. A model that is loading is not touched.

        Examples
        --------
        >>> ollama = Scheduler()
        >>> ticket = ollama.request(0, "a", load_s=1)
        >>> ollama.unload(5, "a")
        >>> ollama.residents[0].expires_at_s, ollama.departures
        (5.0, [])
        >>> ollama.finish(9, ticket)
        >>> ollama.departures[0].why
        'requested'
        """
        self.advance(now_s)
        runner = self._mechanism.loaded.get(self._weights.get(model, model))
        if runner is not None:
            runner.expires_s = self.now_s
            self._mechanism.doom(runner, "requested")
            self._mechanism.work_off()

    def crash(self, now_s: float, model: str) -> None:
        """The model's runner ends by itself, or is killed: its requests fail.

        Ollama does not look after its runners: an idle one is listed until its timer ends or the
        next request for it finds it dead. A load fails at once.

        Examples
        --------
        >>> ollama = Scheduler()
        >>> ticket = ollama.request(0, "a", keep_alive="1m", load_s=1)
        >>> ollama.crash(10, "a")
        >>> ollama.call(ticket).state, ollama.residents[0].expires_at_s
        ('failed', 70.0)
        """
        self.advance(now_s)
        weights = self._weights.get(model, model)
        loading = self._mechanism.loading
        if loading is not None and loading.weights == weights:
            self._mechanism.give_up(loading, "failed")
        elif (runner := self._mechanism.loaded.get(weights)) is not None:
            self._mechanism.crash(runner)
        self._mechanism.work_off()

    def advance(self, now_s: float) -> None:
        """Let the time pass: timers, and loads and answers whose durations were given, end."""
        now_s = float(now_s)
        if now_s < self._mechanism.now_s:
            raise ValueError(f"Time goes on: {now_s} s is before {self._mechanism.now_s} s.")
        self._mechanism.advance(now_s)

    # --- state -----------------------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        """The time of the last event, in seconds."""
        return self._mechanism.now_s

    @property
    def departures(self) -> list[Departure]:
        """Every model that has left, in order."""
        return self._mechanism.departures

    @property
    def residents(self) -> tuple[InMemory, ...]:
        """The models in memory, the last to expire first, as in /api/ps."""
        listed = [
            InMemory(
                model=r.model,
                weights=r.weights,
                since_s=r.since_s,
                expires_at_s=r.shown_s(self.now_s),
                keep_alive_s=r.keep_alive_s,
                busy=len(r.calls),
                crashed=r.crashed,
            )
            for r in self._mechanism.loaded.values()
        ]
        return tuple(sorted(listed, key=lambda r: (-r.expires_at_s, r.weights)))

    @property
    def loading(self) -> Call | None:
        """The request whose model is being loaded; /api/ps does not show it."""
        loading = self._mechanism.loading
        return None if loading is None else self.call(loading.ticket)

    @property
    def waiting(self) -> tuple[Call, ...]:
        """The requests that wait for their load to begin, the first of them first."""
        head = self._mechanism.head
        line = ([] if head is None else [head]) + list(self._mechanism.queue)
        return tuple(self.call(call.ticket) for call in line if call.state == "waiting")

    @property
    def is_stuck(self) -> bool:
        """True when the first load waits for a model that is not going to leave: Ollama's hang.

        The victim was busy when it was chosen, and a request that carried a keep_alive has come
        for it since. Every later load waits too, while models in memory go on answering. Any
        model that leaves (by an unload or its own timer) ends it; the client's going away does not.

        Examples
        --------
        >>> ollama = Scheduler(limit=1)
        >>> _ = ollama.request(0, "a", load_s=1, answer_s=9)
        >>> _ = ollama.request(5, "b", load_s=1, answer_s=9)
        >>> _ = ollama.request(6, "a", keep_alive="1h", answer_s=1)
        >>> ollama.advance(60)
        >>> ollama.is_stuck, [call.model for call in ollama.waiting]
        (True, ['b'])
        >>> ollama.unload(61, "a")
        >>> ollama.is_stuck, ollama.loading.model
        (False, 'b')
        """
        victim = self._mechanism.victim
        return victim is not None and victim.keep_alive_s > 0

    @property
    def next_s(self) -> float:
        """When the next timer, load or answer ends, in seconds, as things are; inf: none will."""
        return self._mechanism.next_s

    def call(self, ticket: int) -> Call:
        """How far the request with this ticket has come."""
        c = self._calls[ticket]
        return Call(
            ticket=ticket,
            model=c.model,
            asked_s=c.asked_s,
            load_began_s=c.load_began_s,
            served_s=c.served_s,
            answer_began_s=c.answer_began_s,
            ended_s=c.ended_s,
            state=c.state,
        )

    # --- plumbing --------------------------------------------------------------------------------

    def _expect(self, ticket: int, state: State) -> CallRecord:
        call = self._calls[ticket]
        if call.state != state:
            raise ValueError(f"Request {ticket} ({call.model}) is {call.state}, not {state}.")
        return call


@lru_cache(maxsize=256, typed=True)
def _seconds(keep_alive: KeepAlive | str | float | None) -> float | None:
    return KeepAlive(keep_alive).seconds
