"""Progress of long steps: what is reported, and the plain printer used when nobody listens."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_QUIET_S = 5.0
_STEPS = {"program": "Ollama", "models": "Models", "start": "Sandbox", "remove": "Cache"}


@dataclass(frozen=True)
class Progress:
    """One reading of a long step.

    Args:
        step: ``"program"``, ``"models"``, ``"start"`` or ``"remove"``.
        detail: what is being done, in words.
        fraction: how much of this step is done, 0 to 1, or None where nobody can know.
        elapsed_s: seconds since the step began.

    Example:
        >>> str(Progress("program", "compiling", None, 70.0))
        'Ollama: compiling (1 min 10 s)'
    """

    step: str
    detail: str
    fraction: float | None
    elapsed_s: float

    def __str__(self) -> str:
        minutes, seconds = divmod(int(self.elapsed_s), 60)
        notes = [f"{minutes} min {seconds} s" if minutes else f"{seconds} s"] if seconds else []
        if self.fraction is not None:
            notes.insert(0, f"{self.fraction:.0%}")
        name = _STEPS.get(self.step, self.step)
        return f"{name}: {self.detail}" + (f" ({', '.join(notes)})" if notes else "")


Listener = Callable[[Progress], None]


class Printer:
    """Prints progress to stderr: a new detail at once, the same one every few seconds."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        with self._lock:
            detail, printed_at = self._last.get(progress.step, ("", -_QUIET_S))
            if progress.detail == detail and now - printed_at < _QUIET_S:
                return
            self._last[progress.step] = (progress.detail, now)
        # sys.stderr is looked up now, not at import: a Jupyter kernel replaces it.
        print(progress, file=sys.stderr, flush=True)


class Reporter:
    """Reports one step to a listener, with the time since the step began.

    Args:
        step: the name of the step, see `Progress`.
        listener: who hears of it; None for a `Printer`.
    """

    def __init__(self, step: str, listener: Listener | None = None) -> None:
        self.step = step
        self.listener: Listener = listener or Printer()
        self._began = time.monotonic()

    def __call__(self, detail: str, fraction: float | None = None) -> None:
        self.listener(Progress(self.step, detail, fraction, time.monotonic() - self._began))
