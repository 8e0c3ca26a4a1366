"""What a server would have done with a workload of several models: the scheduler's model, replayed.

Ollama's own rules decide (`lifecycle_widgets.Scheduler`): who is evicted for whom, whose request
waits behind whose load. ``python -m tests.bench advisor-schedules`` holds it against a real Ollama.

What is not modelled, beside what `Scheduler` does not know:

- People and agents that ask later because they were answered later: requests come when they came.
- The prompt that has to be read again after a load: put it into ``load_s``, where it also delays
  the loads of others, which it would not do in Ollama, or count it apart.
- Loads that take longer beside other loads or answers, from a cold disk, or that fail; answers
  that take longer because other models answer at the same time.
- Runner options: all requests of a model are taken to want the same.
- A client that goes away.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from lifecycle_widgets.advisor.policies.policy import Policy
from lifecycle_widgets.advisor.simulate.asked import Asked as Asked
from lifecycle_widgets.advisor.simulate.asked import asked_of as asked_of
from lifecycle_widgets.advisor.simulate.counting import simulated
from lifecycle_widgets.advisor.simulate.simulated import Simulated
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.scheduler import Scheduler

Setting: TypeAlias = KeepAlive | str | float | None
"""A keep_alive that requests carry; None: they carry none."""
KeepAlives: TypeAlias = Setting | Mapping[str, Setting] | Callable[[str], Setting | Policy]
"""One for all models, one for each (none for the others), or a function that gives a model its own:
a keep_alive, or a new policy."""
LoadTimes: TypeAlias = Mapping[str, float] | float | Callable[[Asked], float]
"""Seconds that a load takes: of each model, of all, or a function of the request that needs it."""


def replay_server(
    asked: Sequence[Asked],
    *,
    keep_alive: KeepAlives = None,
    load_s: LoadTimes,
    limit: int = 3,
    default_keep_alive: KeepAlive | str | float = "5m",
    held_bytes: Mapping[str, float] | None = None,
    most_bytes: float | None = None,
    parallel: int = 1,
    weights: Mapping[str, str] | None = None,
) -> Simulated:
    """What Ollama would have done with these requests.

    Parameters
    ----------
    asked:
        The requests, in any order. See `asked_of` for those of a workload.
    keep_alive:
        What they carry: one keep_alive, one for each model (none for those that are not in it), or
        a function that gives each model a keep_alive or a new policy, which then learns from the
        model's gaps as they end.
    load_s:
        How long a load takes, in seconds: of each model, of all, or a function of the request
        that needs it.
    limit, default_keep_alive, parallel:
        The server's settings: ``OLLAMA_MAX_LOADED_MODELS``, ``OLLAMA_KEEP_ALIVE`` and
        ``OLLAMA_NUM_PARALLEL``.
    held_bytes:
        The memory that each model takes.
    most_bytes:
        The memory of the GPUs, where they limit what is loaded: `Scheduler` says how.
    weights:
        Model to weights file, as in `Scheduler`.

    Raises
    ------
    ValueError
        For a model whose load_s or, with most_bytes, whose size is not told, and what `Scheduler`
        and `KeepAlive` refuse.

    Examples
    --------
    Two models in turn, where only one may be in memory:

    >>> asked = [Asked("ab"[n % 2], 60.0 * n, 5.0) for n in range(6)]
    >>> [(s.waiting_s, s.evictions) for s in (
    ...     replay_server(asked, load_s=2.0, limit=1), replay_server(asked, load_s=2.0, limit=2))]
    [(12.0, 5), (4.0, 0)]
    """
    asked = sorted(asked, key=lambda one: one.at_s)
    loads_s = [_told(load_s, one, "how long it takes to load") for one in asked]
    if most_bytes is not None:
        for one in asked:
            _told(held_bytes or {}, one, "how much memory it takes")
    ollama = Scheduler(
        limit,
        default_keep_alive,
        weights=weights,
        parallel=parallel,
        held_bytes=held_bytes,
        most_bytes=most_bytes,
    )
    senders: dict[str, _Sender] = {}
    for one, its_load_s in zip(asked, loads_s, strict=True):
        ollama.advance(one.at_s)
        sender = senders.get(one.model)
        if sender is None:
            sender = senders[one.model] = _Sender(keep_alive, one.model)
        sent = sender.next(ollama)
        ticket = ollama.request(one.at_s, one.model, sent, load_s=its_load_s, answer_s=one.answer_s)
        sender.sent(ticket)
    _run_out(ollama)
    return simulated(ollama, len(asked), weights or {}, held_bytes or {})


class _Sender:
    """Who asks one model, and the keep_alive that goes along."""

    def __init__(self, keep_alive: KeepAlives, model: str) -> None:
        its: Setting | Policy
        if isinstance(keep_alive, Mapping):
            its = keep_alive.get(model)
        else:
            its = keep_alive(model) if callable(keep_alive) else keep_alive
        self._setting: Setting = None
        self._policy: Policy | None = None
        if its is None or isinstance(its, (KeepAlive, str, int, float)):
            self._setting = its
        else:
            self._policy = its
        self._open: list[int] = []  # those of its requests that had not ended

    def next(self, ollama: Scheduler) -> Setting:
        """What a request carries that is asked now."""
        if self._policy is None:
            return self._setting
        if self._open:
            ends_s = {ticket: ollama.call(ticket).ended_s for ticket in self._open}
            self._open = [ticket for ticket, end_s in ends_s.items() if end_s is None]
            gap_s = ollama.now_s - max(end_s or -math.inf for end_s in ends_s.values())
            if not self._open and gap_s > 0:
                self._policy.learn(gap_s)
        return self._policy.next_ttl_s()

    def sent(self, ticket: int) -> None:
        """It was asked."""
        if self._policy is not None:
            self._open.append(ticket)


def _run_out(ollama: Scheduler) -> None:
    """Until all is answered, or nothing more will be."""
    while ollama.waiting or ollama.loading or any(r.busy for r in ollama.residents):
        if ollama.next_s == math.inf:
            return
        ollama.advance(ollama.next_s)


def _told(of: LoadTimes, one: Asked, what: str) -> float:
    its = of(one) if callable(of) else of
    value = its.get(one.model) if isinstance(its, Mapping) else its
    if value is None:
        raise ValueError(f"It is not told of {one.model} {what}.")
    if not 0 <= value < math.inf:
        raise ValueError(f"{value} cannot be {what}, of {one.model}: it must be 0 or more.")
    return value
