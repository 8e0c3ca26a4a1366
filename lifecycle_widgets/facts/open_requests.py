"""Requests under way while a trial looks: an answer that is coming, a load that is held."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import httpx
import psutil

_POLL_S = 0.02


class Busy:
    """A request whose answer is coming."""

    def __init__(self, reply: httpx.Response) -> None:
        self._reply, self._lines = reply, reply.iter_lines()

    def next(self) -> dict[str, Any]:
        """The next piece of the answer."""
        return dict(json.loads(next(self._lines)))

    def rest(self) -> list[dict[str, Any]]:
        """All that is still to come; the request has then ended."""
        return [json.loads(line) for line in self._lines if line]

    def leave(self) -> None:
        """Go away, as a client does that is closed."""
        self._reply.close()


class HeldLoad:
    """A load that gets no further: its runner's process number, and the reply to come."""

    def __init__(self, pid: int, reply: Future[httpx.Response]) -> None:
        self.pid, self.reply = pid, reply

    def send(self, number: int) -> None:
        """Send the runner a signal; it may have ended."""
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def go_on(self) -> None:
        """Let it load."""
        self.send(signal.SIGCONT)

    def kill(self) -> None:
        """End the runner, as the system does that has no memory left."""
        self.send(signal.SIGKILL)

    def is_alive(self) -> bool:
        """Whether the runner's process exists."""
        try:
            return psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def until(condition: Callable[[], object], within_s: float) -> bool:
    """Whether a condition becomes true in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
