"""Relay: starts the clock of a bare socket before an Ollama, and hears what it tells."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.bench.crosscheck.socket_clock import Exchange

_PROGRAM = Path(__file__).with_name("socket_clock.py")
_PATIENCE_S = 10.0
_LATE_S = 0.3


class Relay:
    """The relay, for as long as it is wanted.

    Parameters
    ----------
    port:
        Where Ollama listens, on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-u", str(_PROGRAM), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self._told: queue.SimpleQueue[Exchange] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self._told.put(Exchange(**json.loads(line)))

    def exchanges(self, count: int) -> list[Exchange]:
        """The next so many. Raises queue.Empty when they do not come."""
        return [self._told.get(timeout=_PATIENCE_S) for _ in range(count)]

    def all_others(self) -> list[Exchange]:
        """All that have come since, when no more are on their way."""
        found: list[Exchange] = []
        with suppress(queue.Empty):
            while True:
                found.append(self._told.get(timeout=_LATE_S))
        return found

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()  # its input ends, and so does it
