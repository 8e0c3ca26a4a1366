"""ProgressLine: how far an experiment is, in one line that is rewritten, for who looks on."""

from __future__ import annotations

import builtins
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from lifecycle_widgets.experiments.face.plan import Step
from lifecycle_widgets.runs.texts import duration_text

_EACH_S = 1.0
_MOST = 110  # characters: a line that a notebook does not break
Write = Callable[[str, bool], None]


class ProgressLine:
    """Shows a line from its first step on, with the seconds so far; at the end how it ended.

    In a notebook it is one output that is updated, so that one line is saved; in a terminal it is
    rewritten in place. Where nobody looks on (a file, a pipe, a test) nothing is shown.

    Parameters
    ----------
    write:
        Shows a line in place of the one before; told whether it is the last. None: nobody looks on.

    Examples
    --------
    >>> seen = []
    >>> with ProgressLine(lambda line, is_last: seen.append(line)) as line:
    ...     line.say(Step(1, 9, "round 1 of 3: warm"))
    ...     line.end("done: 9 of 9")
    >>> seen
    ['1 of 9: round 1 of 3: warm · 1 s', 'done: 9 of 9 · 1 s']
    """

    def __init__(self, write: Write | None) -> None:
        self._write, self._began_s = write, time.monotonic()
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._shown = ""
        self._thread: threading.Thread | None = None

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def say(self, step: Step) -> None:
        """What comes now."""
        if self._write is None:
            return
        done = f"{step.done} of {step.total}: " if step.total else ""
        self._show(f"{done}{step.what}")
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._tick, name="lifecycle-progress-line", daemon=True
            )
            self._thread.start()

    def end(self, sentence: str) -> None:
        """How it ended; nothing where nothing was said before."""
        self._ended.set()
        if self._thread is not None:
            self._show(sentence, is_last=True)

    def _tick(self) -> None:
        while not self._ended.wait(_EACH_S):
            self._show(None)

    def _show(self, text: str | None, is_last: bool = False) -> None:
        with self._lock:
            if self._write is None or (text is None and self._ended.is_set()):
                return  # how it ended is the last word
            self._shown = self._shown if text is None else text
            line = self._shown if len(self._shown) <= _MOST else f"{self._shown[: _MOST - 1]}…"
            self._write(f"{line} · {duration_text(time.monotonic() - self._began_s)}", is_last)


def writer() -> Write | None:
    """How to show a line to the person who looks on; None where there is none."""
    shell = getattr(builtins, "get_ipython", lambda: None)()
    if hasattr(shell, "kernel"):
        return _Output(builtins.display)  # type: ignore[attr-defined]  # IPython puts it there
    if sys.stdout is not None and sys.stdout.isatty():
        return _terminal
    return None


class _Output:
    """One output of a notebook's cell, which is updated."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self._display = display
        self._handle: Any = None

    def __call__(self, line: str, is_last: bool) -> None:
        shown = {"text/plain": line}
        if self._handle is None:
            self._handle = self._display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)


_CLEAR = "\r\x1b[2K"  # to the line's beginning, and nothing in it


def _terminal(line: str, is_last: bool) -> None:
    sys.stdout.write(f"{_CLEAR}{line}" + "\n" * is_last)
    sys.stdout.flush()
