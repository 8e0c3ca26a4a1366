"""OwnRequests: what this process has asked of the models at an address, and what became of it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from lifecycle_widgets.server.errors import ServerUnreachable, UnknownModel

_MOST = 2000
_GONE_AWAY = 499  # the one status from 400 to 499 that a model may have worked for


@dataclass(eq=False)
class OwnRequest:
    """One request of this process; seconds, and None for what is not known (yet).

    ``kind`` is "chat", "embed", "load" (a preload), "touch" or "unload". ``began_s`` and
    ``ended_s`` are `time.monotonic()`, ``began_at`` is `time.time()`; ``ended_s`` is None while it
    goes on. ``keep_alive_s`` is what it asked for (endless: forever). ``is_broken_off``: it was
    stopped, or it failed.
    """

    number: int
    model: str
    kind: str
    keep_alive_s: float | None = None
    began_s: float = field(default_factory=time.monotonic)
    began_at: float = field(default_factory=time.time)
    ended_s: float | None = None
    load_s: float | None = None
    prompt_eval_s: float | None = None
    eval_s: float | None = None
    ttft_s: float | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    is_broken_off: bool | None = None

    def took(self, timings: Any) -> None:
        """What is known of it, from whatever has the fields of `Timings`."""
        for name in ("load_s", "prompt_eval_s", "eval_s", "prompt_tokens", "output_tokens"):
            setattr(self, name, getattr(timings, name))
        self.ttft_s = timings.ttft_s

    def ended(self, *, is_broken_off: bool) -> None:
        """It has ended just now. The first time counts."""
        if self.ended_s is None:
            self.is_broken_off = is_broken_off
            self.ended_s = time.monotonic()


class OwnRequests:
    """By whatever `Server` they were sent: a run without one makes its own, beside the monitor's.

    Only the last 2000 are kept. Of a request that no model had to do with (an unknown name, a
    server that is not there) nothing is left.

    Examples
    --------
    >>> own = OwnRequests()
    >>> with own.noted("llama3.2", "chat", keep_alive_s=300.0) as request:
    ...     request.ended_s is None
    True
    >>> [(one.model, one.is_broken_off) for one in own.all()]
    [('llama3.2', False)]
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: deque[OwnRequest] = deque(maxlen=_MOST)
        #: changes with each that begins, ends or is forgotten
        self.changes = 0
        self._begun = 0

    @contextmanager
    def noted(
        self, model: str, kind: str, keep_alive_s: float | None = None
    ) -> Iterator[OwnRequest]:
        """A request that is sent in this block, and has ended when the block has."""
        with self._lock:
            self._begun += 1
            one = OwnRequest(self._begun, model, kind, keep_alive_s)
            self._all.append(one)
            self.changes += 1
        try:
            yield one
        except BaseException as fault:
            one.ended(is_broken_off=True)
            if _came_to_nothing(fault):
                self._forget(one)
            raise
        finally:
            one.ended(is_broken_off=False)
            self.changes += 1

    def all(self) -> tuple[OwnRequest, ...]:
        """Those that are kept, in order of their beginning."""
        with self._lock:
            return tuple(self._all)

    def _forget(self, one: OwnRequest) -> None:
        with self._lock:
            if one in self._all:
                self._all.remove(one)


def _came_to_nothing(fault: BaseException) -> bool:
    """Whether no model had to do with it: refused by the server, or no server was there."""
    status = getattr(fault, "status_code", None) or getattr(fault, "status", None)
    if isinstance(status, int):
        return 400 <= status < _GONE_AWAY
    if isinstance(fault, ServerUnreachable):
        return not fault.is_there
    if type(fault) is ConnectionError:  # ollama-python's own, for a server that is not there
        return True
    return isinstance(fault, (UnknownModel, httpx.ConnectError, httpx.ConnectTimeout))
